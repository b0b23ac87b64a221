/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: what the counters count, and the code that is counted. */
#include "guest/x86_64/cpuid.h"
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
