/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known sequences between two reads of a counter. What the reads count of themselves is
 * measured with nothing between them, and subtracted. Written after the manuals; not yet
 * seen with a vPMU.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#define BODY_COUNTS    1
#include "bench/body.h"

#include "bench/accuracy.h"
#include "guest/x86_64/pmc.h"

static enum accuracy_subject subject;

static const struct {
	enum pmc_event event;
	enum pmc_kind kind;
	uint32_t expected;
} subjects[] = {
	[ACCURACY_CYCLES] = { PMC_CYCLES, PMC_GENERAL, 3000 },
	[ACCURACY_CYCLES_FIXED] = { PMC_CYCLES, PMC_FIXED, 3000 },
	[ACCURACY_INSNS] = { PMC_INSNS, PMC_GENERAL, 2001 },
	[ACCURACY_INSNS_FIXED] = { PMC_INSNS, PMC_FIXED, 2001 },
	[ACCURACY_INSNS_EXITS] = { PMC_INSNS, PMC_GENERAL, 20 },
	[ACCURACY_BRANCHES] = { PMC_BRANCHES, PMC_GENERAL, 1000 },
};

BODY enum body_presence body_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU))
		return BODY_ABSENT;
	subject = (enum accuracy_subject)params->operand;
	return pmc_setup_event(subjects[subject].event, subjects[subject].kind)
		       ? BODY_PRESENT
		       : BODY_ABSENT;
}

/* 1000 multiplications, each of the last one's product: 3 cycles since Nehalem and Zen.
 */
BODY void chain(void)
{
	__asm__ volatile(".rept 1000\n\t"
			 "imul $3, %%eax, %%eax\n\t"
			 ".endr" ::
				 : "eax", "cc", "memory");
}

/* 1 + 1000 x 2 instructions (a fused pair retires as two); half of the 2000 branch. */
BODY void loop(void)
{
	__asm__ volatile("mov $1000, %%eax\n\t"
			 "1: dec %%eax\n\t"
			 "jnz 1b" ::
				 : "eax", "cc", "memory");
}

/* 10 x 2 instructions. */
BODY void cpuids(void)
{
	__asm__ volatile(".rept 10\n\t"
			 "xor %%eax, %%eax\n\t"
			 "cpuid\n\t"
			 ".endr" ::
				 : "eax", "ebx", "ecx", "edx", "cc", "memory");
}

/* Only `op` and two reads; which op is decided before the first of them. */
#define COUNT(op)                                                                        \
	({                                                                               \
		uint64_t first = pmc_read();                                             \
                                                                                         \
		op;                                                                      \
		pmc_read() - first;                                                      \
	})

/* One copy for all phases: its pages have been seen when the events begin. */
static __attribute__((noinline)) uint64_t count(void)
{
	switch (subject) {
	case ACCURACY_CYCLES:
	case ACCURACY_CYCLES_FIXED:
		return COUNT(chain());
	case ACCURACY_INSNS_EXITS:
		return COUNT(cpuids());
	default:
		return COUNT(loop());
	}
}

BODY uint64_t body_measure(void)
{
	return count();
}

BODY uint64_t body_measure_nothing(void)
{
	return COUNT();
}

BODY uint64_t body_measure_twin(void)
{
	return subjects[subject].expected;
}
