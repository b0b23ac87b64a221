/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU: RDPMC, the vPMU map, the accuracy of the counters, and the overflow interrupt.
 * Written after the manuals (Intel SDM 3A, "Local Vector Table", and 3B, performance
 * monitoring; AMD APM 2, 13.2).
 */
#include "bench/body.h"
#include "bench/pmu.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

/*
 * RDPMC of general counter 0, which does not count: exits, and KVM returns its copy; #GP
 * in a VM without a vPMU, and then the row includes the fault.
 */
BODY_PAIR(rdpmc_general, "xor %%ecx, %%ecx",
	  "1: rdpmc\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(rdpmc_general);

/*
 * RDPMC of fixed counter 0, instructions retired: #GP on AMD and without a vPMU. On AMD,
 * KVM of Linux 6.1 ignores the bit of fixed counters, and reads a counter without a vPMU.
 */
BODY_PAIR(rdpmc_fixed, "mov $0x40000000, %%ecx",
	  "1: rdpmc\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(rdpmc_fixed);

/*
 * RDPMC of general counter 0 while it counts: KVM reads the perf event behind the
 * counter. If that counts instructions, KVM adds the RDPMC that it has emulated, for
 * which it stops and starts the perf event.
 */
BODY bool counting_setup(const struct abi_params *params, enum pmc_event event)
{
	return params->flags & ABI_FLAG_PMU && pmc_setup_event(event, PMC_GENERAL);
}

BODY bool rdpmc_counting_setup(const struct abi_params *params)
{
	return counting_setup(params, PMC_CYCLES);
}

BODY bool rdpmc_counting_insns_setup(const struct abi_params *params)
{
	return counting_setup(params, PMC_INSNS);
}

/* The counter counts still. */
BODY void counting_end(void)
{
	const uint64_t count = pmc_read();

	if (pmc_read() == count)
		runtime_stop(ABI_STATE_NO_EFFECT);
}

BODY_PAIR(rdpmc_counting, "xor %%ecx, %%ecx", "rdpmc", ::
		  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(rdpmc_counting, .setup = rdpmc_counting_setup, .end = counting_end);
BODY_ROW_OF(rdpmc_counting_insns, .event = rdpmc_counting_event,
	    .twin = rdpmc_counting_twin, .setup = rdpmc_counting_insns_setup,
	    .end = counting_end);

/*
 * The vPMU map, rows pmu_*_read and pmu_*_write of bench/pmu.def: RDMSR or WRMSR of the
 * PMU register in abi_params.operand. The set-up patches the instruction. Includes the
 * three loads of the operands, and #GP with the payload's vectors where the access
 * faults.
 */
#define RDMSR_LAST 0x32 /* RDMSR is 0f 32, WRMSR 0f 30 */
#define WRMSR_LAST 0x30

#define CPUID_PMU	 0xa
#define GENERAL_COUNTERS 8 /* of KVM's vPMU */
#define FIXED_COUNTERS	 3

extern uint8_t *const __patch_start[], *const __patch_end[];

static uint32_t pmu_msr, pmu_low, pmu_high;

/* The counters that the guest sees (Intel SDM 2A, CPUID leaf 0AH); `most` if none. */
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

/* The register's value; unchanged (zero) if the read faults. */
static void read_value(void)
{
	__asm__ volatile("1: rdmsr\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "+a"(pmu_low), "+d"(pmu_high)
			 : "c"(pmu_msr)
			 : "memory");
}

BODY bool pmu_map_setup(const struct abi_params *params)
{
	uint8_t *const *insn;

	pmu_msr = params->operand + offset(PMU_COMMAND_INDEX(params->command));
	if (PMU_COMMAND_WRITE(params->command) == PMU_KEEP)
		read_value();
	for (insn = __patch_start; insn < __patch_end; insn++)
		(*insn)[1] =
			PMU_COMMAND_IS_WRITE(params->command) ? WRMSR_LAST : RDMSR_LAST;
	return true;
}

BODY_PAIR(pmu_map,
	  "mov %0, %%ecx\n\t"
	  "mov %1, %%eax\n\t"
	  "mov %2, %%edx",
	  "1: .byte 0x0f, 0x32\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b") ".pushsection .patch, \"a\"\n\t"
					     ".quad 1b\n\t"
					     ".popsection",
	  ::"m"(pmu_msr), "m"(pmu_low), "m"(pmu_high)
	  : "eax", "ecx", "edx", "memory")
BODY_ROW(pmu_map, .setup = pmu_map_setup);

/*
 * Accuracy, rows pmu_accuracy_* of bench/accuracy.def: known sequences of instructions
 * between two reads of a counter. The count of the reads themselves is measured with an
 * empty sequence, and subtracted.
 */
static enum accuracy_subject subject;

static const struct {
	enum pmc_event event;
	enum pmc_kind kind;
	uint32_t expected;
} subjects[] = {
	[ACCURACY_CYCLES] = { PMC_CYCLES, PMC_GENERAL, CHAIN_CYCLES },
	[ACCURACY_CYCLES_FIXED] = { PMC_CYCLES, PMC_FIXED, CHAIN_CYCLES },
	[ACCURACY_INSNS] = { PMC_INSNS, PMC_GENERAL, LOOP_INSTRUCTIONS },
	[ACCURACY_INSNS_FIXED] = { PMC_INSNS, PMC_FIXED, LOOP_INSTRUCTIONS },
	[ACCURACY_INSNS_EXITS] = { PMC_INSNS, PMC_GENERAL, 20 },
	[ACCURACY_BRANCHES] = { PMC_BRANCHES, PMC_GENERAL, LOOP_BRANCHES },
};

BODY bool pmu_accuracy_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU))
		return false;
	subject = (enum accuracy_subject)params->operand;
	return pmc_setup_event(subjects[subject].event, subjects[subject].kind);
}

