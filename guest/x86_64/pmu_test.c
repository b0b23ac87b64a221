/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of `wsbench selftest pmu`: Intel's architectural PMU against the manual
 * (SDM vol. 3B, chapter 20). Replaces sample.c. The ideas are those of kvm-unit-tests'
 * x86/pmu.c.
 */
#include <stdbool.h>

#include "bench/pmu.h"
#include "guest/runtime.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/cpuid.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_bits.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define MSR_A_PMC0	      0x4c1
#define MSR_DEBUGCTL	      0x1d9
#define MSR_PERF_CAPABILITIES 0x345
#define MSR_GLOBAL_STATUS     0x38e
#define MSR_GLOBAL_SET	      0x391
#define MSR_GLOBAL_INUSE      0x392

#define CYCLES		EVENT_CYCLES
#define REFERENCE	(EVENT_CYCLES | 0x100)
#define INSTRUCTIONS	EVENT_INSNS
#define BRANCHES	EVENT_BRANCHES
#define EVTSEL_EDGE	(1ull << 18)
#define EVTSEL_INV	(1ull << 23)
#define EVTSEL_CMASK(n) ((uint64_t)(n) << 24)
#define BOTH		(EVTSEL_OS | EVTSEL_USR | EVTSEL_EN)

#define STATUS_FROZEN	(1ull << 59)
#define DEBUGCTL_FREEZE (1ull << 12)
#define CR4_PCE		(1ull << 8)

#define CHAINS	      100
#define CHAINS_CYCLES (CHAINS * CHAIN_CYCLES)

/* The empty run, which is subtracted, may take some cycles more than in the full run. */
#define CYCLES_LEAST (CHAINS_CYCLES - CHAINS_CYCLES / 100)
#define CYCLES_MOST  (CHAINS_CYCLES * 4)

/* Reference clocks are 25 MHz to 4 GHz, cores 0.5 to 10 GHz. */
#define REFERENCE_LEAST (CHAINS_CYCLES / 400)
#define REFERENCE_MOST	(CHAINS_CYCLES * 8)
#define SLOTS_MOST	(CHAINS_CYCLES * 16)

/* What CPUID reports. */
static uint32_t version, n_gp, n_fixed;
static uint64_t gp_mask, fixed_mask, counters; /* `counters`: as in GLOBAL_CTRL */
static uint64_t perf_capabilities;
static struct pmu_bits valid;

static enum pmu_test current;
static uint64_t *verdicts, *found, *wanted;

/* ---- verdicts --------------------------------------------------------------------- */

static void record(bool pass, enum pmu_relation relation, uint64_t about, uint64_t got,
		   uint64_t other)
{
	if (pass || PMU_RESULT_VERDICT(verdicts[current]) == PMU_FAIL)
		return;
	verdicts[current] = PMU_RESULT(PMU_FAIL, relation, about);
	found[current] = got;
	wanted[current] = other;
}

/* `about`: PMU_ABOUT(). */
static void equal(uint64_t about, uint64_t got, uint64_t expected)
{
	record(got == expected, PMU_EQUAL, about, got, expected);
}

static void at_least(uint64_t about, uint64_t got, uint64_t least)
{
	record(got >= least, PMU_AT_LEAST, about, got, least);
}

static void at_most(uint64_t about, uint64_t got, uint64_t most)
{
	record(got <= most, PMU_AT_MOST, about, got, most);
}

static void between(uint64_t about, uint64_t got, uint64_t least, uint64_t most)
{
	at_least(about, got, least);
	at_most(about, got, most);
}

/* What the test is about is not on this CPU. */
static bool absent(bool condition)
{
	if (condition)
		verdicts[current] = PMU_ABSENT;
	return condition;
}

/* ---- registers -------------------------------------------------------------------- */

static uint64_t read_msr(uint32_t msr)
{
	uint64_t value;

	return try_rdmsr(msr, &value) ? value : 0xdeadull << 48;
}

/* Counters 0 to n_gp - 1 are general, the fixed ones follow. */
static bool is_fixed(uint32_t n)
{
	return n >= n_gp;
}

