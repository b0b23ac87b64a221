/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets `bare:*`: the payload alone on an emulator, which counts its instructions.
 * There is no hypervisor and there are no exits: the baseline of the code itself.
 *
 * Guest RAM is a memfd that the emulator maps, too. Parameters and samples pass through
 * it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/bare.h"
#include "host/targets/boot.h"
#include "host/lib/process.h"
#include "host/targets/rows.h"

#define BOOT_TIMEOUT_NS 30000000000ull

/* Guest memory: zero but for the page of bench/abi.h. */
struct memory {
	int fd;
	uint8_t *ram; /* ABI_RAM_BYTES */
};

struct state {
	const struct bare_machine *machine;
	struct memory memory;
	struct timing *timing; /* NULL: not wanted */
	char version[128];
	char program[PATH_MAX];
	struct confine confine;
	bool sandbox; /* QEMU can confine itself */
};

/* What precedes the reason in an error message of Bochs. */
#define BOCHS_ERROR ">>PANIC<< "

/* Arguments of both machines; lab/machine.c explains each. */
#define COMMON_ARGS                                                                      \
	"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc",           \
		"clock=vm,base=2020-01-01", "-seed", "1", "-m", "16", "-display",        \
		"none", "-nodefaults", "-no-user-config", "-no-reboot"

static int qemu_find(const struct bare_machine *m, char path[PATH_MAX], struct error *err)
{
	if (process_find(m->emulator, path))
		return error_set(err, -ENOENT, "%s is not installed", m->emulator);
	if (!process_is_whole(path))
		return error_set(err, -EBADMSG, PROCESS_TRUNCATED, path);
	return 0;
}

static void qemu_version(const struct bare_machine *m, char *text, size_t bytes)
{
	process_version(m->emulator, "--version", text, bytes);
}

#define SANDBOX_TIMEOUT_NS 10000000000ull

bool bare_qemu_has_sandbox(const char *path)
{
	const char *const argv[] = { path, BARE_QEMU_SANDBOX, "-version", NULL };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *image, *text;
	bool found;

	if (fd < 0)
		return false;
	image = fstat(fd, &st) || st.st_size < SELFMAG
			? MAP_FAILED
			: mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image == MAP_FAILED)
		return false;
	/* A start of QEMU takes longer than to look for the library's name. */
	found = !memcmp(image, ELFMAG, SELFMAG) &&
		memmem(image, (size_t)st.st_size, "libseccomp.so", 13);
	munmap(image, (size_t)st.st_size);
	if (found)
		return true;
	/* A script that starts QEMU, or a static QEMU. A QEMU without seccomp fails. */
	text = process_output(argv, 4096, SANDBOX_TIMEOUT_NS);
	free(text);
	return text != NULL;
}

int bare_file(const char *name, const void *data, size_t bytes, struct error *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	if (write(fd, data, bytes) != (ssize_t)bytes) {
		int rc = error_set(err, -EIO, "cannot write %s: %m", name);

		close(fd);
		return rc;
	}
	return fd;
}

static int qemu_command(const struct bare_machine *m, uint8_t *ram,
			const struct boot_request *rq, struct bare_command *cmd,
			struct error *err)
{
	const char *const *args = m->args;
	size_t n = 0;

	(void)ram;
	if (rq->bench->needs & NEEDS_NESTED && m->nested_args)
		args = m->nested_args;
	cmd->fds[0] = bare_file("worldswitch-payload", rq->image, rq->image_bytes, err);
	if (cmd->fds[0] < 0)
		return cmd->fds[0];
	snprintf(
		cmd->text[0], sizeof(cmd->text[0]),
		"memory-backend-file,id=ram,size=%llu,mem-path=/proc/self/fd/%d,share=on",
		ABI_RAM_BYTES, BARE_FD_RAM);
	snprintf(cmd->text[1], sizeof(cmd->text[1]), "/proc/self/fd/%d", BARE_FD_FILES);
	cmd->argv[n++] = m->emulator;
	for (size_t i = 0; args[i]; i++)
		cmd->argv[n++] = args[i];
	cmd->argv[n++] = "-object";
	cmd->argv[n++] = cmd->text[0];
	cmd->argv[n++] = "-kernel";
	cmd->argv[n++] = cmd->text[1];
	return 0;
}

