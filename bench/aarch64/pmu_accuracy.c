/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known sequences between two reads of a counter. What the reads count of themselves is
 * measured with nothing between them, and subtracted.
 */
#define BODY_HAS_SETUP 1
#define BODY_MEASURES  1
#define BODY_COUNTS    1
#include "bench/body.h"

#include "bench/accuracy.h"

/* Common events (Arm ARM, "PMU events and event numbers"). */
#define EVENT_SW_INCR	 0x00
#define EVENT_LD_RETIRED 0x06
#define EVENT_ST_RETIRED 0x07
#define EVENT_INSNS	 0x08
#define EVENT_EXC_TAKEN	 0x09
#define EVENT_CYCLES	 0x11
#define EVENT_BRANCHES	 0x21

#define PMCR_N(r)   ((r) >> 11 & 0x1f)
#define COUNTER_0   1ull
#define EVENT_32BIT 0xffffffffull /* counters have more since PMUv3p5 only */

static enum accuracy_subject subject;
static uint64_t cell; /* what is loaded and stored */

static const struct {
	uint8_t event;
	uint32_t expected;
} subjects[] = {
	[ACCURACY_CYCLES] = { EVENT_CYCLES, 4000 },
	[ACCURACY_CYCLES_EVENT] = { EVENT_CYCLES, 4000 },
	[ACCURACY_INSNS] = { EVENT_INSNS, 2001 },
	[ACCURACY_INSNS_EXITS] = { EVENT_INSNS, 20 },
	[ACCURACY_INSNS_EMULATED] = { EVENT_INSNS, 21 },
	[ACCURACY_BRANCHES] = { EVENT_BRANCHES, 1000 },
	[ACCURACY_LOADS] = { EVENT_LD_RETIRED, 500 },
	[ACCURACY_STORES] = { EVENT_ST_RETIRED, 500 },
	[ACCURACY_EXCEPTIONS] = { EVENT_EXC_TAKEN, 1 },
	[ACCURACY_SW_INCR] = { EVENT_SW_INCR, 10 },
};

/* PMCEID0_EL0 has a bit for each of the first 32 common events, PMCEID1_EL0 for the next.
 */
BODY uint32_t has_event(uint8_t event)
{
	uint64_t events;

	if (event < 32)
		__asm__ volatile("mrs %0, pmceid0_el0" : "=r"(events));
	else
		__asm__ volatile("mrs %0, pmceid1_el0" : "=r"(events));
	return events >> event % 32 & 1;
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint64_t control;

	if (!(params->flags & ABI_FLAG_PMU))
		return BODY_ABSENT;
	subject = (enum accuracy_subject)params->operand;
	__asm__ volatile("mrs %0, pmcr_el0" : "=r"(control));
	if (subject == ACCURACY_CYCLES)
		return BODY_PRESENT; /* machine.c has set it going */
	if (!PMCR_N(control) || !has_event(subjects[subject].event))
		return BODY_ABSENT;
	/* Filter bits 0: at EL1 and EL0. */
	__asm__ volatile("msr pmevtyper0_el0, %0\n\t"
			 "msr pmcntenset_el0, %1\n\t"
			 "isb" ::"r"((uint64_t)subjects[subject].event),
			 "r"(COUNTER_0));
	return BODY_PRESENT;
}

BODY uint64_t read_cycles(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\t"
			 "mrs %0, pmccntr_el0\n\t"
			 "isb"
			 : "=r"(count)::"memory");
	return count;
}

BODY uint64_t read_event(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\t"
			 "mrs %0, pmevcntr0_el0\n\t"
			 "isb"
			 : "=r"(count)::"memory");
	return count;
}

/* 4000 additions, each of the last one's sum: a cycle each on every core there is. */
BODY void chain(void)
{
	__asm__ volatile(".rept 4000\n\t"
			 "add x0, x0, #1\n\t"
			 ".endr" ::
				 : "x0", "memory");
}

/* 1 + 1000 x 2 instructions; every second one is a branch, taken or not. */
BODY void loop(void)
{
	__asm__ volatile("mov x0, #1000\n\t"
			 "1: subs x0, x0, #1\n\t"
			 "b.ne 1b" ::
				 : "x0", "cc", "memory");
}

/* 500 loads and 500 stores. */
BODY void copy(void)
{
	__asm__ volatile("mov x0, #500\n\t"
			 "1: ldr x1, [%0]\n\t"
			 "str x1, [%0]\n\t"
			 "subs x0, x0, #1\n\t"
			 "b.ne 1b" ::"r"(&cell)
			 : "x0", "x1", "cc", "memory");
}

/* 10 x 2 instructions; the hypercall is bench/aarch64/hypercall.c's. */
BODY void hypercalls(void)
{
	__asm__ volatile(".rept 10\n\t"
			 "mov w0, #0x4b000000\n\t"
			 "hvc #0\n\t"
			 ".endr" ::
				 : "x0", "x1", "x2", "x3", "memory");
}

/* 1 + 10 x 2 instructions; the load is bench/aarch64/mmio_read_kernel.c's. */
BODY void emulated(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 ".rept 10\n\t"
			 "nop\n\t"
			 "ldr w0, [x1, #8]\n\t"
			 ".endr" ::"i"(ABI_AARCH64_GICD_GPA)
			 : "x0", "x1", "memory");
}

/* The preferred return address is already the next instruction's. */
BODY void exception(void)
{
	__asm__ volatile("svc #0\n\t"
			 "1:\n\t" BODY_FIXUP("1b", "1b")::
				 : "memory");
}

BODY void increments(void)
{
	__asm__ volatile(".rept 10\n\t"
			 "msr pmswinc_el0, %0\n\t"
			 ".endr" ::"r"(COUNTER_0)
			 : "memory");
}

/* Only `op` and two reads; which ones is decided before the first of them. */
#define COUNT(read, op)                                                                  \
	({                                                                               \
		uint64_t first = read();                                                 \
                                                                                         \
		op;                                                                      \
		read() - first;                                                          \
	})
#define COUNT_EVENT(op) (COUNT(read_event, op) & EVENT_32BIT)

/* One copy for all phases: its pages have been seen when the events begin. */
static __attribute__((noinline)) uint64_t count(void)
{
	switch (subject) {
	case ACCURACY_CYCLES:
		return COUNT(read_cycles, chain());
	case ACCURACY_CYCLES_EVENT:
		return COUNT_EVENT(chain());
	case ACCURACY_INSNS_EXITS:
		return COUNT_EVENT(hypercalls());
	case ACCURACY_INSNS_EMULATED:
		return COUNT_EVENT(emulated());
	case ACCURACY_LOADS:
	case ACCURACY_STORES:
		return COUNT_EVENT(copy());
	case ACCURACY_EXCEPTIONS:
		return COUNT_EVENT(exception());
	case ACCURACY_SW_INCR:
		return COUNT_EVENT(increments());
	default:
		return COUNT_EVENT(loop());
	}
}

BODY uint64_t body_measure(void)
{
	return count();
}

BODY uint64_t body_measure_nothing(void)
{
	return subject == ACCURACY_CYCLES ? COUNT(read_cycles, ) : COUNT_EVENT();
}

BODY uint64_t body_measure_twin(void)
{
	return subjects[subject].expected;
}
