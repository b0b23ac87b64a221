/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets bare:x86_64-bochs and bare:x86_64-bochs-svm: the CPU and the PMU of
 * lab:x86_64-vmx and lab:x86_64-svm without Linux. Bochs has no loader: the payload is in
 * its memory when it starts, and the lab's firmware jumps to it.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/abi.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/bare.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/machine.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"

static int find(const struct bare_machine *m, char path[PATH_MAX], struct error *err)
{
	char script[PATH_MAX];

	if (lab_find_emulator(lab_bochs.built, path))
		return 0;
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
static int open_config(const struct bare_machine *m, int rom_fd, struct error *err)
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
		m->model, ABI_RAM_BYTES >> 20, ABI_RAM_BYTES >> 20, rom_fd, rom_fd);

	return bare_file("worldswitch-bochsrc", text, n, err);
}

static int command(const struct bare_machine *m, const struct bare_memory *memory,
		   const struct boot_request *rq, struct bare_command *cmd,
		   struct error *err)
{
	int rc = load(memory->ram, rq->image, rq->image_bytes, err);

	if (!rc)
		rc = find(m, cmd->program, err);
	if (rc)
		return rc;
	cmd->fds[0] = bare_file("worldswitch-rom", lab_bochs_rom,
				lab_bochs_rom_end - lab_bochs_rom, err);
	if (cmd->fds[0] < 0)
		return cmd->fds[0];
	cmd->fds[1] = open_config(m, cmd->fds[0], err);
	if (cmd->fds[1] < 0)
		return cmd->fds[1];
	snprintf(cmd->text[0], sizeof(cmd->text[0]), "/proc/self/fd/%d", cmd->fds[1]);
	snprintf(cmd->text[1], sizeof(cmd->text[1]), "WORLDSWITCH_RAM_FD=%d", memory->fd);
	cmd->argv[0] = cmd->program;
	cmd->argv[1] = "-q";
	cmd->argv[2] = "-f";
	cmd->argv[3] = cmd->text[0];
	cmd->environment[0] = "TZ=UTC0";
	cmd->environment[1] = cmd->text[1];
	return 0;
}

#define BOCHS                                                                            \
	.emulator = "bochs", .clock = "TSC", .find = find, .version = version,           \
	.command = command

const struct bare_machine bare_bochs = { .model = BOCHS_CPU, BOCHS };
const struct bare_machine bare_bochs_svm = { .model = BOCHS_CPU_AMD, BOCHS };