static uint64_t bit_of(uint32_t n)
{
	return is_fixed(n) ? GLOBAL_FIXED(n - n_gp) : GLOBAL_GENERAL(n);
}

static uint64_t mask_of(uint32_t n)
{
	return is_fixed(n) ? fixed_mask : gp_mask;
}

static uint32_t counter_msr(uint32_t n)
{
	if (is_fixed(n))
		return MSR_FIXED_CTR0 + n - n_gp;
	return (perf_capabilities & FULL_WIDTH ? MSR_A_PMC0 : MSR_PMC0) + n;
}

static uint64_t counter(uint32_t n)
{
	return is_fixed(n) ? PMU_ABOUT(PMU_FIXED, n - n_gp, 0)
			   : PMU_ABOUT(PMU_GENERAL, n, 0);
}

static uint64_t msr(uint32_t number)
{
	return PMU_ABOUT(PMU_MSR, number, 0);
}

static void writes(uint32_t number, uint64_t value, bool done)
{
	equal(PMU_ABOUT(PMU_WRMSR, number, 0), try_wrmsr(number, value), done);
}

static void set_counter(uint32_t n, uint64_t value)
{
	writes(counter_msr(n), value & mask_of(n), true);
}

/* PERFEVTSELn; or the four bits of FIXED_CTR_CTRL in its place, OS, USR, ANY, INT. */
static void select(uint32_t n, uint64_t event)
{
	uint64_t control;

	if (!is_fixed(n)) {
		writes(MSR_PERFEVTSEL0 + n, event, true);
		return;
	}
	control = read_msr(MSR_FIXED_CTR_CTRL) & ~(0xfull << 4 * (n - n_gp));
	try_wrmsr(MSR_FIXED_CTR_CTRL, control | event << 4 * (n - n_gp));
}

/* Everything off, zero, and without overflows. */
static void reset(void)
{
	uint32_t n;

	try_wrmsr(MSR_DEBUGCTL, 0);
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, 0);
	try_wrmsr(MSR_FIXED_CTR_CTRL, 0);
	for (n = 0; n < n_gp + n_fixed; n++) {
		if (!is_fixed(n))
			try_wrmsr(MSR_PERFEVTSEL0 + n, 0);
		try_wrmsr(counter_msr(n), 0);
	}
	try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, counters);
	if (version >= 4)
		try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, STATUS_FROZEN);
}

/* ---- what is counted -------------------------------------------------------------- */

static __attribute__((noinline)) void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void loop(void)
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

static __attribute__((noinline)) void run(uint64_t enabled, void (*function)(void))
{
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, enabled);
	function();
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, 0);
}

static uint64_t count(uint32_t n, void (*function)(void))
{
	set_counter(n, 0);
	run(bit_of(n), function);
	return read_msr(counter_msr(n));
}

/*
 * The count of `function` without that of the switching on and off. The first run fills
 * caches, and page tables of a hypervisor.
 */
static uint64_t count_alone(uint32_t n, void (*function)(void))
{
	uint64_t none, all;

	count(n, function);
	none = count(n, nothing);
	all = count(n, function);
	at_least(counter(n), all, none);
	return all < none ? 0 : all - none;
}

/* ---- counting --------------------------------------------------------------------- */

static void each_general(uint64_t event, void (*function)(void), uint64_t least,
			 uint64_t most)
{
	uint32_t n;

	for (n = 0; n < n_gp; n++) {
		select(n, event | BOTH);
		between(counter(n), count_alone(n, function), least, most);
		select(n, 0);
	}
}

/* Whether leaf 0xA EBX reports an event, by its bit, as missing. */
static bool lacks_event(uint32_t bit)
{
	const struct cpuid leaf = cpuid(0xa, 0);

	return absent(bit >= leaf.eax >> 24 || leaf.ebx >> bit & 1);
}

static void test_gp_instructions(void)
{
	if (!lacks_event(1))
		each_general(INSTRUCTIONS, loop, LOOP_INSTRUCTIONS, LOOP_INSTRUCTIONS);
}

static void test_gp_branches(void)
{
	if (!lacks_event(5))
		each_general(BRANCHES, loop, LOOP_BRANCHES, LOOP_BRANCHES);
}

