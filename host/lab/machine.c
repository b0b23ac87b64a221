/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the labs' machines, and the emulator's argument vector. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lab/machine.h"
#include "host/lab/shared.h"

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

/*
 * Self-tests of the kernel's cryptography would take half of the boot's time.
 * A kernel that panics reboots at once, and -no-reboot makes that an end.
 */
#define COMMON_APPEND                                                                    \
	" quiet panic=-1 cryptomgr.notests=1 nokaslr norandmaps"                         \
	" randomize_kstack_offset=off random.trust_cpu=on"

/*
 * The memory behind lab/shared.h. It is a device on the PCI bus, of both machines.
 */
#define WIRE_FLAGS                                                                       \
	"-object",                                                                       \
		"memory-backend-file,id=wire,share=on,size=64M,mem-path=/proc/self/fd/"  \
		"4",                                                                     \
		"-device", "ivshmem-plain,memdev=wire"

_Static_assert(LAB_SHARED_BYTES == 64u << 20, "the size is spelled out above");

/*
 * pauth-impdef: pointer authentication as fast as the emulator can do it, instead of
 * as the architecture suggests it. The kernel's code is the same, instruction by
 * instruction; a boot takes a third of the time.
 */
#define AARCH64_FLAGS                                                                    \
	COMMON_FLAGS, WIRE_FLAGS, "-M",                                                  \
		"virt,virtualization=on,gic-version=3,dtb-randomness=off", "-cpu",       \
		"max,pauth-impdef=on,cntfrq=1000000000", "-m", "256", NULL

/*
 * noapictimer: the kernel would calibrate the APIC's timer by looking at the clock
 * for 100 ms, 100 million instructions; it takes the HPET instead.
 * no_timer_check: the same for the way the timer's interrupt takes.
 */
#define X86_64_APPEND "console=ttyS0 tsc=reliable noapictimer no_timer_check edd=off"

/* Without the buses that nothing hangs from: half a second of firmware and probing. */
#define X86_64_FLAGS                                                                     \
	COMMON_FLAGS, WIRE_FLAGS, "-M", "q35,sata=off,smbus=off,vmport=off", "-cpu",     \
		"max,+svm,+npt", "-m", "256", NULL

static const char *const aarch64_flags[] = { AARCH64_FLAGS };
static const char *const x86_64_flags[] = { X86_64_FLAGS };

#define AARCH64_LAB(mode, mode_append)                                                   \
	{                                                                                \
		.name = "aarch64-" mode, .arch = ARCH_AARCH64,                           \
		.emulator = "qemu-system-aarch64", .flags = aarch64_flags,               \
		.append = "console=ttyAMA0" COMMON_APPEND mode_append,                   \
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
		.append = X86_64_APPEND COMMON_APPEND,
		.module = "kvm-amd",
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
 * The console ends in a descriptor that the emulator inherits, as the initramfs and
 * the wire begin in one: no files, no ports, nothing that two runs could share.
 * (append: without it the emulator truncates, which a pipe refuses.)
 */
static const char *const fixed_args[] = {
	"-add-fd",  "fd=5,set=1",
	"-chardev", "file,id=console,path=/dev/fdset/1,append=on",
	"-serial",  "chardev:console",
	"-initrd",  "/proc/self/fd/3",
};

_Static_assert(LAB_FD_INITRD == 3 && LAB_FD_WIRE == 4 && LAB_FD_CONSOLE == 5 &&
		       LAB_FD_PLUGIN == 6,
	       "the descriptors are spelled out here");

#define FIXED_ARGS (sizeof(fixed_args) / sizeof(fixed_args[0]))

char **lab_machine_argv(const struct lab_machine *m, const char *emulator,
			const char *kernel, const char *append, const char *plugin)
{
	size_t flags = 0, n = 0, text_bytes, plugin_bytes;
	char **argv, *text;

	while (m->flags[flags])
		flags++;
	text_bytes = strlen(m->append) + (append ? strlen(append) : 0) + 2;
	plugin_bytes = plugin ? strlen(plugin) + sizeof(",fd=6") : 0;
	argv = malloc((flags + FIXED_ARGS + 8) * sizeof(*argv) + text_bytes +
		      plugin_bytes);
	if (!argv)
		return NULL;
	text = (char *)(argv + flags + FIXED_ARGS + 8);
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
	if (plugin) {
		argv[n++] = (char *)"-plugin";
		argv[n++] = text + text_bytes;
		snprintf(text + text_bytes, plugin_bytes, "%s,fd=6", plugin);
	}
	argv[n] = NULL;
	return argv;
}
