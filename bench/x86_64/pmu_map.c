/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR or WRMSR of one of the PMU's registers, whichever the row names. Timed with the
 * three loads of its operands, and with #GP and the payload's vectors where that is the
 * answer.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"

#include "bench/pmu.h"
#include "bench/x86_64/cpuid.h"

/* RDMSR is 0f 32, WRMSR 0f 30. */
#define RDMSR_LAST 0x32
#define WRMSR_LAST 0x30

#define CPUID_PMU	 0xa
#define GENERAL_COUNTERS 8 /* of KVM's vPMU */
#define FIXED_COUNTERS	 3

extern uint8_t *const __patch_start[], *const __patch_end[];

static uint32_t pmu_msr, pmu_low, pmu_high;

#define ACCESS(insn)                                                                     \
	__asm__ volatile("mov %0, %%ecx\n\t"                                             \
			 "mov %1, %%eax\n\t"                                             \
			 "mov %2, %%edx\n\t" insn ::"m"(pmu_msr),                        \
			 "m"(pmu_low), "m"(pmu_high)                                     \
			 : "eax", "ecx", "edx", "memory")

/* How many the guest sees (Intel SDM 2A, CPUID leaf 0AH); `most` where it sees none. */
static uint32_t counters(enum pmu_index index, uint32_t most)
{
	struct cpuid c = { .eax = 0 };
	uint32_t n;

	if (cpuid_has_leaf(CPUID_PMU))
		c = cpuid(CPUID_PMU, 0);
	n = index == PMU_LAST_FIXED ? c.edx & 0x1f : c.eax >> 8 & 0xff;
	return (c.eax & 0xff) && n ? n : most;
}

static uint32_t offset(enum pmu_index index)
{
	switch (index) {
	case PMU_LAST_GENERAL:
		return counters(index, GENERAL_COUNTERS) - 1;
	case PMU_LAST_FIXED:
		return counters(index, FIXED_COUNTERS) - 1;
	default:
		return 0;
	}
}

/* What is in it; unchanged (zero) where it cannot be read. */
static void read_value(void)
{
	__asm__ volatile("1: rdmsr\n\t"
			 "2:\n\t" BODY_FIXUP("1b", "2b")
			 : "+a"(pmu_low), "+d"(pmu_high)
			 : "c"(pmu_msr)
			 : "memory");
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint8_t *const *insn;

	pmu_msr = params->operand + offset(PMU_COMMAND_INDEX(params->command));
	if (PMU_COMMAND_WRITE(params->command) == PMU_KEEP)
		read_value();
	for (insn = __patch_start; insn < __patch_end; insn++)
		(*insn)[1] =
			PMU_COMMAND_IS_WRITE(params->command) ? WRMSR_LAST : RDMSR_LAST;
	return BODY_PRESENT;
}

BODY void body(void)
{
	ACCESS("1: .byte 0x0f, 0x32\n\t"
	       "2:\n\t" BODY_FIXUP("1b", "2b") ".pushsection .patch, \"a\"\n\t"
					       ".quad 1b\n\t"
					       ".popsection");
}

BODY void body_twin(void)
{
	ACCESS("nop");
}