static void test_gp_cycles(void)
{
	if (!lacks_event(0))
		each_general(CYCLES, chain, CYCLES_LEAST, CYCLES_MOST);
}

static void test_gp_reference(void)
{
	if (!lacks_event(2))
		each_general(REFERENCE, chain, REFERENCE_LEAST, REFERENCE_MOST);
}

static uint64_t fixed_count(uint32_t index, void (*function)(void))
{
	select(n_gp + index, 3);
	return count_alone(n_gp + index, function);
}

static void test_fixed_instructions(void)
{
	if (!absent(n_fixed < 1))
		equal(counter(n_gp), fixed_count(0, loop), LOOP_INSTRUCTIONS);
}

static void test_fixed_cycles(void)
{
	if (!absent(n_fixed < 2))
		between(counter(n_gp + 1), fixed_count(1, chain), CYCLES_LEAST,
			CYCLES_MOST);
}

static void test_fixed_reference(void)
{
	if (!absent(n_fixed < 3))
		between(counter(n_gp + 2), fixed_count(2, chain), REFERENCE_LEAST,
			REFERENCE_MOST);
}

static void test_fixed_slots(void)
{
	if (!absent(n_fixed < 4))
		between(counter(n_gp + 3), fixed_count(3, chain), CYCLES_LEAST,
			SLOTS_MOST);
}

static void test_stopped(void)
{
	uint32_t n;

	for (n = 0; n < n_gp + n_fixed; n++) {
		select(n, is_fixed(n) ? 3 : INSTRUCTIONS | BOTH);
		set_counter(n, 5);
		run(counters & ~bit_of(n), loop);
		equal(counter(n), read_msr(counter_msr(n)), 5);
	}
}

/* ---- widths, overflow ------------------------------------------------------------- */

static void test_gp_width(void)
{
	uint32_t n;

	if (absent(!(perf_capabilities & FULL_WIDTH)))
		return;
	for (n = 0; n < n_gp; n++) {
		set_counter(n, ~0ull);
		equal(msr(MSR_A_PMC0 + n), read_msr(MSR_A_PMC0 + n), gp_mask);
		equal(msr(MSR_PMC0 + n), read_msr(MSR_PMC0 + n), gp_mask);
		writes(MSR_A_PMC0 + n, gp_mask + 1, false);
	}
}

static void test_gp_signed(void)
{
	uint32_t n;

	for (n = 0; n < n_gp; n++) {
		try_wrmsr(MSR_PMC0 + n, 0x7fffffff);
		equal(msr(MSR_PMC0 + n), read_msr(MSR_PMC0 + n), 0x7fffffff);
		try_wrmsr(MSR_PMC0 + n, 0x80000000);
		equal(msr(MSR_PMC0 + n), read_msr(MSR_PMC0 + n),
		      gp_mask & ~0x7fffffffull);
	}
}

static void test_fixed_width(void)
{
	uint32_t n;

	if (absent(!n_fixed))
		return;
	for (n = n_gp; n < n_gp + n_fixed; n++) {
		set_counter(n, ~0ull);
		equal(msr(counter_msr(n)), read_msr(counter_msr(n)), fixed_mask);
		writes(counter_msr(n), fixed_mask + 1, false);
	}
}

static void wrap(uint32_t n, uint64_t event)
{
	uint64_t counted;

	select(n, event);
	counted = count(n, loop);
	try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, counters);
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), 0);
	set_counter(n, -100ull);
	run(bit_of(n), loop);
	equal(counter(n), read_msr(counter_msr(n)), counted - 100);
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), bit_of(n));
	try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, counters);
	select(n, 0);
}

static void test_gp_wrap(void)
{
	uint32_t n;

	for (n = 0; n < n_gp; n++)
		wrap(n, INSTRUCTIONS | BOTH);
}

static void test_fixed_wrap(void)
{
	if (!absent(!n_fixed))
		wrap(n_gp, 3);
}

/* Overflows counters 0 and 1. */
static void overflow_two(void)
{
	uint32_t n;

	for (n = 0; n < 2; n++) {
		select(n, INSTRUCTIONS | BOTH);
		set_counter(n, -100ull);
	}
	run(3, loop);
}

