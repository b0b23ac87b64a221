/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MRS or MSR of one of the PMU's registers, whichever the row names. Timed with the two
 * instructions that fetch its operand, and with the exception and the payload's vectors
 * where it is UNDEFINED.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"

#include "bench/pmu.h"

/* Of S3_*, X0; bit 21 is the direction (Arm ARM, C6.2, MRS and MSR (register)). */
#define MRS_X0 0xd5380000u
#define MSR_X0 0xd5180000u

#define PMCR_N(pmcr) ((pmcr) >> 11 & 0x1f)
#define PMCR_N_IS_1  (1u << 11)

/* Registers of a row differ in CRm and op2, as a number of 5 bits. */
#define NEXT_REGISTER 5

extern uint32_t *const __patch_start[], *const __patch_end[];

static uint64_t pmu_value;

#define PATCHED                                                                          \
	"1: nop\n\t"                                                                     \
	"2:\n\t" BODY_FIXUP("1b", "2b") ".pushsection .patch, \"a\"\n\t"                 \
					".quad 1b\n\t"                                   \
					".popsection\n\t"

#define ACCESS(insn, ...)                                                                \
	__asm__ volatile("adrp x0, %[value]\n\t"                                         \
			 "ldr x0, [x0, :lo12:%[value]]\n\t" insn __VA_ARGS__             \
			 : [value] "S"(&pmu_value)                                       \
			 : "x0", "memory")

/* Instructions that were written as data (Arm ARM, B2.4.4). */
static void patch(uint32_t insn)
{
	uint32_t *const *at;

	for (at = __patch_start; at < __patch_end; at++) {
		**at = insn;
		__asm__ volatile("dc cvau, %0\n\t"
				 "dsb ish\n\t"
				 "ic ivau, %0" ::"r"(*at)
				 : "memory");
	}
	__asm__ volatile("dsb ish\n\t"
			 "isb" ::
				 : "memory");
}

/* What is in it; zero where it cannot be read. */
static __attribute__((noinline)) uint64_t read_value(uint32_t operand)
{
	uint64_t value;

	patch(MRS_X0 | operand);
	ACCESS(PATCHED, "mov %0, x0" : "=r"(value));
	return value;
}

/* Event counters that the guest sees; 1 without a PMU, which nobody sees. */
static uint32_t counters(void)
{
	uint64_t pmcr = PMCR_N_IS_1;

	__asm__ volatile("1: mrs %0, pmcr_el0\n\t"
			 "2:\n\t" BODY_FIXUP("1b", "2b")
			 : "+r"(pmcr));
	return PMCR_N(pmcr);
}

/* PMXEVCNTR and PMXEVTYPER mean counter 0; after reset PMSELR may hold anything. */
static void select_counter(void)
{
	__asm__ volatile("1: msr pmselr_el0, xzr\n\t"
			 "2: isb\n\t" BODY_FIXUP("1b", "2b"));
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint32_t operand = params->operand;

	if (PMU_COMMAND_INDEX(params->command) == PMU_LAST_GENERAL) {
		if (!counters())
			return BODY_ABSENT;
		operand += (counters() - 1) << NEXT_REGISTER;
	}
	select_counter();
	if (PMU_COMMAND_WRITE(params->command) == PMU_KEEP)
		pmu_value = read_value(operand);
	patch((PMU_COMMAND_IS_WRITE(params->command) ? MSR_X0 : MRS_X0) | operand);
	return BODY_PRESENT;
}

BODY void body(void)
{
	ACCESS(PATCHED, :);
}

BODY void body_twin(void)
{
	ACCESS("nop", :);
}
