/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bochs, patched (bochs/) or of a distribution, without disk, window, terminal and files:
 * it opens only descriptors, and the kernel is in the machine's memory when Bochs starts
 * (preload.h).
 *
 * Targets bare:x86_64-bochs and bare:x86_64-bochs-svm: the CPU and the PMU of
 * lab:x86_64-vmx and lab:x86_64-svm without Linux. Bochs has no loader: the payload is in
 * its memory when it starts, and the lab's firmware jumps to it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/abi.h"
#include "bochs_source.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/bare.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/wire.h"

/*
 * TZ: without, the machine's clock would begin at the local hour. TERM: for the display
 * of Bochs without the project's patches. LC_ALL: Bochs would map the files of a locale,
 * which a process that continues has not (image.c). GLIBC_TUNABLES: large pages for the
 * machine's memory, if the host has them: the Bochs of a boot takes 17,300 page faults,
 * not 92,900.
 */
static const char *const environment[] = { "TERM=dumb", "TZ=UTC0", "LC_ALL=C",
					   "LD_PRELOAD=" LAB_LIBRARY_PATH,
					   "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" };
#define VARIABLES (sizeof(environment) / sizeof(environment[0]))

/* Input for the built-in debugger of a distribution's Bochs, which waits for a user. */
static const char commands[] = "continue\nquit\n";

/*
 * What all machines have; the descriptors are those of enum lab_fd. Of its messages
 * only a panic is of use: by one it ends, at the guest's triple fault and at the word
 * that our firmware says at a second reset.
 */
static const char fixed_lines[] = "romimage: file=/proc/self/fd/8\n"
				  "optramimage1: file=/proc/self/fd/7, address=0x200000\n"
				  "parport1: enabled=1, file=/proc/self/fd/4\n"
				  "com1: enabled=1, mode=file, dev=" LAB_CONSOLE_PATH "\n"
				  "log: /proc/self/fd/2\n"
				  "panic: action=fatal\n"
				  "error: action=ignore\n"
				  "info: action=ignore\n"
				  "debug: action=ignore\n";

/* Bochs requires a VGA BIOS. The firmware is a valid image, which nothing executes. */
static const char built_lines[] = "display_library: nogui\n"
				  "vgaromimage: file=/proc/self/fd/8\n";

/* Of the displays in distributions, `term` neither listens on a port nor needs a window.
 * The default VGA BIOS is that of the package vgabios. */
static const char plain_lines[] = "display_library: term\n";

/* A panic's text; after it Bochs prints a banner and, from its debugger, an instruction.
 */
static const char *const error_marks[] = { ">>PANIC<< ", NULL };

static const char *const fixed_args[] = {
	"-q", "-f", "/proc/self/fd/9", "-rc", "/proc/self/fd/10",
};

_Static_assert(LAB_FD_WIRE == 4 && LAB_FD_CONSOLE == 5 && LAB_FD_MEMORY == 7 &&
		       LAB_FD_FIRMWARE == 8 && LAB_FD_CONFIG == 9 &&
		       LAB_FD_COMMANDS == 10 && PRELOAD_BASE == 0x200000,
	       "they are spelled out above");

#define FIXED_ARGS (sizeof(fixed_args) / sizeof(fixed_args[0]))

/* Only a Bochs with a debugger knows the option -rc. */
#define DEBUGGER_ARGS 2

static char **arguments(const struct lab_machine *m, const char *program)
{
	const size_t n_args = FIXED_ARGS - (m->emulator->built ? DEBUGGER_ARGS : 0);
	char **argv = malloc((FIXED_ARGS + 2) * sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = (char *)program;
	for (size_t i = 0; i < n_args; i++)
		argv[n++] = (char *)fixed_args[i];
	argv[n] = NULL;
	return argv;
}

/* The configuration, as an unnamed file. */
static int config_open(const struct lab_machine *m)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	int fd;

	if (!f)
		return -ENOMEM;
	fputs(fixed_lines, f);
	fputs(m->emulator->built ? built_lines : plain_lines, f);
	for (size_t i = 0; m->flags[i]; i++)
		fprintf(f, "%s\n", m->flags[i]);
	fd = fclose(f) ? -ENOMEM : lab_memory_file("worldswitch-bochsrc", text, bytes);
	free(text);
	return fd;
}