static void test_status_reset(void)
{
	if (absent(n_gp < 2))
		return;
	overflow_two();
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), 3);
	try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, 2);
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), 1);
}

/* General counter 0, and fixed counter 0 if there is one. */
static uint64_t first_counters(void)
{
	return bit_of(0) | (n_fixed ? bit_of(n_gp) : 0);
}

static void test_status_set(void)
{
	if (absent(version < 4))
		return;
	writes(MSR_GLOBAL_SET, first_counters(), true);
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), first_counters());
	writes(MSR_GLOBAL_SET, 1ull << 31, false);
}

static void test_in_use(void)
{
	if (absent(version < 4))
		return;
	equal(msr(MSR_GLOBAL_INUSE), read_msr(MSR_GLOBAL_INUSE), 0);
	select(0, INSTRUCTIONS);
	if (n_fixed)
		select(n_gp, 1);
	equal(msr(MSR_GLOBAL_INUSE), read_msr(MSR_GLOBAL_INUSE), first_counters());
	select(0, INSTRUCTIONS | EVTSEL_INT);
	equal(msr(MSR_GLOBAL_INUSE), read_msr(MSR_GLOBAL_INUSE),
	      first_counters() | 1ull << 63);
}

/* ---- privilege levels, filters ---------------------------------------------------- */

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
	for (at_cpl = nothing;; at_cpl = loop) {
		select(0, INSTRUCTIONS | EVTSEL_EN | EVTSEL_OS);
		select(1, INSTRUCTIONS | EVTSEL_EN | EVTSEL_USR);
		for (n = 0; n < 2; n++)
			set_counter(n, 0);
		run(3, there);
		if (at_cpl == loop)
			break;
		for (n = 0; n < 2; n++)
			before[n] = read_msr(counter_msr(n));
	}
	equal(PMU_ABOUT(PMU_AT_CPL, 0, level), read_msr(counter_msr(0)) - before[0], os);
	equal(PMU_ABOUT(PMU_AT_CPL, 1, level), read_msr(counter_msr(1)) - before[1], usr);
	/* At CPL 0 nothing is USR. */
	if (!level)
		equal(PMU_ABOUT(PMU_AT_CPL, 1, 0), before[1], 0);
}

static void test_os_filter(void)
{
	if (!absent(n_gp < 2))
		filter(0, LOOP_INSTRUCTIONS, 0);
}

static void test_usr_filter(void)
{
	if (!absent(n_gp < 2))
		filter(3, 0, LOOP_INSTRUCTIONS);
}

static void test_middle_rings(void)
{
	if (absent(n_gp < 2))
		return;
	filter(1, 0, LOOP_INSTRUCTIONS);
	filter(2, 0, LOOP_INSTRUCTIONS);
}

static void test_cmask(void)
{
	uint32_t n;

	if (absent(n_gp < 4))
		return;
	select(0, CYCLES | BOTH);
	select(1, INSTRUCTIONS | BOTH | EVTSEL_CMASK(1));
	select(2, INSTRUCTIONS | BOTH | EVTSEL_CMASK(1) | EVTSEL_INV);
	select(3, INSTRUCTIONS | BOTH | EVTSEL_CMASK(255));
	for (n = 0; n < 4; n++)
		set_counter(n, 0);
	run(0xf, loop);
	at_least(counter(1), read_msr(counter_msr(1)), 1);
	equal(PMU_ABOUT(PMU_SUM, 1, 2),
	      read_msr(counter_msr(1)) + read_msr(counter_msr(2)),
	      read_msr(counter_msr(0)));
	equal(counter(3), read_msr(counter_msr(3)), 0);
}

/* ---- interrupts ------------------------------------------------------------------- */

#define TIMER_VECTOR 0x61

static volatile uint32_t interrupts, ticks, lvt_at_interrupt;
static volatile uint64_t status_at_interrupt;

static MACHINE_INTERRUPT void on_pmi(struct machine_frame *frame)
{
	uint32_t low, high;

	(void)frame;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_GLOBAL_STATUS));
	status_at_interrupt = low | (uint64_t)high << 32;
	lvt_at_interrupt = *(volatile uint32_t *)(uint64_t)(APIC_GPA + APIC_LVT_PMC);
	interrupts++;
	apic_write(APIC_EOI, 0);
}

