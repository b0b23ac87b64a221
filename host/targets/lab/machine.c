/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the labs' machines, and the emulator's argument vector. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/emulator.h"

/*
 * Determinism, on which every exact figure rests: one instruction is one
 * nanosecond of virtual time (-icount shift=0,sleep=off), one thread runs it all,
 * the clock and the random numbers start from fixed values, and the kernel puts
 * itself, its processes and their kernel stacks at fixed addresses. (The stacks' is
 * the one that measurements show: a random offset at every system call makes every
 * exit to user space differ by a few instructions, and one in 44 pay for new
 * randomness.)
 *
 * The machine has only the devices that a job needs: each costs time to probe.
 */
#define COMMON_FLAGS                                                                     \
	"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc",           \
		"clock=vm,base=2020-01-01", "-seed", "1", "-nodefaults",                 \
		"-no-user-config", "-display", "none", "-monitor", "none", "-nic",       \
		"none", "-no-reboot"

/*
 * Self-tests of the kernel's cryptography would take half of the boot's time.
 * A kernel that panics reboots at once, and -no-reboot makes that an end.
 *
 * The initcalls prepare what nothing in the machine uses, with half of the instructions
 * of a kernel between its clock and /init: trace_eval_init names every function for
 * ftrace; tracer_init_tracefs makes a folder for each trace event; the others register
 * kernel functions for BPF programs, and the first of them parses the kernel's BTF.
 */
#define UNUSED_INITCALLS                                                                 \
	"trace_eval_init,tracer_init_tracefs,cubictcp_register,bpf_rstat_kfunc_init,"    \
	"bpf_key_sig_kfuncs_init,kfunc_init,bpf_tcp_ca_kfunc_init,"                      \
	"bpf_prog_test_run_init"
#define FIXED_APPEND                                                                     \
	" quiet panic=-1 cryptomgr.notests=1 nokaslr norandmaps"                         \
	" randomize_kstack_offset=off random.trust_cpu=on initcall_blacklist="

#define COMMON_APPEND FIXED_APPEND UNUSED_INITCALLS

/*
 * The memory behind lab/wire.h, a device on the PCI bus of both machines, and a device
 * by which the machine stops itself. master: else QEMU refuses to save the machine.
 */
#define WIRE_FLAGS(memory_mib)                                                           \
	"-object",                                                                       \
		"memory-backend-file,id=wire,share=on,size=64M,mem-path=/proc/self/fd/"  \
		"4",                                                                     \
		"-device", "ivshmem-plain,memdev=wire,master=on", "-device",             \
		"pvpanic-pci", "-action", "panic=pause", "-m", memory_mib

/* The object of memory_args in qemu.c. */
#define QEMU_MEMORY "memory-backend=ram"

_Static_assert(LAB_SHARED_BYTES == 64u << 20, "the size is spelled out above");

/*
 * pauth-impdef: pointer authentication as fast as the emulator can do it, instead of
 * as the architecture suggests it. The kernel's code is the same, instruction by
 * instruction; a boot takes a third of the time.
 */
#define AARCH64_FLAGS_OF(cpu, memory_mib)                                                \
	COMMON_FLAGS, WIRE_FLAGS(memory_mib), "-M",                                      \
		"virt,virtualization=on,gic-version=3,dtb-randomness=off," QEMU_MEMORY,  \
		"-cpu", cpu, NULL
#define AARCH64_CPU   "max,pauth-impdef=on,cntfrq=1000000000"
#define AARCH64_FLAGS AARCH64_FLAGS_OF(AARCH64_CPU, LAB_MEMORY_MIB)

/*
 * noapictimer: the kernel would calibrate the APIC's timer by looking at the clock
 * for 100 ms, 100 million instructions; it takes the HPET instead.
 * no_timer_check: the same for the way the timer's interrupt takes.
 */
#define X86_64_APPEND "console=ttyS0 tsc=reliable noapictimer no_timer_check edd=off"

/*
 * The CPU "max" of QEMU 7.2, feature by feature: "max" grows with every release, and
 * KVM's paths depend on the features. Newer releases lack pcommit, which KVM does not
 * use, and warn of it.
 */
#define X86_64_CPU                                                                               \
	"qemu64,model-id=QEMU TCG CPU version 2.5+,"                                             \
	"+3dnow,+3dnowext,+abm,+acpi,+adx,+aes,+arat,+avx,+avx2,+bmi1,+bmi2,"                    \
	"+clflushopt,+clwb,+cr8legacy,+erms,+f16c,+fma,+fsgsbase,+la57,+mmxext,"                 \
	"+monitor,+movbe,+mpx,+npt,+pclmulqdq,+pcommit,+pdpe1gb,+pks,+pku,+pmu,+popcnt,+rdrand," \
	"+rdtscp,+smap,+smep,+ss,+sse4-1,+sse4-2,+sse4a,+ssse3,+svme-addr-chk,+umip,"            \
	"+vaes,+vgif,+xgetbv1,+xsave,+xsaveopt"

