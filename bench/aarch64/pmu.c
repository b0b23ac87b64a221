/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU: the cycle counter, the vPMU map, the accuracy of the counters, overflow. */
#include "bench/body.h"
#include "bench/pmu.h"
#include "guest/aarch64/gic.h"

#define PMCR_N(pmcr) ((pmcr) >> 11 & 0x1f)
#define COUNTER_0    1ull

/*
 * PMCCNTR_EL0. KVM sets MDCR_EL2.TPM, so the read traps to the vPMU. In a VM without a
 * PMU the register is UNDEFINED; the row then includes the exit, the injected exception
 * and the payload's vectors.
 */
BODY_PAIR(pmccntr, "",
	  "1: mrs x0, pmccntr_el0\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : "x0", "memory")
BODY_ROW(pmccntr);

/*
 * The vPMU map, rows pmu_*_read and pmu_*_write of bench/pmu.def: MRS or MSR of the PMU
 * register in abi_params.operand. The set-up patches the instruction. Includes the two
 * instructions that load the operand, and the exception with the payload's vectors where
 * the register is UNDEFINED.
 */

/* MRS and MSR of S3_*, X0; bit 21 is the direction (Arm ARM, C6.2). */
#define MRS_X0 0xd5380000u
#define MSR_X0 0xd5180000u

#define PMCR_N_IS_1 (1u << 11)

/* The registers of an array differ in CRm:op2, a number of 5 bits from bit 5 on. */
#define NEXT_REGISTER 5

extern uint32_t *const __patch_start[], *const __patch_end[];

static uint64_t pmu_value;

#define PATCHED                                                                          \
	"1: nop\n\t"                                                                     \
	"2:\n\t" RUNTIME_FIXUP("1b", "2b") ".pushsection .patch, \"a\"\n\t"              \
					   ".quad 1b\n\t"                                \
					   ".popsection\n\t"

#define ACCESS(insn, ...)                                                                \
	__asm__ volatile("adrp x0, %[value]\n\t"                                         \
			 "ldr x0, [x0, :lo12:%[value]]\n\t" insn __VA_ARGS__             \
			 : [value] "S"(&pmu_value)                                       \
			 : "x0", "memory")

/* Writes instructions, with the cache maintenance of Arm ARM, B2.4.4. */
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

/* The register's value; zero if the read faults. */
static __attribute__((noinline)) uint64_t read_value(uint32_t operand)
{
	uint64_t value;

	patch(MRS_X0 | operand);
	ACCESS(PATCHED, "mov %0, x0" : "=r"(value));
	return value;
}

/* The event counters that the guest sees; 1 if PMCR_EL0 is UNDEFINED. */
static uint32_t counters(void)
{
	uint64_t pmcr = PMCR_N_IS_1;

	__asm__ volatile("1: mrs %0, pmcr_el0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "+r"(pmcr));
	return PMCR_N(pmcr);
}

/* PMXEVCNTR and PMXEVTYPER access counter 0; PMSELR is UNKNOWN after reset. */
static void select_counter(void)
{
	__asm__ volatile("1: msr pmselr_el0, xzr\n\t"
			 "2: isb\n\t" RUNTIME_FIXUP("1b", "2b"));
}

BODY bool pmu_map_setup(const struct abi_params *params)
{
	uint32_t operand = params->operand;

	if (PMU_COMMAND_INDEX(params->command) == PMU_LAST_GENERAL) {
		if (!counters())
			return false;
		operand += (counters() - 1) << NEXT_REGISTER;
	}
	select_counter();
	if (PMU_COMMAND_WRITE(params->command) == PMU_KEEP)
		pmu_value = read_value(operand);
	patch((PMU_COMMAND_IS_WRITE(params->command) ? MSR_X0 : MRS_X0) | operand);
	return true;
}

BODY void pmu_map_event(void)
{
	ACCESS(PATCHED, :);
}

BODY void pmu_map_twin(void)
{
	ACCESS("nop", :);
}

BODY_ROW(pmu_map, .setup = pmu_map_setup);

/*
 * Accuracy, rows pmu_accuracy_* of bench/accuracy.def: known sequences of instructions
 * between two reads of a counter. The count of the reads themselves is measured with an
 * empty sequence, and subtracted.
 */

/* Common events (Arm ARM, "PMU events and event numbers"). */
#define EVENT_SW_INCR	 0x00
#define EVENT_LD_RETIRED 0x06
#define EVENT_ST_RETIRED 0x07
#define EVENT_INSNS	 0x08
#define EVENT_EXC_TAKEN	 0x09
#define EVENT_CYCLES	 0x11
#define EVENT_BRANCHES	 0x21

#define EVENT_32BIT 0xffffffffull /* counters have 64 bits since PMUv3p5 only */

static enum accuracy_subject subject;
static uint64_t cell; /* for the loads and stores */

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

/* PMCEID0_EL0 has a bit for each of the first 32 common events, PMCEID1_EL0 for 32 more.
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

BODY bool pmu_accuracy_setup(const struct abi_params *params)
{
	uint64_t control;

	if (!(params->flags & ABI_FLAG_PMU))
		return false;
	subject = (enum accuracy_subject)params->operand;
	__asm__ volatile("mrs %0, pmcr_el0" : "=r"(control));
	if (subject == ACCURACY_CYCLES)
		return true; /* machine.c has started the counter */
	if (!PMCR_N(control) || !has_event(subjects[subject].event))
		return false;
	/* Filter bits 0: counts at EL1 and EL0. */
	__asm__ volatile("msr pmevtyper0_el0, %0\n\t"
			 "msr pmcntenset_el0, %1\n\t"
			 "isb" ::"r"((uint64_t)subjects[subject].event),
			 "r"(COUNTER_0));
	return true;
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

/* 4000 dependent additions: one cycle each. CPUs eliminate additions of a constant. */
BODY void chain(void)
{
	__asm__ volatile(".rept 4000\n\t"
			 "add x0, x0, x0\n\t"
			 ".endr" ::
				 : "x0", "memory");
}

/* 1 + 1000 x 2 instructions; half of the 2000 branch, taken or not. */
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

/* 10 x 2 instructions; the hypercall of the row hypercall. */
BODY void hypercalls(void)
{
	__asm__ volatile(".rept 10\n\t"
			 "mov w0, #0x4b000000\n\t"
			 "hvc #0\n\t"
			 ".endr" ::
				 : "x0", "x1", "x2", "x3", "memory");
}

/* 1 + 10 x 2 instructions; the load of the row mmio_read_kernel. */
BODY void emulated(void)
{
	__asm__ volatile("mov x1, %0\n\t"
			 ".rept 10\n\t"
			 "nop\n\t"
			 "ldr w0, [x1, #8]\n\t"
			 ".endr" ::"i"(ABI_AARCH64_GICD_GPA)
			 : "x0", "x1", "memory");
}

/* The preferred return address of SVC is that of the next instruction. */
BODY void exception(void)
{
	__asm__ volatile("svc #0\n\t"
			 "1:\n\t" RUNTIME_FIXUP("1b", "1b")::
				 : "memory");
}

BODY void increments(void)
{
	__asm__ volatile(".rept 10\n\t"
			 "msr pmswinc_el0, %0\n\t"
			 ".endr" ::"r"(COUNTER_0)
			 : "memory");
}

/* Only `op` and two reads; the choice of both precedes the first read. */
#define COUNT(read, op)                                                                  \
	({                                                                               \
		uint64_t first = read();                                                 \
                                                                                         \
		op;                                                                      \
		read() - first;                                                          \
	})
#define COUNT_EVENT(op) (COUNT(read_event, op) & EVENT_32BIT)

/* One copy for all phases: its pages are mapped when the events begin. */
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

BODY uint64_t count_nothing(void)
{
	return subject == ACCURACY_CYCLES ? COUNT(read_cycles, ) : COUNT_EVENT();
}

BODY uint64_t count_expected(void)
{
	return subjects[subject].expected;
}

BODY_ROW_OF(pmu_accuracy, .setup = pmu_accuracy_setup, .measure = count,
	    .measure_twin = count_expected, .measure_nothing = count_nothing);

/* Overflow: the body waits for the interrupt of the cycle counter's overflow. */
#define OVERFLOW_INTID	23	     /* PPI 7, as host/vmm/aarch64/arch.c has it */
#define OVERFLOW_CYCLES (1ull << 31) /* the cycle counter in PMINTENSET_EL1 */

#define OVERFLOW_AFTER 10000 /* cycles; the body waits before the overflow comes */

/*
 * Sets X1 to the clock and then X3 to the counter, which the overflow made 0. The line is
 * level-triggered: clearing the overflow flag clears the line.
 */
GIC_HANDLER(on_overflow, "isb\n\t"
			 "mrs x1, cntvct_el0\n\t"
			 "isb\n\t"
			 "mrs x3, pmccntr_el0\n\t"
			 "mov x16, #0x80000000\n\t"
			 "msr pmovsclr_el0, x16\n\t"
			 "isb\n\t"
			 "mrs x16, " ICC_IAR1 "\n\t"
			 "msr " ICC_EOIR1 ", x16\n\t");

BODY uint64_t cycles_now(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\t"
			 "mrs %0, pmccntr_el0"
			 : "=r"(count));
	return count;
}

/*
 * machine.c has started the cycle counter. Protected KVM emulates its registers, and
 * never runs it (Linux 6.12 to 7.3).
 */
BODY bool overflow_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU) || !gic_init())
		return false;
	if (cycles_now() == cycles_now())
		runtime_stop(ABI_STATE_STILL);
	__asm__ volatile("msr pmintenset_el1, %0\n\t"
			 "isb" ::"r"(OVERFLOW_CYCLES));
	gic_enable(OVERFLOW_INTID);
	gic_handler(on_overflow);
	return true;
}