BODY void chain(void)
{
	__asm__ volatile(CHAIN_CODE ::: "eax", "cc", "memory");
}

BODY void loop(void)
{
	__asm__ volatile(LOOP_CODE ::: "eax", "cc", "memory");
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

/* Only `op` and two reads; the choice of `op` precedes the first read. */
#define COUNT(op)                                                                        \
	({                                                                               \
		uint64_t first = pmc_read();                                             \
                                                                                         \
		op;                                                                      \
		pmc_read() - first;                                                      \
	})

/* One copy for all phases: its pages are mapped when the events begin. */
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

BODY uint64_t count_nothing(void)
{
	return COUNT();
}

BODY uint64_t count_expected(void)
{
	return subjects[subject].expected;
}

BODY_ROW_OF(pmu_accuracy, .setup = pmu_accuracy_setup, .measure = count,
	    .measure_twin = count_expected, .measure_nothing = count_nothing);

/* Overflow: the body waits for the interrupt of a counter's overflow. */
#define OVERFLOW_AFTER 10000 /* cycles; the body waits before the overflow comes */

struct overflow {
	uint64_t before;  /* the interrupted code's last read of the clock */
	uint64_t handled; /* the handler's first read of the clock */
	uint64_t count;	  /* the counter, just after that */
};

static volatile struct overflow overflow;

/* The delivery has masked the LVT entry; the handler unmasks the entry. */
static MACHINE_INTERRUPT void on_overflow(struct machine_frame *frame)
{
	(void)frame;
	overflow.handled = clock_start();
	overflow.count = pmc_read();
	if (pmc_counter.clear_msr)
		apic_wrmsr(pmc_counter.clear_msr, pmc_counter.clear);
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	apic_write(APIC_EOI, 0);
}

BODY bool overflow_setup(const struct abi_params *params)
{
	if (!(params->flags & ABI_FLAG_PMU) || !pmc_setup_interrupt(PMC_CYCLES, PMC_ANY))
		return false;
	machine_handler(APIC_VECTOR, on_overflow);
	apic_enable();
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	return true;
}

BODY struct overflow overflow_wait(void)
{
	uint64_t before, now;

	overflow.handled = 0;
	__asm__ volatile("sti" ::: "memory");
	pmc_write(-(uint64_t)OVERFLOW_AFTER);
	for (now = before = clock_start(); !overflow.handled; now = clock_start())
		before = now;
	__asm__ volatile("cli" ::: "memory");
	/* The last read may precede the handler's read, too. */
	if (now < overflow.handled)
		before = now;
	return (struct overflow){ before, overflow.handled, overflow.count };
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
