// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of the labs' machines, and the emulator's argument vector. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lab/machine.h"

/*
 * Determinism, on which every exact figure rests: one instruction is one
 * nanosecond of virtual time (-icount shift=0,sleep=off), one thread runs it all,
 * the clock and the random numbers start from fixed values, and the kernel puts
 * itself, its processes and their kernel stacks at fixed addresses. (The stacks' is
 * the one that measurements show: a random offset at every system call makes every
 * exit to user space differ by a few instructions, and one in 44 pay for new
 * randomness.)
 *
 * There is no device that the job does not need; each costs time to probe.
 */
#define COMMON_FLAGS                                                                     \
	"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc",           \
		"clock=vm,base=2020-01-01", "-seed", "1", "-nodefaults",                 \
		"-no-user-config", "-display", "none", "-monitor", "none", "-nic",       \
		"none", "-no-reboot"

#define COMMON_APPEND " quiet panic=-1 nokaslr norandmaps randomize_kstack_offset=off random.trust_cpu=on"

#define AARCH64_FLAGS                                                                    \
	COMMON_FLAGS, "-M", "virt,virtualization=on,gic-version=3,dtb-randomness=off",   \
		"-cpu", "max,cntfrq=1000000000", "-m", "512", "-device",                 \
		"pci-serial,chardev=wire", NULL

#define X86_64_FLAGS                                                                     \
	COMMON_FLAGS, "-M", "q35", "-cpu", "max,+svm,+npt", "-m", "512", "-serial",      \
		"chardev:wire", NULL

static const char *const aarch64_flags[] = { AARCH64_FLAGS };
static const char *const x86_64_flags[] = { X86_64_FLAGS };

#define AARCH64_LAB(mode, mode_append)                                                   \
	{                                                                                \
		.name = "aarch64-" mode, .arch = ARCH_AARCH64,                           \
		.emulator = "qemu-system-aarch64", .flags = aarch64_flags,               \
		.append = "console=ttyAMA0" COMMON_APPEND mode_append,                   \
		.wire_tty = "/dev/ttyS0",                                                \
	}

const struct lab_machine lab_machine_table[] = {
	AARCH64_LAB("vhe", ""),
	AARCH64_LAB("nvhe", " kvm-arm.mode=nvhe"),
	AARCH64_LAB("pkvm", " kvm-arm.mode=protected"),
	{
		.name = "x86_64-svm",
		.arch = ARCH_X86_64,
		.emulator = "qemu-system-x86_64",
		.flags = x86_64_flags,
		.append = "console=ttyS0 tsc=reliable" COMMON_APPEND,
		.module = "kvm-amd",
		.wire_tty = "/dev/ttyS1",
	},
	{ .name = NULL },
};

const struct lab_machine *lab_machine_find(const char *name)
{
	const struct lab_machine *m = lab_machine_table;

	while (m->name && strcmp(m->name, name))
		m++;
	return m->name ? m : NULL;
}

const char *lab_arch_name(enum arch arch)
{
	return arch == ARCH_X86_64 ? "x86_64" : "aarch64";
}

/*
 * The console is the first serial port and the wire the second device, so that
 * no kernel message can get onto the wire. Both end in descriptors that the
 * emulator inherits: no files, no ports, nothing that two runs could share.
 * (append: without it the emulator truncates, which a pipe refuses.)
 */
static const char *const fixed_args[] = {
	"-add-fd",  "fd=4,set=1",
	"-chardev", "file,id=wire,path=/dev/fdset/1,append=on",
	"-add-fd",  "fd=5,set=2",
	"-chardev", "file,id=console,path=/dev/fdset/2,append=on",
	"-serial",  "chardev:console",
	"-initrd",  "/proc/self/fd/3",
};

_Static_assert(LAB_FD_INITRD == 3 && LAB_FD_WIRE == 4 && LAB_FD_CONSOLE == 5,
	       "the descriptors are spelled out above");

#define FIXED_ARGS (sizeof(fixed_args) / sizeof(fixed_args[0]))

char **lab_machine_argv(const struct lab_machine *m, const char *emulator,
			const char *kernel, const char *append)
{
	size_t flags = 0, n = 0, text_bytes;
	char **argv, *text;

	while (m->flags[flags])
		flags++;
	text_bytes = strlen(m->append) + (append ? strlen(append) : 0) + 2;
	argv = malloc((flags + FIXED_ARGS + 6) * sizeof(*argv) + text_bytes);
	if (!argv)
		return NULL;
	text = (char *)(argv + flags + FIXED_ARGS + 6);
	snprintf(text, text_bytes, "%s%s%s", m->append, append ? " " : "",
		 append ? append : "");

	argv[n++] = (char *)emulator;
	for (size_t i = 0; i < FIXED_ARGS; i++)
		argv[n++] = (char *)fixed_args[i];
	for (size_t i = 0; i < flags; i++)
		argv[n++] = (char *)m->flags[i];
	argv[n++] = (char *)"-kernel";
	argv[n++] = (char *)kernel;
	argv[n++] = (char *)"-append";
	argv[n++] = text;
	argv[n] = NULL;
	return argv;
}
