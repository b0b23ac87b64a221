/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers: RDMSR and WRMSR. The PMU's registers are in pmu.c. */
#include "bench/body.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

#define MSR_APIC_BASE	      0x1b
#define MSR_TSC_ADJUST	      0x3b
#define MSR_SPEC_CTRL	      0x48
#define MSR_PRED_CMD	      0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_TSX_CTRL	      0x122
#define MSR_MPERF	      0xe7
#define MSR_APERF	      0xe8
#define MSR_KERNEL_GS_BASE    0xc0000102
#define MSR_UNKNOWN	      0x57530000 /* in no range of VMX's or SVM's bitmaps */

#define MSR_READY(value)                                                                 \
	"mov %0, %%ecx\n\t"                                                              \
	"mov $" #value ", %%eax\n\t"                                                     \
	"xor %%edx, %%edx"
#define MSR_OPERANDS(msr) ::"i"(msr) : "eax", "ecx", "edx", "cc", "memory"

/* The instruction may raise #GP. */
#define MSR_FAULT(insn)                                                                  \
	"1: " insn "\n\t"                                                                \
	"2:\n\t" RUNTIME_FIXUP("1b", "2b")

#define RDMSR_PAIR(id, msr) BODY_PAIR(id, "mov %0, %%ecx", "rdmsr", MSR_OPERANDS(msr))
#define WRMSR_PAIR(id, msr, value)                                                       \
	BODY_PAIR(id, MSR_READY(value), "wrmsr", MSR_OPERANDS(msr))

/* KERNEL_GS_BASE. VMX's and SVM's bitmaps pass it through: SWAPGS changes it without an
 * exit, so KVM cannot track it. */
#define BASE 0x575753534757ull /* not the value of the events */

BODY void rdmsr_passthrough_end(void)
{
	uint64_t base;

	must(try_wrmsr(MSR_KERNEL_GS_BASE, BASE) &&
	     try_rdmsr(MSR_KERNEL_GS_BASE, &base) && base == BASE);
}

RDMSR_PAIR(rdmsr_passthrough, MSR_KERNEL_GS_BASE)
BODY_ROW(rdmsr_passthrough, .end = rdmsr_passthrough_end);

BODY bool wrmsr_passthrough_setup(const struct abi_params *params)
{
	(void)params;
	return try_wrmsr(MSR_KERNEL_GS_BASE, BASE);
}

BODY void wrmsr_passthrough_end(void)
{
	uint64_t base;

	must(try_rdmsr(MSR_KERNEL_GS_BASE, &base) && !base);
}

WRMSR_PAIR(wrmsr_passthrough, MSR_KERNEL_GS_BASE, 0)
BODY_ROW(wrmsr_passthrough, .setup = wrmsr_passthrough_setup,
	 .end = wrmsr_passthrough_end);

/* TSC_ADJUST. RDMSR always exits, and KVM returns its own copy. */
RDMSR_PAIR(rdmsr_kernel, MSR_TSC_ADJUST)
BODY_ROW(rdmsr_kernel);

/* WRMSR of the value that TSC_ADJUST has: KVM adds the difference, 0, to the TSC offset,
 * writes the offset, and updates the guest's clock. */
WRMSR_PAIR(wrmsr_kernel, MSR_TSC_ADJUST, 0)
BODY_ROW(wrmsr_kernel);

/*
 * The same with the MSR as an immediate operand. The exit's qualification is the MSR, and
 * the instruction information names the register, so KVM decodes nothing; its function
 * reads any register of the guest instead of EAX, ECX and EDX.
 */
BODY bool rdmsr_imm_kernel_setup(const struct abi_params *params)
{
	uint32_t low, high;
	uint64_t value;

	(void)params;
	if (!cpuid_has_msr_imm())
		return false;
	/* Both forms read one register, which is not 0. */
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
	__asm__ volatile(MACHINE_RDMSR_IMM("%c1") : "=d"(value) : "i"(MSR_APIC_BASE));
	if (value != ((uint64_t)high << 32 | low))
		__builtin_trap();
	return true;
}

BODY bool wrmsr_imm_kernel_setup(const struct abi_params *params)
{
	(void)params;
	return cpuid_has_msr_imm();
}

BODY_PAIR(rdmsr_imm_kernel, "", MACHINE_RDMSR_IMM("%c0"), ::"i"(MSR_TSC_ADJUST)
	  : "edx", "memory")
BODY_ROW(rdmsr_imm_kernel, .setup = rdmsr_imm_kernel_setup);

BODY_PAIR(wrmsr_imm_kernel, "xor %%edx, %%edx", MACHINE_WRMSRNS_IMM("%c0"),
	  ::"i"(MSR_TSC_ADJUST)
	  : "edx", "cc", "memory")
BODY_ROW(wrmsr_imm_kernel, .setup = wrmsr_imm_kernel_setup);