struct overflow {
	uint64_t before;  /* the interrupted code's last read of the clock */
	uint64_t handled; /* the handler's first read of the clock */
	uint64_t count;	  /* the counter, just after that */
};

BODY struct overflow overflow_wait(void)
{
	register uint64_t handled __asm__("x1") = 0;
	register uint64_t before __asm__("x2");
	register uint64_t count __asm__("x3");

	__asm__ volatile("msr pmccntr_el0, %3\n\t"
			 "isb\n\t"
			 "1: mrs %1, cntvct_el0\n\t"
			 "cbz %0, 1b"
			 : "+r"(handled), "=r"(before), "=r"(count)
			 : "r"(-(uint64_t)OVERFLOW_AFTER)
			 : "memory");
	return (struct overflow){ before, handled, count };
}

/*
 * A profiler's interrupt: the counter overflows while the guest runs, the host's counter
 * behind it interrupts the host, and KVM injects the guest's interrupt. From the
 * interrupted code's last read of the clock to the handler's first.
 */
BODY uint64_t pmu_overflow_irq_measure(void)
{
	const struct overflow o = overflow_wait();

	return o.handled - o.before;
}

/* Two reads of the clock, nothing in between. */
BODY uint64_t pmu_overflow_irq_measure_twin(void)
{
	uint64_t before = clock_start();

	return clock_stop() - before;
}

BODY_ROW_OF(pmu_overflow_irq, .setup = overflow_setup,
	    .measure = pmu_overflow_irq_measure,
	    .measure_twin = pmu_overflow_irq_measure_twin);

/*
 * How far the guest ran beyond the overflow when the handler reads the counter: the code
 * that a profiler attributes to the wrong instruction. Includes the path from the vector
 * to the read, some ten instructions. The twin is a counter that interrupts at once.
 */
BODY uint64_t pmu_overflow_skid_measure(void)
{
	return overflow_wait().count;
}

BODY uint64_t no_skid(void)
{
	return 0;
}

BODY_ROW_OF(pmu_overflow_skid, .setup = overflow_setup,
	    .measure = pmu_overflow_skid_measure, .measure_twin = no_skid,
	    .measure_nothing = no_skid);