/* The firmware, as an unnamed file. */
static int firmware_open(const struct lab_machine *m)
{
	uint8_t firmware[PRELOAD_ROM_BYTES];

	memcpy(firmware, lab_bochs_rom, sizeof(firmware));
	if (m->cpus > 1)
		lab_preload_cpus(firmware, m->cpus);
	return lab_memory_file("worldswitch-rom", firmware, sizeof(firmware));
}

/* The kernel with its initramfs, as an unnamed file. */
static int memory_open(const struct lab_machine *m, const struct lab_boot *boot,
		       struct error *err)
{
	char line[4096];
	struct lab_preload what = {
		.command_line = line,
		.memory_bytes = (uint32_t)atoi(lab_machine_memory_mib(m)) << 20,
		.unpack = true,
	};
	uint8_t *kernel;
	void *initramfs;
	struct stat st;
	int ret;

	if (snprintf(line, sizeof(line), "%s%s%s", m->append,
		     lab_append_begin(m, boot->append),
		     boot->append ? boot->append : "") >= (int)sizeof(line))
		return error_set(err, -EINVAL, "the kernel's command line is too long");
	lab_keep_initcalls(line);
	ret = lab_file_read(boot->kernel, "kernel", &kernel, &what.kernel_bytes, err);
	if (ret)
		return ret;
	what.kernel = kernel;
	initramfs = fstat(boot->initramfs, &st) ? MAP_FAILED
						: mmap(NULL, st.st_size, PROT_READ,
						       MAP_PRIVATE, boot->initramfs, 0);
	if (initramfs == MAP_FAILED) {
		ret = error_set(err, -errno, "cannot read the lab's initramfs: %s",
				strerror(errno));
	} else {
		what.initramfs = initramfs;
		what.initramfs_bytes = st.st_size;
		ret = lab_preload(&what, err);
		munmap(initramfs, st.st_size);
	}
	free(kernel);
	return ret;
}

static int bochs_command(const struct lab_machine *m, const struct lab_boot *boot,
			 struct lab_command *cmd, struct error *err)
{
	int *fds = cmd->fds, ret;
	char library[PATH_MAX];

	lab_command_init(cmd);
	ret = lab_find_clone_library(library, err);
	if (ret)
		return ret;
	fds[LAB_FD_LIBRARY] = open(library, O_RDONLY | O_CLOEXEC);
	if (fds[LAB_FD_LIBRARY] < 0)
		return error_set(err, -errno, "cannot read %s: %m", library);
	cmd->confine = boot->confine;
	cmd->answer_s = LAB_SILENCE_S;
	cmd->deadline_s = boot->deadline_s;
	for (size_t i = 0; i < VARIABLES; i++)
		cmd->environment[i] = environment[i];
	cmd->fixed_addresses = m->emulator->can_save;
	/* The memory of a machine that continues is in the snapshot. */
	fds[LAB_FD_MEMORY] = boot->clone ? lab_memory_file("worldswitch-memory", "", 0)
					 : memory_open(m, boot, err);
	if (fds[LAB_FD_MEMORY] < 0)
		return fds[LAB_FD_MEMORY];
	if (boot->clone)
		fds[LAB_FD_SNAPSHOT] = fcntl(boot->snapshot, F_DUPFD_CLOEXEC, 0);
	cmd->argv = arguments(m, boot->program);
	fds[LAB_FD_FIRMWARE] = firmware_open(m);
	fds[LAB_FD_CONFIG] = config_open(m);
	fds[LAB_FD_COMMANDS] =
		lab_memory_file("worldswitch-commands", commands, sizeof(commands) - 1);
	for (int i = LAB_FD_FIRMWARE; i <= LAB_FD_COMMANDS; i++)
		if (fds[i] < 0)
			ret = fds[i];
	if (!cmd->argv)
		ret = -ENOMEM;
	return ret ? error_set(err, ret, "cannot start %s: %s", m->program,
			       strerror(-ret))
		   : 0;
}