/* Without the buses that nothing hangs from: half a second of firmware and probing. */
#define X86_64_FLAGS                                                                     \
	COMMON_FLAGS, WIRE_FLAGS(LAB_MEMORY_MIB), "-M",                                  \
		"q35,sata=off,smbus=off,vmport=off," QEMU_MEMORY, "-cpu", X86_64_CPU,    \
		NULL

static const char *const aarch64_flags[] = { AARCH64_FLAGS };
static const char *const aarch64_l1_flags[] = { AARCH64_FLAGS_OF(AARCH64_CPU,
								 L0_AARCH64_MEMORY_MIB) };

/* A model of silicon, whose features do not grow with QEMU's version as those of "max".
 */
static const char *const aarch64_n1_flags[] = { AARCH64_FLAGS_OF(
	"neoverse-n1,cntfrq=1000000000", LAB_MEMORY_MIB) };

/*
 * Two CPUs on the emulator's one thread take turns. A turn ends when a CPU waits (WFI,
 * WFE, YIELD); another 100 ms of virtual time, which nothing that is timed takes. So a
 * figure is what both execute, one after the other, and repeats to the instruction.
 */
static const char *const aarch64_smp_flags[] = { "-smp", "2", AARCH64_FLAGS };
static const char *const x86_64_flags[] = { X86_64_FLAGS };

/*
 * Bochs executes one instruction per step of the TSC; ips says how many of them are a
 * second, for all its clocks. A billion, as in the other labs.
 */
#define BOCHS_LINES(model) BOCHS_LINES_OF(model, LAB_MEMORY_MIB)
#define BOCHS_LINES_OF(model, memory)                                                    \
	"cpu: model=" model ", ips=1000000000, reset_on_triple_fault=0, "                \
	"ignore_bad_msrs=1",                                                             \
		"memory: guest=" memory ", host=" memory,                                \
		"clock: sync=none, time0=1577836800", /* 2020-01-01 */                   \
		"pci: enabled=0", NULL

static const char *const bochs_lines[] = { BOCHS_LINES(BOCHS_CPU) };
static const char *const bochs_amd_lines[] = { BOCHS_LINES(BOCHS_CPU_AMD) };
static const char *const bochs_l1_lines[] = { BOCHS_LINES_OF(BOCHS_CPU, L0_MEMORY_MIB) };
static const char *const bochs_amd_l1_lines[] = { BOCHS_LINES_OF(BOCHS_CPU_AMD,
								 L0_MEMORY_MIB) };

/* Two cores of one thread. */
#define BOCHS_SMP "cpu: count=1:2:1"
static const char *const bochs_smp_lines[] = { BOCHS_SMP, BOCHS_LINES(BOCHS_CPU) };
static const char *const bochs_amd_smp_lines[] = { BOCHS_SMP,
						   BOCHS_LINES(BOCHS_CPU_AMD) };

/* In CPUID leaf 7 it has a second subleaf, which KVM searches, too: not in other labs. */
static const char *const bochs_msr_imm_lines[] = { "cpu: add_features=msr_imm",
						   BOCHS_LINES(BOCHS_CPU) };

/* Three fixed counters, as many as KVM offers: RDPMC can pass through. */
static const char *const bochs_skylake_lines[] = { BOCHS_LINES("corei7_skylake_x") };

/* The same model in a Bochs without the PMU. */
static const char *const bochs_plain_lines[] = { BOCHS_LINES("corei7_skylake_x") };

/*
 * pci: there is none. (There is no ACPI either, which kernels find out by themselves;
 * those without code for MP tables take acpi=off for "no local APIC".) tsc_early_khz:
 * CPUID tells what the real CPU has.
 */
#define BOCHS_APPEND                                                                     \
	"console=ttyS0,115200 tsc=reliable tsc_early_khz=1000000 no_timer_check"         \
	" pci=off"

/* Also what names every function for ftrace once more, for which Bochs takes long. */
#define BOCHS_FIXED_APPEND                                                               \
	FIXED_APPEND "ftrace_check_for_weak_functions," UNUSED_INITCALLS

/*
 * For Bochs without the project's patches. clearcpuid: 158 and 306 are RDRAND and RDSEED,
 * the only thing in this machine that two runs do not have in common (the kernel's hash
 * tables and free lists follow from it, and some exits take an instruction more); 321
 * and 323 are XSAVEC and XSAVES, of which the emulated CPU reports sizes that do not
 * fit together: the kernel would do without XSAVE. A clearcpuid of the user
 * replaces this one.
 */
#define BOCHS_PLAIN_APPEND " clearcpuid=158,306,321,323"

/*
 * After the words that all labs have. vmentry_l1d_flush: the emulated CPU lacks the MSR
 * that flushes its L1 cache, and KVM would do it in 4,183 instructions at an entry.
 * loglevel: a character on the serial port takes 87,000 instructions, so errors are not
 * said, but a panic is.
 */
#define BOCHS_APPEND_LAST " kvm-intel.vmentry_l1d_flush=never loglevel=3"

