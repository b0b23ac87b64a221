/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: what the counters count, and the code that is counted; filters, by
 * privilege level, by cycle, across HLT.
 */
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define REFERENCE (EVENT_CYCLES | 0x100)

#define CHAINS	      100
#define CHAINS_CYCLES (CHAINS * CHAIN_CYCLES)

/* The empty run, which is subtracted, may take some cycles more than in the full run. */
#define CYCLES_LEAST (CHAINS_CYCLES - CHAINS_CYCLES / 100)
#define CYCLES_MOST  (CHAINS_CYCLES * 4)

/* Reference clocks are 25 MHz to 4 GHz, cores 0.5 to 10 GHz. */
#define REFERENCE_LEAST (CHAINS_CYCLES / 400)
#define REFERENCE_MOST	(CHAINS_CYCLES * 8)
#define SLOTS_MOST	(CHAINS_CYCLES * 16)

__attribute__((noinline)) void code_nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void code_loop(void)
{
	__asm__ volatile(LOOP_CODE ::: "eax", "cc", "memory");
}

static __attribute__((noinline)) void chain(void)
{
	uint32_t left = CHAINS;

	__asm__ volatile("1:\n\t" CHAIN_CODE "\n\t"
			 "dec %%ecx\n\t"
			 "jnz 1b"
			 : "+c"(left)::"eax", "cc", "memory");
}

__attribute__((noinline)) void pmu_run(uint64_t enabled, void (*function)(void))
{
	pmu_start(enabled);
	function();
	pmu_stop();
}

uint64_t pmu_count(uint32_t n, void (*function)(void))
{
	pmu_write(n, 0);
	pmu_run(pmu_bit(n), function);
	return pmu_read(n);
}

/*
 * The count of `function` without that of the switching on and off. The first run fills
 * caches, and page tables of a hypervisor.
 */
static uint64_t count_alone(uint32_t n, void (*function)(void))
{
	uint64_t none, all;

	pmu_count(n, function);
	none = pmu_count(n, code_nothing);
	all = pmu_count(n, function);
	verdict_at_least(about_counter(n), all, none);
	return all < none ? 0 : all - none;
}

static void each_general(uint64_t event, void (*function)(void), uint64_t least,
			 uint64_t most)
{
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++) {
		pmu_select(n, event | BOTH);
		verdict_between(about_counter(n), count_alone(n, function), least, most);
		pmu_select(n, 0);
	}
}

/* Whether leaf 0xA EBX of Intel's CPUs reports an event, by its bit, as missing. */
static bool lacks_event(uint32_t bit)
{
	const struct cpuid leaf = cpuid(0xa, 0);

	if (pmu.vendor != PMU_INTEL)
		return false;
	return verdict_absent(bit >= leaf.eax >> 24 || leaf.ebx >> bit & 1);
}

void pmu_test_gp_instructions(void)
{
	if (!lacks_event(1))
		each_general(pmu.instructions, code_loop, LOOP_INSTRUCTIONS,
			     LOOP_INSTRUCTIONS);
}

void pmu_test_gp_branches(void)
{
	if (!lacks_event(5))
		each_general(pmu.branches, code_loop, LOOP_BRANCHES, LOOP_BRANCHES);
}

void pmu_test_gp_cycles(void)
{
	if (!lacks_event(0))
		each_general(pmu.cycles, chain, CYCLES_LEAST, CYCLES_MOST);
}

void pmu_test_gp_reference(void)
{
	if (!lacks_event(2))
		each_general(REFERENCE, chain, REFERENCE_LEAST, REFERENCE_MOST);
}

static uint64_t fixed_count(uint32_t index, void (*function)(void))
{
	pmu_select(pmu.n_gp + index, 3);
	return count_alone(pmu.n_gp + index, function);
}

void pmu_test_fixed_instructions(void)
{
	if (!verdict_absent(pmu.n_fixed < 1))
		verdict_equal(about_counter(pmu.n_gp), fixed_count(0, code_loop),
			      LOOP_INSTRUCTIONS);
}

void pmu_test_fixed_cycles(void)
{
	if (!verdict_absent(pmu.n_fixed < 2))
		verdict_between(about_counter(pmu.n_gp + 1), fixed_count(1, chain),
				CYCLES_LEAST, CYCLES_MOST);
}

void pmu_test_fixed_reference(void)
{
	if (!verdict_absent(pmu.n_fixed < 3))
		verdict_between(about_counter(pmu.n_gp + 2), fixed_count(2, chain),
				REFERENCE_LEAST, REFERENCE_MOST);
}

void pmu_test_fixed_slots(void)
{
	if (!verdict_absent(pmu.n_fixed < 4))
		verdict_between(about_counter(pmu.n_gp + 3), fixed_count(3, chain),
				CYCLES_LEAST, SLOTS_MOST);
}

void pmu_test_stopped(void)
{
	uint32_t n;

	if (verdict_absent(!pmu.control))
		return;
	for (n = 0; n < pmu.n_gp + pmu.n_fixed; n++) {
		pmu_select(n, pmu_is_fixed(n) ? 3 : pmu.instructions | BOTH);
		pmu_write(n, 5);
		pmu_run(pmu.counters & ~pmu_bit(n), code_loop);
		verdict_equal(about_counter(n), pmu_read(n), 5);
	}
}

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
