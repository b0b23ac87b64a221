/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of targets, the signals that end their work early, and sums of its time. */
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "host/lib/process.h"
#include "host/targets/target.h"
#include "host/vmm/vmm.h"

#ifdef __aarch64__
#define THIS_ARCH ARCH_AARCH64
#else
#define THIS_ARCH ARCH_X86_64
#endif

/* The default repetition of noisy targets and of exact targets. */
#define EXACT                                                                            \
	.exact = true, .default_boots = 2, .default_events = 500, .default_warmup = 24
#define NOISY                                                                            \
	.exact = false, .default_boots = 10, .default_events = 10000,                    \
	.default_warmup = 1000

const struct target target_table[] = {
	{ .name = "kvm",
	  .summary = "this machine's KVM",
	  .arch = THIS_ARCH,
	  .ops = &target_kvm_ops,
	  NOISY },
	{ .name = "bare:x86_64",
	  .summary = "the payload alone on an emulated PC",
	  .arch = ARCH_X86_64,
	  .ops = &target_bare_ops,
	  EXACT },
	{ .name = "bare:x86_64-bochs",
	  .summary = "the payload alone on an emulated PC with a PMU",
	  .arch = ARCH_X86_64,
	  .named_only = true,
	  .ops = &target_bare_ops,
	  .config = &bare_bochs,
	  EXACT },
	{ .name = "bare:x86_64-bochs-svm",
	  .summary = "bare:x86_64-bochs with a CPU of AMD",
	  .arch = ARCH_X86_64,
	  .named_only = true,
	  .ops = &target_bare_ops,
	  .config = &bare_bochs_svm,
	  EXACT },
	{ .name = "bare:aarch64",
	  .summary = "the payload alone on an emulated arm64 machine",
	  .arch = ARCH_AARCH64,
	  .ops = &target_bare_ops,
	  EXACT },
	{ .name = "lab:aarch64-vhe",
	  .summary = "Linux KVM/arm64 with VHE, emulated",
	  .arch = ARCH_AARCH64,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-vhe-n1",
	  .summary =
		  "lab:aarch64-vhe with a Neoverse N1: the same core rows on QEMU 7.2, 10.0 and 11.1",
	  .arch = ARCH_AARCH64,
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-nvhe",
	  .summary = "Linux KVM/arm64 without VHE, emulated",
	  .arch = ARCH_AARCH64,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-pkvm",
	  .summary = "Linux protected KVM on arm64, emulated",
	  .arch = ARCH_AARCH64,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-smp",
	  .summary = "Linux KVM/arm64 with VHE and two CPUs, emulated: IPIs and kicks",
	  .arch = ARCH_AARCH64,
	  .only = NEEDS_VCPUS_2,
	  .takes_turns = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-nested",
	  .summary =
		  "Linux KVM/arm64 with VHE whose guests can be hypervisors (kvm-arm.mode=nested), emulated",
	  .arch = ARCH_AARCH64,
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:aarch64-nested-l1",
	  .summary = "Linux KVM/arm64 in a guest of lab:aarch64-nested: nested VHE",
	  .arch = ARCH_AARCH64,
	  .in_runs = true,
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-svm",
	  .summary = "Linux KVM on AMD SVM, emulated",
	  .arch = ARCH_X86_64,
	  .hypervisor = "SVM",
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-svm-l1",
	  .summary = "Linux KVM in a guest of lab:x86_64-svm: nested SVM",
	  .arch = ARCH_X86_64,
	  .hypervisor = "SVM",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-svm-smp",
	  .summary =
		  "lab:x86_64-svm with two CPUs, and a PAUSE filter with a threshold: IPIs, kicks, pause-loop exiting",
	  .arch = ARCH_X86_64,
	  .hypervisor = "SVM",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-svm-qemu",
	  .summary = "Linux KVM on AMD SVM without next-RIP save, emulated by QEMU",
	  .arch = ARCH_X86_64,
	  .hypervisor = "SVM",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-vmx",
	  .summary = "Linux KVM on Intel VMX, emulated",
	  .arch = ARCH_X86_64,
	  .hypervisor = "VMX",
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-vmx-smp",
	  .summary = "lab:x86_64-vmx with two CPUs: IPIs, kicks and pause-loop exiting",
	  .arch = ARCH_X86_64,
	  .hypervisor = "VMX",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-vmx-l1",
	  .summary = "Linux KVM in a guest of lab:x86_64-vmx: nested VMX",
	  .arch = ARCH_X86_64,
	  .hypervisor = "VMX",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-vmx-msr-imm",
	  .summary =
		  "lab:x86_64-vmx with RDMSR and WRMSRNS with an immediate operand (Linux 6.17)",
	  .arch = ARCH_X86_64,
	  .hypervisor = "VMX",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = "lab:x86_64-vmx-skylake",
	  .summary =
		  "lab:x86_64-vmx with the three fixed counters that a mediated vPMU can have",
	  .arch = ARCH_X86_64,
	  .hypervisor = "VMX",
	  .named_only = true,
	  .ops = &target_lab_ops,
	  EXACT },
	{ .name = NULL },
};

void target_software_defaults(struct target *t)
{
	t->default_boots = 6; /* the least for a 95 % interval */
	t->default_events = 500;
	t->default_warmup = 100;
}

void target_catch_signals(void)
{
	interrupt_catch(vcpu_kick_self);
}

/* ------------------------------ timing ------------------------------ */

static uint64_t read_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t)
		       ? 0
		       : (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct timing_mark timing_mark(void)
{
	return (struct timing_mark){ read_ns(CLOCK_MONOTONIC),
				     read_ns(CLOCK_THREAD_CPUTIME_ID) };
}

void timing_add(struct timing *t, enum timing_part part, const struct timing_mark *from,
		uint64_t process_ns)
{
	struct timing_mark now = timing_mark();

	if (!t)
		return;
	__atomic_fetch_add(&t->sums[part].n, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->sums[part].wall_ns, now.wall_ns - from->wall_ns,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->sums[part].cpu_ns, now.cpu_ns - from->cpu_ns + process_ns,
			   __ATOMIC_RELAXED);
}

uint64_t timing_process_ns(pid_t pid)
{
	clockid_t clock;

	return pid <= 0 || clock_getcpuclockid(pid, &clock) ? 0 : read_ns(clock);
}