/*
 * Whether WFI and WFE trap depends on what else wants the CPU when the vCPU is loaded
 * (single_task_running() in kvm_arch_vcpu_load()). From Linux 6.18 on an exit to user
 * space has two lengths for that reason. These parameters, which Linux 6.11 brought and
 * older kernels ignore, fix what an idle host without GICv4 comes to.
 */
#define WFX_APPEND " kvm-arm.wfi_trap_policy=trap kvm-arm.wfe_trap_policy=notrap"

#define SVE_APPEND " " LAB_SVE_WORD

#define AARCH64_LAB(mode, flags_, mode_append, ...)                                      \
	{                                                                                \
		.name = "aarch64-" mode, .arch = ARCH_AARCH64, .emulator = &lab_qemu,    \
		.program = "qemu-system-aarch64", .flags = flags_,                       \
		.append = "console=ttyAMA0" COMMON_APPEND WFX_APPEND mode_append,        \
		__VA_ARGS__                                                              \
	}

static const struct lab_machine vmx_plain = {
	.name = "x86_64-vmx",
	.arch = ARCH_X86_64,
	.emulator = &lab_bochs_plain,
	.program = "bochs",
	.flags = bochs_plain_lines,
	.append = BOCHS_APPEND BOCHS_PLAIN_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
	.module = "kvm-intel",
	.lacks = "PMU",
};

const struct lab_machine lab_machine_table[] = {
	AARCH64_LAB("vhe", aarch64_flags, SVE_APPEND),
	AARCH64_LAB("vhe-n1", aarch64_n1_flags, ""), /* without SVE */
	AARCH64_LAB("nvhe", aarch64_flags, SVE_APPEND " kvm-arm.mode=nvhe"),
	AARCH64_LAB("pkvm", aarch64_flags, SVE_APPEND " kvm-arm.mode=protected"),
	AARCH64_LAB("smp", aarch64_smp_flags, SVE_APPEND),
	/* Guests with an EL2 (FEAT_NV2): KVM since Linux 6.16, QEMU since 9.0. */
	AARCH64_LAB("nested", aarch64_flags, SVE_APPEND " kvm-arm.mode=nested",
		    .least_qemu = 9, .least_kernel = "6.16"),
	AARCH64_LAB("nested-l1", aarch64_l1_flags, SVE_APPEND " kvm-arm.mode=nested",
		    .least_qemu = 9, .least_kernel = "6.16", .l1 = true, .boots_max = 2),
	/* Without the project's Bochs, none: a distribution's has no SVM. */
	{
		.name = "x86_64-svm",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs,
		.program = "bochs",
		.flags = bochs_amd_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-amd",
	},
	{
		.name = "x86_64-svm-l1",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs,
		.program = "bochs",
		.flags = bochs_amd_l1_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-amd",
		.l1 = true,
	},
	{
		.name = "x86_64-svm-smp",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs_smp,
		.program = "bochs-smp",
		.flags = bochs_amd_smp_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-amd",
		.cpus = 2,
	},
	{
		.name = "x86_64-vmx-l1",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs,
		.program = "bochs",
		.flags = bochs_l1_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-intel",
		.l1 = true,
	},
	{
		.name = "x86_64-svm-qemu",
		.arch = ARCH_X86_64,
		.emulator = &lab_qemu,
		.program = "qemu-system-x86_64",
		.flags = x86_64_flags,
		.append = X86_64_APPEND COMMON_APPEND,
		.module = "kvm-amd",
	},
	{
		.name = "x86_64-vmx",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs,
		.program = "bochs",
		.flags = bochs_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-intel",
		.fallback = &vmx_plain,
	},
	{
		.name = "x86_64-vmx-smp",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs_smp,
		.program = "bochs-smp",
		.flags = bochs_smp_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-intel",
		.cpus = 2,
	},
	{
		.name = "x86_64-vmx-msr-imm",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs_smp,
		.program = "bochs-smp",
		.flags = bochs_msr_imm_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-intel",
	},
	{
		.name = "x86_64-vmx-skylake",
		.arch = ARCH_X86_64,
		.emulator = &lab_bochs,
		.program = "bochs",
		.flags = bochs_skylake_lines,
		.append = BOCHS_APPEND BOCHS_FIXED_APPEND BOCHS_APPEND_LAST,
		.module = "kvm-intel",
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

const char *lab_machine_memory_mib(const struct lab_machine *m)
{
	return !m->l1			? LAB_MEMORY_MIB
	       : m->arch == ARCH_X86_64 ? L0_MEMORY_MIB
					: L0_AARCH64_MEMORY_MIB;
}

const char *lab_append_begin(const struct lab_machine *m, const char *append)
{
	return !append ? "" : m->l1 ? LAB_L1_SEPARATOR : " ";
}

void lab_keep_initcalls(char *line)
{
	char *at = strstr(line, " initcall_blacklist=");

	if (at && lab_is_whole(line)) {
		const size_t n = 1 + strcspn(at + 1, " ");

		memmove(at, at + n, strlen(at + n) + 1);
	}
}