/* TSC_ADJUST denied by the VM's MSR filter: exits to the VMM. Against rdmsr_kernel and
 * wrmsr_kernel the rows show the cost of the filter. */
RDMSR_PAIR(rdmsr_user, MSR_TSC_ADJUST)
BODY_ROW(rdmsr_user);

WRMSR_PAIR(wrmsr_user, MSR_TSC_ADJUST, 0)
BODY_ROW(wrmsr_user);

/*
 * An unknown MSR: KVM searches its tables and injects #GP. Includes the exit, the
 * injection and the payload's vectors.
 */
BODY_PAIR(rdmsr_unknown, "mov %0, %%ecx", MSR_FAULT("rdmsr"), MSR_OPERANDS(MSR_UNKNOWN))
BODY_ROW(rdmsr_unknown);

BODY_PAIR(wrmsr_unknown, MSR_READY(0), MSR_FAULT("wrmsr"), MSR_OPERANDS(MSR_UNKNOWN))
BODY_ROW(wrmsr_unknown);

/*
 * MPERF and APERF, whose ratio is the CPU's effective frequency. KVM intercepts both and
 * knows neither: two #GPs, unless the VM passes them through (Linux 6.17).
 */
BODY_PAIR(aperf_mperf, "",
	  "mov %0, %%ecx\n\t" MSR_FAULT("rdmsr") "mov %1, %%ecx\n\t" MSR_FAULT("rdmsr"),
	  ::"i"(MSR_MPERF), "i"(MSR_APERF)
	  : "eax", "ecx", "edx", "memory")
BODY_ROW(aperf_mperf);

/*
 * SPEC_CTRL with IBRS on, as kernels write it at every entry. KVM intercepts the first
 * write of a value other than 0, and passes the register through from then on.
 * CPUID: Intel SDM 2A, leaf 7; AMD APM 3, E.4.6.
 */
#define INTEL_IBRS (1u << 26)
#define AMD_IBRS   (1u << 14)

BODY bool wrmsr_spec_ctrl_setup(const struct abi_params *params)
{
	(void)params;
	if (cpuid_has_leaf(7) && cpuid(7, 0).edx & INTEL_IBRS)
		return true;
	return cpuid_has_leaf(0x80000008) && cpuid(0x80000008, 0).ebx & AMD_IBRS;
}

BODY void wrmsr_spec_ctrl_end(void)
{
	uint64_t value;

	must(try_rdmsr(MSR_SPEC_CTRL, &value) && value == 1);
}

WRMSR_PAIR(wrmsr_spec_ctrl, MSR_SPEC_CTRL, 1)
BODY_ROW(wrmsr_spec_ctrl, .setup = wrmsr_spec_ctrl_setup, .end = wrmsr_spec_ctrl_end);

/*
 * PRED_CMD: IBPB, which flushes the branch predictor. KVM intercepts the first write, and
 * passes the register through from then on.
 */
#define INTEL_IBRS_IBPB (1u << 26)
#define AMD_IBPB	(1u << 12)

BODY bool wrmsr_pred_cmd_setup(const struct abi_params *params)
{
	(void)params;
	if (cpuid_has_leaf(7) && cpuid(7, 0).edx & INTEL_IBRS_IBPB)
		return true;
	return cpuid_has_leaf(0x80000008) && cpuid(0x80000008, 0).ebx & AMD_IBPB;
}

WRMSR_PAIR(wrmsr_pred_cmd, MSR_PRED_CMD, 1)
BODY_ROW(wrmsr_pred_cmd, .setup = wrmsr_pred_cmd_setup);

/*
 * TSX_CTRL with 0, where ARCH_CAPABILITIES reports the register. Before the events, TSX
 * is off: each XBEGIN aborts.
 */
#define CPUID_ARCH_CAPABILITIES (1u << 29)
#define ARCH_CAP_TSX_CTRL	(1u << 7)
#define TSX_CTRL_RTM_DISABLE	1

BODY bool tsx_off(void)
{
	return try_wrmsr(MSR_TSX_CTRL, TSX_CTRL_RTM_DISABLE);
}

BODY bool wrmsr_tsx_ctrl_setup(const struct abi_params *params)
{
	uint32_t low, high;

	(void)params;
	if (!cpuid_has_leaf(7) || !(cpuid(7, 0).edx & CPUID_ARCH_CAPABILITIES))
		return false;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_ARCH_CAPABILITIES));
	return low & ARCH_CAP_TSX_CTRL && tsx_off();
}

BODY void wrmsr_tsx_ctrl_end(void)
{
	uint64_t value;

	must(try_rdmsr(MSR_TSX_CTRL, &value) && !value);
}

WRMSR_PAIR(wrmsr_tsx_ctrl, MSR_TSX_CTRL, 0)
BODY_ROW(wrmsr_tsx_ctrl, .setup = wrmsr_tsx_ctrl_setup, .end = wrmsr_tsx_ctrl_end);