static MACHINE_INTERRUPT void on_timer(struct machine_frame *frame)
{
	(void)frame;
	ticks++;
	apic_write(APIC_EOI, 0);
}

static void allow_interrupts(void)
{
	interrupts = ticks = 0;
	apic_write(APIC_LVT_PMC, APIC_VECTOR);
	__asm__ volatile("sti" ::: "memory");
}

static void forbid_interrupts(void)
{
	__asm__ volatile("nop; cli" ::: "memory");
	apic_write(APIC_LVT_PMC, APIC_LVT_MASKED);
}

static void overflow_with(uint64_t event)
{
	select(0, INSTRUCTIONS | BOTH | event);
	set_counter(0, -100ull);
	allow_interrupts();
	run(1, loop);
	/* Again: the delivery has masked the entry. */
	set_counter(0, -100ull);
	run(1, loop);
	forbid_interrupts();
}

static void test_pmi(void)
{
	overflow_with(EVTSEL_INT);
	equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), interrupts, 1);
	equal(PMU_ABOUT(PMU_MSR_IN_PMI, MSR_GLOBAL_STATUS, 0),
	      status_at_interrupt & counters, 1);
	equal(PMU_ABOUT(PMU_APIC_IN_PMI, APIC_LVT_PMC, 0), lvt_at_interrupt,
	      APIC_LVT_MASKED | APIC_VECTOR);
}

static void test_no_pmi(void)
{
	overflow_with(0);
	equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), interrupts, 0);
	equal(msr(MSR_GLOBAL_STATUS), read_msr(MSR_GLOBAL_STATUS), 1);
}

static void test_freeze(void)
{
	uint64_t frozen_at;

	if (absent(n_gp < 2))
		return;
	writes(MSR_DEBUGCTL, DEBUGCTL_FREEZE, true);
	equal(msr(MSR_DEBUGCTL), read_msr(MSR_DEBUGCTL), DEBUGCTL_FREEZE);
	select(0, INSTRUCTIONS | BOTH | EVTSEL_INT);
	select(1, INSTRUCTIONS | BOTH);
	set_counter(0, -100ull);
	allow_interrupts();
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, 3);
	loop();
	forbid_interrupts();
	frozen_at = read_msr(counter_msr(1));
	loop();
	equal(PMU_ABOUT(PMU_INTERRUPTS, 0, 0), interrupts, 1);
	equal(counter(1), read_msr(counter_msr(1)), frozen_at);
	at_most(counter(1), frozen_at, LOOP_INSTRUCTIONS);
	if (version >= 4) {
		equal(PMU_ABOUT(PMU_MSR_IN_PMI, MSR_GLOBAL_STATUS, 0),
		      status_at_interrupt, STATUS_FROZEN | 1);
		/* Clearing the bit thaws. */
		try_wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, STATUS_FROZEN | 1);
		loop();
		at_least(counter(1), read_msr(counter_msr(1)),
			 frozen_at + LOOP_INSTRUCTIONS);
	} else {
		equal(msr(MSR_PERF_GLOBAL_CTRL), read_msr(MSR_PERF_GLOBAL_CTRL), 0);
	}
}

/* ---- HLT -------------------------------------------------------------------------- */

#define HALT_TICKS 100000
#define HALTS	   10

/* Sleeps until the APIC's timer has expired. */
static void halt(void)
{
	ticks = 0;
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	apic_write(APIC_TIMER_INITIAL, HALT_TICKS);
	while (!ticks)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
}

/*
 * Counter 1 has an overflow pending for some time in HLT, when nothing may be counted: at
 * most a wake-up's cycles, far fewer than the timer's ticks. The NOPs shift the HLT
 * against the overflow.
 */