/* The fork server reports when the machine is ready. */
static int bochs_begin(struct lab_child *child)
{
	(void)child;
	return 0;
}

static int bochs_is_ready(const struct lab_child *child)
{
	int32_t value;
	int ret = lab_clone_reply(child, &value);

	return ret ? ret : value < 0 ? value : 1;
}

/* The machine runs without a snapshot, too: where addresses are random, there is none. */
static int bochs_freeze(struct lab_base *base)
{
	const struct clone_request request = { .op = CLONE_SAVE };
	int fds[CLONE_FDS] = { -1, -1, -1, -1, -1, base->snapshot };
	int32_t ret = 0;

	if (base->snapshot >= 0 &&
	    (lab_clone_request(base, &request, fds, LAB_SILENCE_S, &ret) || ret)) {
		close(base->snapshot);
		base->snapshot = -1;
	}
	return 0;
}

static int bochs_clone(struct lab_base *base, const struct lab_boot *boot,
		       struct lab_shared *wire, const uint8_t job[JOB_BYTES],
		       struct lab_child *child, struct error *err)
{
	struct clone_request request = { .op = CLONE_FORK };
	int fds[CLONE_FDS] = { wire->fd, -1, -1, boot->trace_fd, -1, -1 };

	memcpy(request.job, job, JOB_BYTES);
	return lab_clone_fork(base, &request, fds,
			      boot->silence_s ? boot->silence_s : LAB_SILENCE_S, child,
			      err);
}

#define BOCHS                                                                            \
	.error_marks = error_marks, .wire = LAB_SHARED_PORT,                             \
	.control_type = SOCK_SEQPACKET, .command = bochs_command, .begin = bochs_begin,  \
	.is_ready = bochs_is_ready, .freeze = bochs_freeze, .clone = bochs_clone

const struct lab_emulator lab_bochs = {
	.built = "bochs-" BOCHS_KEY,
	.version = BOCHS_IDENTITY,
	.tracer = LAB_TRACER_BUILT_IN,
	.can_save = true,
	.stays = true,
	BOCHS,
};

const struct lab_emulator lab_bochs_smp = {
	.built = "bochs-smp-" BOCHS_SMP_KEY,
	.version = BOCHS_SMP_IDENTITY,
	.tracer = LAB_TRACER_BUILT_IN,
	.can_save = true,
	.stays = true,
	BOCHS,
};

const struct lab_emulator lab_bochs_plain = {
	.version_option = "--help",
	BOCHS,
};

static int find(const struct bare_machine *m, char path[PATH_MAX], struct error *err)
{
	char script[PATH_MAX];

	if (lab_find_emulator(lab_bochs.built, path))
		return lab_emulator_verify(path, false, err);
	process_own_script("emulator.sh", script);
	return error_set(err, -ENOENT, "%s is not built (%s build %s)", m->emulator,
			 script, m->emulator);
}

static void version(const struct bare_machine *m, char *text, size_t bytes)
{
	(void)m;
	snprintf(text, bytes, "bochs %s", lab_bochs.version);
}

static int load_segment(uint8_t *ram, const uint8_t *image, size_t bytes,
			const Elf64_Phdr *segment, struct error *err)
{
	if (segment->p_paddr > ABI_RAM_BYTES ||
	    segment->p_memsz > ABI_RAM_BYTES - segment->p_paddr)
		return error_set(err, -ENOEXEC,
				 "the payload's segment at 0x%llx is not in guest memory",
				 (unsigned long long)segment->p_paddr);
	if (segment->p_filesz > segment->p_memsz || segment->p_offset > bytes ||
	    segment->p_filesz > bytes - segment->p_offset)
		return error_set(err, -ENOEXEC, "the payload's image is truncated");
	memcpy(ram + segment->p_paddr, image + segment->p_offset, segment->p_filesz);
	return 0;
}

