/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of pmc_visible and pmc_hidden, and of the choice of the guest's PMC. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "guest/x86_64/pmc_choose.h"
#include "host/measure/figures.h"
#include "host/targets/target.h"

#define EVENTS 8
#define SPINS  4

static const struct bench row = { .handled_by = HANDLED_KERNEL, .exits = 1 };

static void fill(struct boot_report *rep, enum abi_phase phase, size_t n, uint64_t value)
{
	rep->guest.samples[phase] = n;
	rep->series[phase] = calloc(n, sizeof(uint64_t));
	for (size_t i = 0; i < n; i++)
		rep->series[phase][i] = value;
}

/*
 * Each read of the PMC exits and counts 5, the clock costs 3; an event takes 1,000 ticks,
 * of which the PMC counts 4. In a spin the PMC counts twice per tick.
 */
static void report(struct boot_report *rep)
{
	boot_report_init(rep);
	fill(rep, ABI_PHASE_PMC_NULL, EVENTS, 5);
	fill(rep, ABI_PHASE_PMC_NULL_CLOCK, EVENTS, 3);
	fill(rep, ABI_PHASE_PMC, EVENTS, 9);
	fill(rep, ABI_PHASE_PMC_CLOCK, EVENTS, 1003);
	fill(rep, ABI_PHASE_SPIN, SPINS, 20000);
	fill(rep, ABI_PHASE_SPIN_CLOCK, SPINS, 10000);
	rep->counts[ABI_PHASE_PMC_NULL] = (struct boot_counts){ .exits = 2 * EVENTS };
	rep->counts[ABI_PHASE_PMC] = (struct boot_counts){ .exits = 3 * EVENTS };
}

static struct visible computed(const struct boot_report *rep, bool exact)
{
	struct visible v;

	cr_assert_eq(visible_compute(&row, JUDGE_ALL, exact, rep, &v), 0);
	return v;
}

Test(visible, the_cost_of_reading_the_pmc_is_subtracted)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	v = computed(&rep, true);
	cr_assert_eq(v.n, EVENTS);
	cr_expect(v.proven);
	for (size_t i = 0; i < EVENTS; i++) {
		cr_expect_eq(v.visible[i], 4);
		cr_expect_eq(v.hidden[i], 1000 - 4); /* clock and PMC have one unit */
	}
	visible_free(&v);
	boot_report_free(&rep);
}

Test(visible, cycles_become_ticks_by_the_rate_of_the_boot)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	v = computed(&rep, false);
	cr_assert_neq(v.hidden, NULL);
	cr_expect_eq(v.hidden[0], 1000 - 4 / 2);
	visible_free(&v);
	boot_report_free(&rep);
}

Test(visible, with_a_changing_frequency_hidden_is_unknown)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	rep.series[ABI_PHASE_SPIN][2] = rep.series[ABI_PHASE_SPIN][3] = 25000;
	v = computed(&rep, false);
	cr_expect_eq(v.visible[0], 4);
	cr_expect_eq(v.hidden, NULL);
	cr_expect(strstr(v.reason, "2.0000") && strstr(v.reason, "2.5000"), "%s",
		  v.reason);
	visible_free(&v);
	boot_report_free(&rep);
}

Test(visible, without_spins_there_is_no_rate)
{
	char why[200] = "";

	cr_expect(isnan(visible_rate(NULL, NULL, 0, why, sizeof(why))));
	cr_expect_neq(*why, '\0');
}

/* The exits of the PMC reads are subtracted; a single extra exit is a failure. */
/* Under UBSan: no sum or difference of what a guest and a lab claim overflows. */
Test(visible, any_sample_and_any_count_is_arithmetic)
{
	static const int64_t ends[] = { INT64_MIN, -1, 0, INT64_MAX };
	struct boot_report rep;
	struct visible v;

	for (size_t i = 0; i < 256; i++) {
		int64_t a = ends[i % 4], b = ends[i / 4 % 4], c = ends[i / 16 % 4],
			d = ends[i / 64];
		struct boot_counts *all, *looks;

		report(&rep);
		for (size_t k = 0; k < EVENTS; k++) {
			rep.series[ABI_PHASE_PMC][k] = (uint64_t)a;
			rep.series[ABI_PHASE_PMC_NULL][k] = (uint64_t)b;
		}
		all = &rep.counts[ABI_PHASE_PMC];
		looks = &rep.counts[ABI_PHASE_PMC_NULL];
		*all = (struct boot_counts){ .exits = a, .user = b, .interrupts = c };
		*looks = (struct boot_counts){ .exits = d, .user = c, .interrupts = a };
		all->interrupts_exact = looks->interrupts_exact = i & 1;
		v = computed(&rep, i & 2);
		cr_expect_eq(v.n, EVENTS);
		visible_free(&v);
		boot_report_free(&rep);
	}
}

Test(visible, exits_are_checked)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	rep.counts[ABI_PHASE_PMC].exits++;
	v = computed(&rep, true);
	cr_expect(not(v.proven));
	cr_expect_eq(v.hidden, NULL);
	visible_free(&v);

	/* An interrupt in either phase explains one exit more or less. */
	rep.counts[ABI_PHASE_PMC].interrupts = 1;
	v = computed(&rep, true);
	cr_expect(v.proven);
	visible_free(&v);
	rep.counts[ABI_PHASE_PMC].interrupts = 0;
	rep.counts[ABI_PHASE_PMC].exits -= 2;
	rep.counts[ABI_PHASE_PMC_NULL].interrupts = 1;
	v = computed(&rep, true);
	cr_expect(v.proven);
	visible_free(&v);
	boot_report_free(&rep);
}