static void test_halted(void)
{
	uint32_t nops, left;

	if (absent(n_gp < 2))
		return;
	apic_write(APIC_LVT_PMC, APIC_LVT_MASKED);
	for (nops = 0; nops < 10; nops++) {
		reset();
		select(0, CYCLES | BOTH);
		select(1, CYCLES | BOTH | EVTSEL_INT);
		set_counter(0, 0);
		set_counter(1, -2000ull);
		try_wrmsr(MSR_PERF_GLOBAL_CTRL, 3);
		for (left = nops; left; left--)
			__asm__ volatile("nop");
		halt();
		try_wrmsr(MSR_PERF_GLOBAL_CTRL, 0);
		between(counter(0), read_msr(counter_msr(0)), 1, HALT_TICKS / 2);
	}
}

static void test_cmask_halted(void)
{
	uint32_t n;

	if (absent(n_gp < 3))
		return;
	select(0, CYCLES | BOTH);
	select(1, INSTRUCTIONS | BOTH | EVTSEL_CMASK(1));
	select(2, INSTRUCTIONS | BOTH | EVTSEL_CMASK(1) | EVTSEL_INV);
	for (n = 0; n < 3; n++)
		set_counter(n, 0);
	run(7, halt);
	at_least(counter(1), read_msr(counter_msr(1)), 1);
	equal(PMU_ABOUT(PMU_SUM, 1, 2),
	      read_msr(counter_msr(1)) + read_msr(counter_msr(2)),
	      read_msr(counter_msr(0)));
}

/* The cycles stop in HLT: an edge at each wake-up, and one where counting begins. */
static void test_edge(void)
{
	uint32_t i;

	select(0, CYCLES | BOTH | EVTSEL_CMASK(1) | EVTSEL_EDGE);
	set_counter(0, 0);
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, 1);
	for (i = 0; i < HALTS; i++)
		halt();
	try_wrmsr(MSR_PERF_GLOBAL_CTRL, 0);
	between(counter(0), read_msr(counter_msr(0)), HALTS, HALTS + 1);
}

/* ---- reserved bits, missing registers --------------------------------------------- */

static void each_reserved(uint32_t number, uint64_t allowed)
{
	uint32_t bit;

	for (bit = 0; bit < 64; bit++)
		if (!(allowed >> bit & 1))
			equal(PMU_ABOUT(PMU_WRMSR_BIT, number, bit),
			      try_wrmsr(number, 1ull << bit), false);
}

static void test_reserved_select(void)
{
	uint32_t n;

	for (n = 0; n < n_gp; n++)
		each_reserved(MSR_PERFEVTSEL0 + n,
			      valid.select | (n == 2 ? valid.select_2 : 0));
}

static void test_reserved_fixed(void)
{
	if (!absent(!valid.fixed_counters))
		each_reserved(MSR_FIXED_CTR_CTRL, valid.fixed);
}

static void test_reserved_global(void)
{
	each_reserved(MSR_PERF_GLOBAL_CTRL, valid.global);
}

static void test_reserved_status(void)
{
	each_reserved(MSR_PERF_GLOBAL_OVF_CTRL, valid.status);
}

static void test_reserved_debugctl(void)
{
	each_reserved(MSR_DEBUGCTL, 0xffc7);
}

static void test_read_only(void)
{
	writes(MSR_GLOBAL_STATUS, 0, false);
	writes(MSR_PERF_CAPABILITIES, perf_capabilities, false);
	if (version >= 4)
		writes(MSR_GLOBAL_INUSE, 0, false);
}

static void test_absent_msrs(void)
{
	uint64_t value;

	if (n_gp < 8) {
		equal(PMU_ABOUT(PMU_RDMSR, MSR_PMC0 + n_gp, 0),
		      try_rdmsr(MSR_PMC0 + n_gp, &value), false);
		equal(PMU_ABOUT(PMU_RDMSR, MSR_PERFEVTSEL0 + n_gp, 0),
		      try_rdmsr(MSR_PERFEVTSEL0 + n_gp, &value), false);
		equal(PMU_ABOUT(PMU_RDMSR, MSR_A_PMC0 + n_gp, 0),
		      try_rdmsr(MSR_A_PMC0 + n_gp, &value), false);
	}
	if (n_fixed < 7 && !(valid.fixed_counters >> n_fixed & 1))
		equal(PMU_ABOUT(PMU_RDMSR, MSR_FIXED_CTR0 + n_fixed, 0),
		      try_rdmsr(MSR_FIXED_CTR0 + n_fixed, &value), false);
}