/* The payload, and its entry for the firmware. */
static int load(uint8_t *ram, const void *image, size_t bytes, struct error *err)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int rc = 0;

	if (bytes < sizeof(header))
		return error_set(err, -ENOEXEC,
				 "the payload is not an ELF image: too short");
	memcpy(&header, image, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_machine != EM_X86_64)
		return error_set(err, -ENOEXEC,
				 "the payload is not an ELF image for x86_64");
	if (header.e_phentsize != sizeof(segment) || header.e_phoff > bytes ||
	    header.e_phnum > (bytes - header.e_phoff) / sizeof(segment))
		return error_set(err, -ENOEXEC,
				 "the payload's program headers are truncated");
	for (size_t i = 0; !rc && i < header.e_phnum; i++) {
		memcpy(&segment,
		       (const uint8_t *)image + header.e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type == PT_LOAD)
			rc = load_segment(ram, image, bytes, &segment, err);
	}
	lab_put_le32(ram + PRELOAD_PAYLOAD_AT, PRELOAD_PAYLOAD);
	lab_put_le32(ram + PRELOAD_PAYLOAD_AT + 4, header.e_entry);
	return rc;
}

/*
 * CPU, clock and firmware as in the lab; but an MSR that the CPU lacks raises #GP, as the
 * payloads' tests expect.
 */
static int open_config(const struct bare_machine *m, struct error *err)
{
	char text[1024];
	const int n = snprintf(
		text, sizeof(text),
		"cpu: model=%s, ips=1000000000, reset_on_triple_fault=0, ignore_bad_msrs=0\n"
		"memory: guest=%llu, host=%llu\n"
		"clock: sync=none, time0=1577836800\n"
		"pci: enabled=0\n"
		"display_library: nogui\n"
		"romimage: file=/proc/self/fd/%d\n"
		"vgaromimage: file=/proc/self/fd/%d\n"
		"log: /proc/self/fd/2\n"
		"panic: action=fatal\n"
		"error: action=ignore\n"
		"info: action=ignore\n"
		"debug: action=ignore\n",
		m->model, ABI_RAM_BYTES >> 20, ABI_RAM_BYTES >> 20, BARE_FD_FILES,
		BARE_FD_FILES);

	return bare_file("worldswitch-bochsrc", text, n, err);
}

static int command(const struct bare_machine *m, uint8_t *ram,
		   const struct boot_request *rq, struct bare_command *cmd,
		   struct error *err)
{
	int rc = load(ram, rq->image, rq->image_bytes, err);

	if (!rc)
		rc = find(m, cmd->program, err);
	if (rc)
		return rc;
	cmd->fds[0] = bare_file("worldswitch-rom", lab_bochs_rom,
				lab_bochs_rom_end - lab_bochs_rom, err);
	if (cmd->fds[0] < 0)
		return cmd->fds[0];
	cmd->fds[1] = open_config(m, err);
	if (cmd->fds[1] < 0)
		return cmd->fds[1];
	snprintf(cmd->text[0], sizeof(cmd->text[0]), "/proc/self/fd/%d",
		 BARE_FD_FILES + 1);
	snprintf(cmd->text[1], sizeof(cmd->text[1]), "WORLDSWITCH_RAM_FD=%d",
		 BARE_FD_RAM);
	cmd->argv[0] = cmd->program;
	cmd->argv[1] = "-q";
	cmd->argv[2] = "-f";
	cmd->argv[3] = cmd->text[0];
	cmd->environment[0] = "TZ=UTC0";
	cmd->environment[1] = cmd->text[1];
	return 0;
}

#define BARE_BOCHS                                                                       \
	.emulator = "bochs", .clock = "TSC", .find = find, .version = version,           \
	.command = command

const struct bare_machine bare_bochs = { .model = BOCHS_CPU, BARE_BOCHS };
const struct bare_machine bare_bochs_svm = { .model = BOCHS_CPU_AMD, BARE_BOCHS };