/* If KVM counts exits for interrupts, the number of other exits is exact. */
Test(visible, exits_for_interrupts_that_are_counted)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	rep.counts[ABI_PHASE_PMC].interrupts_exact = true;
	rep.counts[ABI_PHASE_PMC_NULL].interrupts_exact = true;
	rep.counts[ABI_PHASE_PMC].interrupts = 3;
	rep.counts[ABI_PHASE_PMC].exits += 3;
	rep.counts[ABI_PHASE_PMC_NULL].interrupts = 2;
	rep.counts[ABI_PHASE_PMC_NULL].exits += 2;
	v = computed(&rep, true);
	cr_expect(v.proven, "%s", v.reason);
	visible_free(&v);
	rep.counts[ABI_PHASE_PMC].exits--;
	v = computed(&rep, true);
	cr_expect(not(v.proven));
	visible_free(&v);
	boot_report_free(&rep);
}

Test(visible, a_guest_without_a_pmc_or_with_bad_samples_has_no_figures)
{
	struct boot_report rep;
	struct visible v;

	report(&rep);
	rep.guest.samples[ABI_PHASE_PMC_CLOCK] = EVENTS - 1;
	v = computed(&rep, true);
	cr_expect_eq(v.n, 0);
	rep.guest.samples[ABI_PHASE_PMC] = 0;
	v = computed(&rep, true);
	cr_expect_eq(v.n, 0);
	boot_report_free(&rep);
}

/* x86_64: the counter chosen by CPUID, and the register values by the manuals. */

Test(pmc_choose, fixed_counter_1_if_present)
{
	const struct pmc_cpuid id = { .pmu_eax = 0x07300802, .pmu_edx = 0x603 };
	struct pmc_counter c;

	cr_assert(pmc_choose(&id, PMC_CYCLES, PMC_ANY, &c));
	cr_expect_eq(c.rdpmc, 0x40000001);
	cr_expect_eq(c.count_msr, 0x30a);
	cr_expect_eq(c.select_msr, 0x38d);
	cr_expect_eq(c.select, 0x30);
	cr_expect_eq(c.global_msr, 0x38f);
	cr_expect_eq(c.global, 1ull << 33);
	cr_expect_eq(c.interrupt, 0x80);
	cr_expect_eq(c.clear_msr, 0x390);
	cr_expect_eq(c.clear, 1ull << 33);
	cr_expect_eq(c.bits, 48);
}

Test(pmc_choose, general_counter_0_on_version_1)
{
	struct pmc_cpuid id = { .pmu_eax = 0x07280201 };
	struct pmc_counter c;

	cr_assert(pmc_choose(&id, PMC_CYCLES, PMC_ANY, &c));
	cr_expect_eq(c.rdpmc, 0);
	cr_expect_eq(c.count_msr, 0xc1);
	cr_expect_eq(c.select_msr, 0x186);
	cr_expect_eq(c.select, 0x43003c);
	cr_expect_eq(c.global_msr, 0);

	id.pmu_ebx = 1; /* core cycles are not available */
	cr_expect(not(pmc_choose(&id, PMC_CYCLES, PMC_ANY, &c)));
}

Test(pmc_choose, amd_by_perfctr_ext_core)
{
	struct pmc_cpuid id = { .extended_ecx = 1u << 23 };
	struct pmc_counter c;

	cr_assert(pmc_choose(&id, PMC_CYCLES, PMC_ANY, &c));
	cr_expect_eq(c.rdpmc, 0);
	cr_expect_eq(c.count_msr, 0xc0010201);
	cr_expect_eq(c.select_msr, 0xc0010200);
	cr_expect_eq(c.select, 0x430076);
	cr_expect_eq(c.global_msr, 0);
	id.amd_pmu_eax = 1;
	cr_assert(pmc_choose(&id, PMC_CYCLES, PMC_ANY, &c));
	cr_expect_eq(c.global_msr, 0xc0000301);
	cr_expect_eq(c.global, 1);
	cr_expect_eq(c.clear_msr, 0xc0000302);
	cr_expect_eq(c.interrupt, 1u << 20);
}

Test(pmc_choose, other_events)
{
	const struct pmc_cpuid intel = { .pmu_eax = 0x07300802, .pmu_edx = 0x603 };
	const struct pmc_cpuid amd = { .extended_ecx = 1u << 23 };
	struct pmc_counter c;

	cr_assert(pmc_choose(&intel, PMC_INSNS, PMC_FIXED, &c));
	cr_expect_eq(c.rdpmc, 0x40000000);
	cr_expect_eq(c.count_msr, 0x309);
	cr_expect_eq(c.select, 3);
	cr_expect_eq(c.global, 1ull << 32);
	cr_assert(pmc_choose(&intel, PMC_INSNS, PMC_GENERAL, &c));
	cr_expect_eq(c.select, 0x4300c0);
	cr_expect_eq(c.global_msr, 0x38f);
	cr_assert(pmc_choose(&intel, PMC_BRANCHES, PMC_GENERAL, &c));
	cr_expect_eq(c.select, 0x4300c4);
	cr_expect(not(pmc_choose(&intel, PMC_BRANCHES, PMC_FIXED, &c)));
	cr_assert(pmc_choose(&amd, PMC_BRANCHES, PMC_ANY, &c));
	cr_expect_eq(c.select, 0x4300c2);
	cr_expect(not(pmc_choose(&amd, PMC_INSNS, PMC_FIXED, &c)));
}

Test(pmc_choose, no_counter_without_cpuid)
{
	const struct pmc_cpuid none = { 0 };
	struct pmc_counter c;

	cr_expect(not(pmc_choose(&none, PMC_INSNS, PMC_ANY, &c)));
}