#define QEMU .find = qemu_find, .version = qemu_version, .command = qemu_command

/* On arm64, a machine with `options` "virtualization=on," starts at EL2. */
#define AARCH64_ARGS(options)                                                            \
	(const char *const[])                                                            \
	{                                                                                \
		"-M",                                                                    \
			"virt," options                                                  \
			"gic-version=3,dtb-randomness=off,memory-backend=ram",           \
			"-cpu", "max,cntfrq=1000000000", COMMON_ARGS, NULL               \
	}

/* QEMU's machine of each guest architecture. */
static const struct bare_machine machines[ARCHS] = {
	[ARCH_X86_64] = {
		.emulator = "qemu-system-x86_64",
		.args = (const char *const[]){ "-M", "microvm,memory-backend=ram", "-cpu",
					       "max", COMMON_ARGS, "-device",
					       "isa-debug-exit,iobase=0xf4", NULL },
		.clock = "TSC",
		QEMU,
	},
	[ARCH_AARCH64] = {
		.emulator = "qemu-system-aarch64",
		.args = AARCH64_ARGS(""),
		.nested_args = AARCH64_ARGS("virtualization=on,"),
		.clock = "CNTVCT_EL0",
		QEMU,
	},
};

static const struct bare_machine *machine_of(const struct target *t)
{
	return t->config ? t->config : &machines[t->arch];
}

static int bare_probe(const struct target *t, const struct job *job, struct error *err)
{
	const struct bare_machine *m = machine_of(t);
	char path[PATH_MAX];
	size_t bytes;

	(void)job;
	if (!payload_find(t->arch, "null", &bytes))
		return error_set(
			err, -ENOENT,
			"this wsbench has no payloads for %s (make native builds for one architecture)",
			t->arch == ARCH_X86_64 ? "x86_64" : "aarch64");
	return m->find(m, path, err);
}