static void test_rdpmc(void)
{
	uint64_t value;
	uint32_t n;

	for (n = 0; n < n_gp + n_fixed; n++) {
		const uint32_t index = is_fixed(n) ? RDPMC_FIXED(n - n_gp) : n;

		set_counter(n, ~0x123ull << n);
		equal(PMU_ABOUT(PMU_RDPMC, index, 0), try_rdpmc(index, &value), true);
		equal(PMU_ABOUT(PMU_RDPMC_VALUE, index, 0), value,
		      read_msr(counter_msr(n)));
	}
}

static void test_rdpmc_index(void)
{
	uint64_t value;

	equal(PMU_ABOUT(PMU_RDPMC, n_gp, 0), try_rdpmc(n_gp, &value), false);
	if (!(valid.fixed_counters >> n_fixed & 1))
		equal(PMU_ABOUT(PMU_RDPMC, RDPMC_FIXED(n_fixed), 0),
		      try_rdpmc(RDPMC_FIXED(n_fixed), &value), false);
}

static volatile bool rdpmc_done;

static void rdpmc_0(void)
{
	uint64_t value;

	rdpmc_done = try_rdpmc(0, &value);
}

static void test_rdpmc_user(void)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	ring_call(3, rdpmc_0);
	equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 0), rdpmc_done, false);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_PCE) : "memory");
	ring_call(3, rdpmc_0);
	equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 1), rdpmc_done, true);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4) : "memory");
}

/* ---- all of them ------------------------------------------------------------------ */

#define PMU_TEST(id, text) [PMU_TEST_##id] = test_##id,
static void (*const tests[PMU_TESTS])(void) = {
#include "bench/pmu_tests.def"
};

/* false: no PMU of version 2 at least, which brought the global registers. */
static bool discover(void)
{
	struct pmu_bits_cpuid id;
	struct cpuid leaf;

	if (!cpuid_has_leaf(0xa))
		return false;
	leaf = cpuid(0xa, 0);
	version = leaf.eax & 0xff;
	n_gp = leaf.eax >> 8 & 0xff;
	n_fixed = leaf.edx & 0x1f;
	if (version < 2 || !n_gp || n_gp > 32)
		return false;
	gp_mask = (1ull << (leaf.eax >> 16 & 0xff)) - 1;
	fixed_mask = (1ull << (leaf.edx >> 5 & 0xff)) - 1;
	counters = ((1ull << n_gp) - 1) | ((1ull << n_fixed) - 1) << 32;
	if (!try_rdmsr(MSR_PERF_CAPABILITIES, &perf_capabilities))
		perf_capabilities = 0;
	id = (struct pmu_bits_cpuid){
		.pmu_eax = leaf.eax,
		.pmu_ecx = leaf.ecx,
		.pmu_edx = leaf.edx,
		.capabilities = perf_capabilities,
	};
	if (cpuid_has_leaf(7)) {
		leaf = cpuid(7, 0);
		id.features_ebx = leaf.ebx;
		/* ArchPerfmonExt. */
		if (leaf.eax >= 1 && cpuid(7, 1).eax >> 8 & 1)
			id.extended_ebx = cpuid(0x23, 0).ebx;
	}
	valid = pmu_bits(&id);
	return true;
}

void sample_all(const struct abi_params *params)
{
	if (params->events != PMU_TESTS || !(params->flags & ABI_FLAG_PMU) || !discover())
		runtime_stop(ABI_STATE_ABSENT);
	verdicts = runtime_series(ABI_PHASE_EVENT);
	found = runtime_series(ABI_PHASE_TWIN);
	wanted = runtime_series(ABI_PHASE_NULL);
	rings_init();
	machine_handler(APIC_VECTOR, on_pmi);
	machine_handler(TIMER_VECTOR, on_timer);
	apic_enable();
	for (current = 0; current < PMU_TESTS; current++) {
		reset();
		verdicts[current] = PMU_PASS;
		tests[current]();
	}
	runtime_series_end(ABI_PHASE_NULL, params->events);
	runtime_series_end(ABI_PHASE_EVENT, params->events);
	runtime_series_end(ABI_PHASE_TWIN, params->events);
}
