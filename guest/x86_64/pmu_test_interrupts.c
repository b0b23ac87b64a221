/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: the overflow interrupt, freezing; and the interrupt that ends HLT.
 */
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define TIMER_VECTOR 0x61

volatile struct pmi pmi;
static volatile uint32_t ticks;

static MACHINE_INTERRUPT void on_pmi(struct machine_frame *frame)
{
	uint32_t low = 0, high = 0;

	(void)frame;
	if (pmu.status)
		__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(pmu.status));
	pmi.status = low | (uint64_t)high << 32;
	pmi.lvt = *(volatile uint32_t *)(uint64_t)(APIC_GPA + APIC_LVT_PMC);
	pmi.count++;
	apic_write(APIC_EOI, 0);
}

static MACHINE_INTERRUPT void on_timer(struct machine_frame *frame)
{
	(void)frame;
	ticks++;
	apic_write(APIC_EOI, 0);
}

void interrupts_init(void)
{
	machine_handler(APIC_VECTOR, on_pmi);
	machine_handler(TIMER_VECTOR, on_timer);
	apic_enable();
}

void interrupts_halt(void)
{
	ticks = 0;
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	apic_write(APIC_TIMER_INITIAL, HALT_TICKS);
	while (!ticks)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
}

static void allow_interrupts(void)
{
	pmi.count = ticks = 0;
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	__asm__ volatile("sti" ::: "memory");
}

static void forbid_interrupts(void)
{
	__asm__ volatile("nop; cli" ::: "memory");
	apic_write(APIC_LVT_PMC, APIC_LVT_MASKED);
}

void pmi_overflow_with(uint64_t event)
{
	pmu_select(0, pmu.instructions | BOTH | event);
	pmu_write(0, -100ull);
	allow_interrupts();
	pmu_run(1, code_loop);
	/* Again: on Intel's CPUs the delivery has masked the entry. */
	pmu_write(0, -100ull);
	pmu_run(1, code_loop);
	forbid_interrupts();
}

void pmu_test_pmi(void)
{
	pmi_overflow_with(EVTSEL_INT);
	verdict_equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), pmi.count, 1);
	verdict_equal(PMU_ABOUT(PMU_MSR_IN_PMI, MSR_GLOBAL_STATUS, 0),
		      pmi.status & pmu.counters, 1);
	verdict_equal(PMU_ABOUT(PMU_APIC_IN_PMI, APIC_LVT_PMC, 0), pmi.lvt,
		      APIC_LVT_MASKED | APIC_VECTOR);
}

void pmu_test_no_pmi(void)
{
	pmi_overflow_with(0);
	verdict_equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), pmi.count, 0);
	verdict_status(1);
}

void pmu_test_freeze(void)
{
	uint64_t frozen_at;

	if (verdict_absent(pmu.n_gp < 2))
		return;
	verdict_writes(MSR_DEBUGCTL, DEBUGCTL_FREEZE, true);
	verdict_msr(MSR_DEBUGCTL, DEBUGCTL_FREEZE);
	pmu_select(0, pmu.instructions | BOTH | EVTSEL_INT);
	pmu_select(1, pmu.instructions | BOTH);
	pmu_write(0, -100ull);
	allow_interrupts();
	pmu_start(3);
	code_loop();
	forbid_interrupts();
	frozen_at = pmu_read(1);
	code_loop();
	verdict_equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), pmi.count, 1);
	verdict_equal(about_counter(1), pmu_read(1), frozen_at);
	verdict_at_most(about_counter(1), frozen_at, LOOP_INSTRUCTIONS);
	if (pmu.version >= 4) {
		verdict_equal(PMU_ABOUT(PMU_MSR_IN_PMI, MSR_GLOBAL_STATUS, 0), pmi.status,
			      STATUS_FROZEN | 1);
		/* Clearing the bit thaws. */
		try_wrmsr(pmu.clear, STATUS_FROZEN | 1);
		code_loop();
		verdict_at_least(about_counter(1), pmu_read(1),
				 frozen_at + LOOP_INSTRUCTIONS);
	} else {
		verdict_msr(MSR_PERF_GLOBAL_CTRL, 0);
	}
}