static int bare_open(struct target *t, const struct job *job, struct error *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	(void)job;
	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	t->state = s;
	s->machine = machine_of(t);
	s->timing = t->timing;
	s->memory.fd = memfd_create("worldswitch-ram", MFD_CLOEXEC);
	if (s->memory.fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	if (ftruncate(s->memory.fd, ABI_RAM_BYTES))
		return error_set(err, -errno, "cannot size guest memory: %m");
	s->memory.ram = mmap(NULL, ABI_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			     s->memory.fd, 0);
	if (s->memory.ram == MAP_FAILED) {
		s->memory.ram = NULL;
		return error_set(err, -errno, "cannot map guest memory: %m");
	}
	rc = s->machine->find(s->machine, s->program, err);
	if (rc)
		return rc;
	s->machine->version(s->machine, s->version, sizeof(s->version));
	s->sandbox = s->machine->args && !confine_is_off() &&
		     bare_qemu_has_sandbox(s->program);
	if (confine_emulator(&s->confine, s->program, !s->machine->args, NULL))
		return error_set(err, -ENOMEM, "cannot confine %s: out of memory",
				 s->program);
	(void)confine_try(&s->confine, NULL, 0, &t->confined);
	return 0;
}

static void bare_close(struct target *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	if (s->memory.ram)
		munmap(s->memory.ram, ABI_RAM_BYTES);
	confine_free(&s->confine);
	if (s->memory.fd >= 0)
		close(s->memory.fd);
	free(s);
	t->state = NULL;
}

static int bare_describe(struct target *t, struct result **out, struct error *err)
{
	struct result *r = *out;
	const struct state *s = t->state;

	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.emulator = result_string(r, s->version);
	r->target.exact = t->exact;
	r->machine.pinned = -1;
	r->clock.name = s->machine->clock;
	r->clock.hz = 1000000000; /* one instruction, one nanosecond */
	r->clock.unit = "insns";
	if (s->machine->args && !s->sandbox && !confine_is_off())
		result_warn(r, "confinement", BARE_QEMU_NO_SANDBOX, s->program);
	(void)err;
	return 0;
}

/* If the guest did not start, the emulator's message is the reason. */
static void blame_emulator(int log_fd, struct boot_report *rep)
{
	char text[1024], *line = text, *mark;
	ssize_t got = pread(log_fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	mark = strstr(text, BOCHS_ERROR);
	if (mark)
		line = mark + strlen(BOCHS_ERROR);
	line[strcspn(line, "\n")] = '\0';
	if (!rep->guest.magic && *line)
		boot_end(rep, BOOT_CRASH, "the emulator failed: %s", line);
}

/* Runs the emulator until it ends or is killed, and fills in `rep`. */
static int run_to_end(const struct bare_command *cmd, const struct state *s,
		      const struct boot_request *rq, struct boot_report *rep,
		      struct error *err)
{
	uint64_t timeout = rq->timeout_ns ? rq->timeout_ns : BOOT_TIMEOUT_NS;
	int log_fd = memfd_create("worldswitch-emulator", MFD_CLOEXEC);
	struct timing_mark mark = timing_mark();
	struct process child;
	int rc, status = 0;

	if (log_fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	rc = process_start(&child,
			   &(struct process_start){
				   .argv = cmd->argv,
				   .environment = cmd->environment,
				   .fds = (int[]){ -1, log_fd, log_fd, s->memory.fd,
						   cmd->fds[0], cmd->fds[1] },
				   .n_fds = BARE_FD_FILES + 2,
				   .confine = &s->confine,
			   });
	if (rc) {
		close(log_fd);
		return error_set(err, rc, "cannot start %s: %s", cmd->argv[0],
				 strerror(-rc));
	}
	rc = process_wait(&child, timeout, &status);
	process_stop(&child);
	timing_add(s->timing, TIMING_ROWS, &mark, child.cpu_ns);
	if (rc == -ETIMEDOUT) {
		boot_end(rep, BOOT_CRASH, "the guest hung: no end after %.1f s",
			 (double)timeout / 1e9);
		rc = 0;
	} else if (rc == -EINTR) {
		error_set(err, rc, "interrupted");
	} else if (rc) {
		error_set(err, rc, "lost %s: %s", cmd->argv[0], strerror(-rc));
	} else if (WIFSIGNALED(status)) {
		boot_end(rep, BOOT_CRASH, "%s was killed by signal %d", cmd->argv[0],
			 WTERMSIG(status));
	} else {
		boot_harvest(s->memory.ram, rq, rep);
		blame_emulator(log_fd, rep);
	}
	close(log_fd);
	return rc;
}

/* The emulator on the prepared memory. */
static int run_emulator(const struct state *s, const struct boot_request *rq,
			struct boot_report *rep, struct error *err)
{
	static const char *const sandbox[] = { BARE_QEMU_SANDBOX };
	struct bare_command cmd = { .fds = { -1, -1 } };
	int rc = s->machine->command(s->machine, s->memory.ram, rq, &cmd, err);
	size_t n = 0;

	while (cmd.argv[n])
		n++;
	for (size_t i = 0; s->sandbox && i < sizeof(sandbox) / sizeof(sandbox[0]); i++)
		cmd.argv[n++] = sandbox[i];
	if (!rc)
		rc = run_to_end(&cmd, s, rq, rep, err);
	for (size_t i = 0; i < sizeof(cmd.fds) / sizeof(cmd.fds[0]); i++)
		if (cmd.fds[i] >= 0)
			close(cmd.fds[i]);
	return rc;
}

static int bare_boot(struct target *t, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err)
{
	struct state *s = t->state;
	struct abi_params params = rq->params;

	boot_report_init(rep);
	if (rq->bench->needs & NEEDS_HYPERVISOR) {
		boot_end(rep, BOOT_SKIP, "needs a hypervisor: target bare has none");
		return 0;
	}
	if (strcmp(rq->config->name, "default")) {
		boot_end(rep, BOOT_SKIP, "needs a VM to configure: target bare has none");
		return 0;
	}
	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_PMU;
	/* Frees the pages of the previous boot: the memory reads as zero. */
	if (madvise(s->memory.ram, ABI_RAM_BYTES, MADV_REMOVE))
		return error_set(err, -errno, "cannot clear guest memory: %m");
	memcpy(s->memory.ram + ABI_PAGE_OFFSET, &params, sizeof(params));
	return run_emulator(s, rq, rep, err);
}

const struct target_ops target_bare_ops = {
	.kind = "bare",
	.probe = bare_probe,
	.open = bare_open,
	.describe = bare_describe,
	.boot = bare_boot,
	.close = bare_close,
};
