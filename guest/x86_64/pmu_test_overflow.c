/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: widths of counters, overflow, the global status; the overflow
 * interrupt, freezing; and the interrupt that ends HLT.
 */
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

void pmu_test_gp_width(void)
{
	uint32_t n;

	if (verdict_absent(!(pmu.capabilities & FULL_WIDTH)))
		return;
	for (n = 0; n < pmu.n_gp; n++) {
		pmu_write(n, ~0ull);
		verdict_msr(MSR_A_PMC0 + n, pmu.gp_mask);
		verdict_msr(MSR_PMC0 + n, pmu.gp_mask);
		verdict_writes(MSR_A_PMC0 + n, pmu.gp_mask + 1, false);
	}
}

void pmu_test_gp_signed(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		try_wrmsr(MSR_PMC0 + n, 0x7fffffff);
		verdict_msr(MSR_PMC0 + n, 0x7fffffff);
		try_wrmsr(MSR_PMC0 + n, 0x80000000);
		verdict_msr(MSR_PMC0 + n, pmu.gp_mask & ~0x7fffffffull);
	}
}

void pmu_test_fixed_width(void)
{
	uint32_t n;

	if (verdict_absent(!pmu.n_fixed))
		return;
	for (n = pmu.n_gp; n < pmu.n_gp + pmu.n_fixed; n++) {
		pmu_write(n, ~0ull);
		verdict_msr(pmu_counter_msr(n), pmu.fixed_mask);
		verdict_writes(pmu_counter_msr(n), pmu.fixed_mask + 1, false);
	}
}

static void wrap(uint32_t n, uint64_t event)
{
	uint64_t counted;

	pmu_select(n, event);
	counted = pmu_count(n, code_loop);
	pmu_clear_status();
	verdict_status(0);
	pmu_write(n, -100ull);
	pmu_run(pmu_bit(n), code_loop);
	verdict_equal(about_counter(n), pmu_read(n), counted - 100);
	verdict_status(pmu_bit(n));
	pmu_clear_status();
	pmu_select(n, 0);
}

void pmu_test_gp_wrap(void)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++)
		wrap(n, pmu.instructions | BOTH);
}

void pmu_test_fixed_wrap(void)
{
	if (!verdict_absent(!pmu.n_fixed))
		wrap(pmu.n_gp, 3);
}

/* Overflows counters 0 and 1. */
static void overflow_two(void)
{
	uint32_t n;

	for (n = 0; n < 2; n++) {
		pmu_select(n, pmu.instructions | BOTH);
		pmu_write(n, -100ull);
	}
	pmu_run(3, code_loop);
}

void pmu_test_status_reset(void)
{
	if (verdict_absent(pmu.n_gp < 2 || !pmu.status))
		return;
	overflow_two();
	verdict_status(3);
	try_wrmsr(pmu.clear, 2);
	verdict_status(1);
}

/* General counter 0, and fixed counter 0 if there is one. */
static uint64_t first_counters(void)
{
	return pmu_bit(0) | (pmu.n_fixed ? pmu_bit(pmu.n_gp) : 0);
}

void pmu_test_status_set(void)
{
	if (verdict_absent(pmu.version < 4))
		return;
	verdict_writes(MSR_GLOBAL_SET, first_counters(), true);
	verdict_msr(MSR_GLOBAL_STATUS, first_counters());
	verdict_writes(MSR_GLOBAL_SET, 1ull << 31, false);
}

void pmu_test_in_use(void)
{
	if (verdict_absent(pmu.version < 4))
		return;
	verdict_msr(MSR_GLOBAL_INUSE, 0);
	pmu_select(0, pmu.instructions);
	if (pmu.n_fixed)
		pmu_select(pmu.n_gp, 1);
	verdict_msr(MSR_GLOBAL_INUSE, first_counters());
	pmu_select(0, pmu.instructions | EVTSEL_INT);
	verdict_msr(MSR_GLOBAL_INUSE, first_counters() | 1ull << 63);
}

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
