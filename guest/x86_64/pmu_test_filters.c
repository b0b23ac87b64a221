/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: filters, by privilege level, by cycle, across HLT. */
#include "guest/x86_64/apic.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

static unsigned int cpl;
static void (*at_cpl)(void);

static void there(void)
{
	if (cpl)
		ring_call(cpl, at_cpl);
	else
		at_cpl();
}

/* The loop's instructions at a CPL, by counter 0 for OS and counter 1 for USR. */
static void filter(unsigned int level, uint64_t os, uint64_t usr)
{
	uint64_t before[2] = { 0, 0 };
	uint32_t n;

	cpl = level;
	for (at_cpl = code_nothing;; at_cpl = code_loop) {
		pmu_select(0, pmu.instructions | EVTSEL_EN | EVTSEL_OS);
		pmu_select(1, pmu.instructions | EVTSEL_EN | EVTSEL_USR);
		for (n = 0; n < 2; n++)
			pmu_write(n, 0);
		pmu_run(3, there);
		if (at_cpl == code_loop)
			break;
		for (n = 0; n < 2; n++)
			before[n] = pmu_read(n);
	}
	verdict_equal(PMU_ABOUT(PMU_AT_CPL, 0, level), pmu_read(0) - before[0], os);
	verdict_equal(PMU_ABOUT(PMU_AT_CPL, 1, level), pmu_read(1) - before[1], usr);
	/* At CPL 0 nothing is USR. */
	if (!level)
		verdict_equal(PMU_ABOUT(PMU_AT_CPL, 1, 0), before[1], 0);
}

void pmu_test_os_filter(void)
{
	if (!verdict_absent(pmu.n_gp < 2))
		filter(0, LOOP_INSTRUCTIONS, 0);
}

void pmu_test_usr_filter(void)
{
	if (!verdict_absent(pmu.n_gp < 2))
		filter(3, 0, LOOP_INSTRUCTIONS);
}

void pmu_test_middle_rings(void)
{
	if (verdict_absent(pmu.n_gp < 2))
		return;
	filter(1, 0, LOOP_INSTRUCTIONS);
	filter(2, 0, LOOP_INSTRUCTIONS);
}

void pmu_test_cmask(void)
{
	uint32_t n;

	if (verdict_absent(pmu.n_gp < 4 || !pmu.control))
		return;
	pmu_select(0, pmu.cycles | BOTH);
	pmu_select(1, pmu.instructions | BOTH | EVTSEL_CMASK(1));
	pmu_select(2, pmu.instructions | BOTH | EVTSEL_CMASK(1) | EVTSEL_INV);
	pmu_select(3, pmu.instructions | BOTH | EVTSEL_CMASK(pmu.cmask_never));
	for (n = 0; n < 4; n++)
		pmu_write(n, 0);
	pmu_run(0xf, code_loop);
	verdict_at_least(about_counter(1), pmu_read(1), 1);
	verdict_equal(PMU_ABOUT(PMU_SUM, 1, 2), pmu_read(1) + pmu_read(2), pmu_read(0));
	verdict_equal(about_counter(3), pmu_read(3), 0);
}

#define HALTS 10

/*
 * Counter 1 has an overflow pending for some time in HLT, when nothing may be counted: at
 * most a wake-up's cycles, far fewer than the timer's ticks. The NOPs shift the HLT
 * against the overflow.
 */
void pmu_test_halted(void)
{
	uint32_t nops, left;

	if (verdict_absent(pmu.n_gp < 2))
		return;
	apic_write(APIC_LVT_PMC, APIC_LVT_MASKED);
	for (nops = 0; nops < 10; nops++) {
		pmu_reset();
		pmu_select(0, pmu.cycles | BOTH);
		pmu_select(1, pmu.cycles | BOTH | EVTSEL_INT);
		pmu_write(0, 0);
		pmu_write(1, -2000ull);
		pmu_start(3);
		for (left = nops; left; left--)
			__asm__ volatile("nop");
		interrupts_halt();
		pmu_stop();
		verdict_between(about_counter(0), pmu_read(0), 1, HALT_TICKS / 2);
	}
}

void pmu_test_cmask_halted(void)
{
	uint32_t n;

	if (verdict_absent(pmu.n_gp < 3 || !pmu.control))
		return;
	pmu_select(0, pmu.cycles | BOTH);
	pmu_select(1, pmu.instructions | BOTH | EVTSEL_CMASK(1));
	pmu_select(2, pmu.instructions | BOTH | EVTSEL_CMASK(1) | EVTSEL_INV);
	for (n = 0; n < 3; n++)
		pmu_write(n, 0);
	pmu_run(7, interrupts_halt);
	verdict_at_least(about_counter(1), pmu_read(1), 1);
	verdict_equal(PMU_ABOUT(PMU_SUM, 1, 2), pmu_read(1) + pmu_read(2), pmu_read(0));
}

/* The cycles stop in HLT: an edge at each wake-up, and one where counting begins. */
void pmu_test_edge(void)
{
	uint32_t i;

	pmu_select(0, pmu.cycles | BOTH | EVTSEL_CMASK(1) | EVTSEL_EDGE);
	pmu_write(0, 0);
	pmu_start(1);
	for (i = 0; i < HALTS; i++)
		interrupts_halt();
	pmu_stop();
	verdict_between(about_counter(0), pmu_read(0), HALTS, HALTS + 1);
}
