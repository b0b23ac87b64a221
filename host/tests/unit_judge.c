/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the verdict on counted exits: variable rows, limits, interrupts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "host/measure/figures.h"

#define EVENTS 500

static const struct result empty = { .n_checks = 0 };

static struct judgement judged(enum bench_handler handler, unsigned int exits,
			       unsigned int needs, const struct boot_counts *c)
{
	const struct bench row = { .handled_by = handler,
				   .exits = exits,
				   .needs = needs };
	struct judgement j;

	judge_exits(&row, JUDGE_ALL, EVENTS, c, &j);
	return j;
}

/* HANDLED_VARIES: every event exits, or none. */
Test(judge, a_variable_row_exits_always_or_never)
{
	struct judgement j;

	j = judged(HANDLED_VARIES, 1, 0, &(struct boot_counts){ .exits = EVENTS });
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL);
	j = judged(HANDLED_VARIES, 1, 0, &(struct boot_counts){ .exits = 0 });
	cr_expect(j.proven && j.handled_by == HANDLED_NONE && j.expected == 0);
	j = judged(HANDLED_VARIES, 1, 0, &(struct boot_counts){ .exits = EVENTS / 2 });
	cr_expect(not(j.proven));
}

/* HANDLED_AT_MOST: exits to the kernel up to the limit of the row, and no other exits. */
Test(judge, a_row_with_a_limit_keeps_it)
{
	struct judgement j;

	j = judged(HANDLED_AT_MOST, 1, 0, &(struct boot_counts){ .exits = 3 });
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL && j.observed == 3);
	j = judged(HANDLED_AT_MOST, 1, 0, &(struct boot_counts){ .exits = 0 });
	cr_expect(j.proven && j.handled_by == HANDLED_NONE);
	j = judged(HANDLED_AT_MOST, 1, 0,
		   &(struct boot_counts){ .exits = EVENTS + 2, .interrupts = 2 });
	cr_expect(j.proven);
	j = judged(HANDLED_AT_MOST, 1, 0, &(struct boot_counts){ .exits = EVENTS + 1 });
	cr_expect(not(j.proven));
	j = judged(HANDLED_AT_MOST, 1, 0, &(struct boot_counts){ .exits = 3, .user = 1 });
	cr_expect(not(j.proven));
}

/*
 * ipi_idle on two CPUs: the host tells only how many interrupts its CPUs took, the kicks
 * of the other vCPU among them. The sender's exits stay exits, whether 49, 50 or 51
 * interrupts fall into the phase.
 */
Test(judge, interrupts_of_all_cpus_do_not_explain_an_exit_of_every_event)
{
	struct boot_counts c = { .exits = EVENTS };
	struct judgement j;

	for (c.interrupts = EVENTS - 1; c.interrupts <= EVENTS + 1; c.interrupts++) {
		j = judged(HANDLED_AT_MOST, 1, 0, &c);
		cr_expect(j.proven && j.handled_by == HANDLED_KERNEL);
		cr_expect(eq(i64, j.observed, EVENTS));
	}
	/* Interrupts explain a surplus, or a few exits and no more. */
	c = (struct boot_counts){ .exits = EVENTS + 1, .interrupts = 2 };
	j = judged(HANDLED_AT_MOST, 1, 0, &c);
	cr_expect(j.proven && j.observed == EVENTS && j.expected == EVENTS);
	c = (struct boot_counts){ .exits = 3, .interrupts = 3 };
	j = judged(HANDLED_AT_MOST, 1, 0, &c);
	cr_expect(j.proven && j.handled_by == HANDLED_NONE && j.observed == 0);
	/* Interrupts that KVM counts for this vCPU are none of its own. */
	c = (struct boot_counts){ .exits = EVENTS,
				  .interrupts = EVENTS,
				  .interrupts_exact = true };
	j = judged(HANDLED_AT_MOST, 1, 0, &c);
	cr_expect(j.proven && j.handled_by == HANDLED_NONE);
	j = judged(HANDLED_AT_MOST, 1, NEEDS_INTERRUPT, &c);
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL && j.observed == EVENTS);
}

/* If KVM counts exits for interrupts, the guest caused the remaining exits. */
Test(judge, counted_interrupts_are_subtracted_exactly)
{
	struct boot_counts c = { .exits = EVENTS, .interrupts = EVENTS };
	struct judgement j = judged(HANDLED_NONE, 0, 0, &c);

	cr_expect(not(j.proven)); /* one exit per event, or interrupts */
	c.interrupts_exact = true;
	j = judged(HANDLED_NONE, 0, 0, &c);
	cr_expect(j.proven && j.handled_by == HANDLED_NONE);
	j = judged(HANDLED_KERNEL, 1, 0, &c);
	cr_expect(not(j.proven));
	c.exits = 2 * EVENTS;
	j = judged(HANDLED_KERNEL, 1, 0, &c);
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL);
	c.exits = 2 * EVENTS - 1;
	j = judged(HANDLED_KERNEL, 1, 0, &c);
	cr_expect(not(j.proven));
}

/* A row of the catalogue whose exits prove it, and whose statistic rose by `n`. */
static struct judgement counted(const char *id, enum arch arch, struct boot_counts c,
				int64_t n)
{
	const struct bench *row = bench_table;
	struct judgement j;

	while (row->id && strcmp(row->id, id))
		row++;
	cr_assert_not_null(row->id, "%s", id);
	c.statistic = n;
	judge_exits(row, JUDGE_ALL, EVENTS, &c, &j);
	cr_assert(j.proven, "%s", j.reason);
	judge_statistic(row, bench_claim(row, arch), JUDGE_ALL, EVENTS, &c, &j);
	return j;
}

/* A payload that reads an ID register in place of an HVC exits as often. */
Test(statistic, other_exits_disprove_a_row)
{
	const struct boot_counts c = { .exits = EVENTS };
	struct judgement j = counted("hypercall", ARCH_AARCH64, c, EVENTS);

	cr_expect(j.proven && j.statistic_expected == EVENTS &&
		  j.statistic_counted == EVENTS);
	j = counted("hypercall", ARCH_AARCH64, c, 0);
	cr_expect(not(j.proven));
	cr_expect(j.statistic_expected == EVENTS && j.statistic_counted == 0);
	cr_expect_str_eq(
		j.reason,
		"expected 500 HVCs in 500 events, KVM counted 0 (hvc_exit_stat): 500 exits");
	j = counted("hypercall", ARCH_AARCH64, c, EVENTS - 1);
	cr_expect(not(j.proven));
	j = counted("hypercall", ARCH_AARCH64, c, EVENTS + 1);
	cr_expect(not(j.proven));
	/* Interrupts of the host explain exits, and are not HVCs. */
	j = counted("hypercall", ARCH_AARCH64,
		    (struct boot_counts){ .exits = EVENTS + 3, .interrupts = 5 }, EVENTS);
	cr_expect(j.proven);
}

Test(statistic, is_not_checked_where_kvm_lacks_it)
{
	const struct boot_counts c = { .exits = EVENTS };
	const struct judgement j = counted("hypercall", ARCH_X86_64, c, -1);

	cr_expect(j.proven && j.statistic_expected == -1 && j.statistic_counted == -1);
	cr_expect_eq(counted("cpuid", ARCH_X86_64, c, EVENTS).statistic_counted, -1,
		     "the row names none");
}

/* Doorbells are accesses to a port on x86_64, MMIO on arm64. */
Test(statistic, doorbells_are_not_counted)
{
	struct boot_counts c = { .exits = EVENTS, .user = EVENTS };
	struct judgement j = counted("pio_out_user", ARCH_X86_64, c, EVENTS + 1);

	cr_expect(j.proven && j.statistic_counted == EVENTS);
	cr_expect(not(counted("pio_out_user", ARCH_X86_64, c, EVENTS).proven));
	cr_expect(counted("mmio_read_user", ARCH_AARCH64, c, EVENTS + 1).proven);
	cr_expect(counted("mmio_read_user", ARCH_X86_64, c, EVENTS).proven);
	/* With a reload before each event. */
	c = (struct boot_counts){ .exits = 2 * EVENTS, .user = EVENTS };
	j = counted("pio_coalesced", ARCH_X86_64, c, 2 * EVENTS + 1);
	cr_expect(j.proven && j.statistic_counted == EVENTS);
	cr_expect(not(counted("pio_coalesced", ARCH_X86_64, c, EVENTS + 1).proven));
	/* Emulated where the CPU does not save the next RIP. */
	c = (struct boot_counts){ .exits = EVENTS };
	cr_expect(counted("mmio_read_kernel", ARCH_X86_64, c, EVENTS).proven);
	j = counted("mmio_read_kernel", ARCH_X86_64, c, EVENTS + 1);
	cr_expect(j.proven && j.statistic_counted == EVENTS);
	cr_expect(not(counted("mmio_read_kernel", ARCH_X86_64, c, EVENTS + 2).proven));
	cr_expect(not(counted("mmio_read_kernel", ARCH_X86_64, c, EVENTS - 1).proven));
}

/* NEEDS_SLACK: the access with no count left is one to the port, too. */
Test(statistic, slack_is_an_access_more_of_each_event)
{
	struct boot_counts c = { .exits = 5 * EVENTS, .user = 4 * EVENTS };
	struct judgement j = counted("pio_string_user", ARCH_X86_64, c, 5 * EVENTS + 1);

	cr_expect(j.proven && j.statistic_counted == 4 * EVENTS);
	cr_expect(counted("pio_string_user", ARCH_X86_64, c, 4 * EVENTS + 1).proven);
	cr_expect(not(counted("pio_string_user", ARCH_X86_64, c, 5 * EVENTS + 2).proven));
	cr_expect(not(counted("pio_string_user", ARCH_X86_64, c, 4 * EVENTS).proven));
}

/* Exits that did not happen may be those that the statistic counts, and no others. */
Test(statistic, exits_that_did_not_happen_are_not_counted)
{
	struct boot_counts c = { .exits = EVENTS, .interrupts_exact = true };

	/* wfe: every event traps, or none. */
	cr_expect(counted("wfe", ARCH_AARCH64, c, EVENTS).proven);
	cr_expect(not(counted("wfe", ARCH_AARCH64, c, 0).proven));
	c.exits = 0;
	cr_expect(counted("wfe", ARCH_AARCH64, c, 0).proven);
	cr_expect(not(counted("wfe", ARCH_AARCH64, c, 1).proven));
	/* self_ipi: of three exits one is the window; with fewer, perhaps. */
	c.exits = 3 * EVENTS;
	cr_expect(counted("self_ipi", ARCH_X86_64, c, EVENTS).proven);
	cr_expect(not(counted("self_ipi", ARCH_X86_64, c, 0).proven));
	c.exits = 2 * EVENTS;
	cr_expect(counted("self_ipi", ARCH_X86_64, c, EVENTS).proven);
	cr_expect(counted("self_ipi", ARCH_X86_64, c, 0).proven);
	cr_expect(not(counted("self_ipi", ARCH_X86_64, c, EVENTS + 1).proven));
	c.exits = 5 * EVENTS / 2;
	cr_expect(counted("self_ipi", ARCH_X86_64, c, EVENTS / 2).proven);
	cr_expect(not(counted("self_ipi", ARCH_X86_64, c, EVENTS / 2 - 1).proven));
}

/* An effect of a config changes `exits`; the catalogue's number is the one that counts.
 */
Test(statistic, the_rule_is_that_of_the_catalogue_under_every_config)
{
	const struct boot_counts c = { .exits = EVENTS,
				       .interrupts_exact = true,
				       .statistic = 0 };
	const struct config *config = config_table;
	const struct bench *row = bench_table;
	struct judgement j;
	struct bench under;
	const char *skip;

	while (strcmp(config->name, "hlt-passthrough"))
		config++;
	while (strcmp(row->id, "hlt_kernel"))
		row++;
	under = judge_row(row, config, &empty, &skip);
	under.needs &= ~NEEDS_RELOAD;
	judge_exits(&under, JUDGE_ALL, EVENTS, &c, &j);
	judge_statistic(row, bench_claim(row, ARCH_X86_64), JUDGE_ALL, EVENTS, &c, &j);
	cr_expect(j.proven && j.statistic_counted == 0, "%s", j.reason);
}

/* Each claim is of a row that the guest times, and of exits that the row has. */
Test(statistic, claims_are_those_of_rows_that_exit)
{
	size_t claims = 0;

	for (const struct bench *b = bench_table; b->id; b++)
		for (int arch = 0; arch < ARCHS; arch++) {
			const struct bench_claim *c = bench_claim(b, (enum arch)arch);

			if (!c)
				continue;
			claims++;
			cr_expect(b->archs >> arch & 1, "%s", b->id);
			cr_expect(bench_statistic_table[c->statistic].archs >> arch & 1,
				  "%s", b->id);
			cr_expect_leq(c->times, b->exits, "%s", b->id);
			cr_expect_eq(b->needs & TIMED_BY_HOST, 0, "%s", b->id);
			/* A guest that exits to L1 is entered again. */
			if (b->needs & EXITS_TO_L1 && arch == ARCH_X86_64)
				cr_expect_eq(c->statistic, STATISTIC_nested_run, "%s",
					     b->id);
		}
	cr_expect_gt(claims, 80);
	for (const struct bench *b = bench_table; b->id; b++)
		if (b->needs & EXITS_TO_L1 && b->archs & ARCHS_X86_64)
			cr_expect_not_null(bench_claim(b, ARCH_X86_64), "%s", b->id);
	/* A copy is not a row of the table. */
	{
		const struct bench copy = bench_table[0];

		cr_expect_null(bench_claim(&copy, ARCH_X86_64));
		cr_expect_null(bench_claim(NULL, ARCH_X86_64));
	}
}

/* An emulator may cause one more exit to the kernel per event, but not to the VMM. */
Test(judge, slack_is_one_exit_to_the_kernel_per_event)
{
	struct judgement j;

	j = judged(HANDLED_USER, 4, NEEDS_SLACK,
		   &(struct boot_counts){ .exits = 5 * EVENTS, .user = 4 * EVENTS });
	cr_expect(j.proven && j.handled_by == HANDLED_USER);
	j = judged(HANDLED_USER, 4, NEEDS_SLACK,
		   &(struct boot_counts){ .exits = 4 * EVENTS, .user = 4 * EVENTS });
	cr_expect(j.proven);
	j = judged(HANDLED_USER, 4, NEEDS_SLACK,
		   &(struct boot_counts){ .exits = 6 * EVENTS, .user = 4 * EVENTS });
	cr_expect(not(j.proven));
	j = judged(HANDLED_USER, 4, 0,
		   &(struct boot_counts){ .exits = 5 * EVENTS, .user = 4 * EVENTS });
	cr_expect(not(j.proven));
}

/* HANDLED_OBSERVED: any handler, but one handler for all events. */
Test(judge, an_observed_row_has_one_handler)
{
	struct judgement j;

	j = judged(HANDLED_OBSERVED, 1, 0, &(struct boot_counts){ .exits = 0 });
	cr_expect(j.proven && j.handled_by == HANDLED_NONE && j.expected == 0);
	j = judged(HANDLED_OBSERVED, 1, 0, &(struct boot_counts){ .exits = EVENTS });
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL && j.expected == EVENTS);
	j = judged(HANDLED_OBSERVED, 1, 0,
		   &(struct boot_counts){ .exits = EVENTS, .user = EVENTS });
	cr_expect(j.proven && j.handled_by == HANDLED_USER && j.expected == EVENTS);
	j = judged(HANDLED_OBSERVED, 1, 0, &(struct boot_counts){ .exits = EVENTS - 1 });
	cr_expect(not(j.proven));
	j = judged(HANDLED_OBSERVED, 1, 0,
		   &(struct boot_counts){ .exits = EVENTS, .user = 1 });
	cr_expect(not(j.proven));
}

/* A software KVM reports only returns to user space: all events return, or none. */
Test(judge, an_observed_row_on_a_software_kvm)
{
	const struct bench row = { .handled_by = HANDLED_OBSERVED, .exits = 1 };
	struct boot_counts c = { .exits = -1 };
	struct judgement j;

	judge_exits(&row, JUDGE_USER_ONLY, EVENTS, &c, &j);
	cr_expect(j.proven && j.handled_by == HANDLED_UNKNOWN && j.expected == 0);
	c.user = EVENTS;
	judge_exits(&row, JUDGE_USER_ONLY, EVENTS, &c, &j);
	cr_expect(j.proven && j.handled_by == HANDLED_USER && j.expected == EVENTS);
	c.user = EVENTS + 1;
	judge_exits(&row, JUDGE_USER_ONLY, EVENTS, &c, &j);
	cr_expect(not(j.proven));
}

/* Exceptions in all events or in none are valid, exceptions in some events are not. */
Test(judge, exceptions_of_some_events_fail)
{
	const struct bench row = { .handled_by = HANDLED_OBSERVED, .exits = 1 };
	const struct bench other = { .handled_by = HANDLED_KERNEL, .exits = 1 };
	struct judgement j = { .proven = true };

	judge_faults(&row, JUDGE_ALL, EVENTS, 0, &j);
	cr_expect(j.proven);
	judge_faults(&row, JUDGE_ALL, EVENTS, EVENTS, &j);
	cr_expect(j.proven);
	judge_faults(&other, JUDGE_ALL, EVENTS, 1, &j);
	cr_expect(j.proven);
	judge_faults(&row, JUDGE_ALL, EVENTS, 1, &j);
	cr_expect(not(j.proven));
}

/* The judgement of `faults` exceptions of a row with as many exits as it claims. */
static struct judgement raised(const struct bench *row, enum judge_trust trust,
			       uint64_t faults)
{
	struct judgement j = { .proven = true };

	judge_faults(row, trust, EVENTS, faults, &j);
	return j;
}

/* kvm.ignore_msrs=1: as many exits, and no #GP. A row that does not exit raises one. */
Test(judge, exceptions_that_are_not_raised_fail)
{
	const struct bench exits = { .handled_by = HANDLED_KERNEL,
				     .exits = 2,
				     .needs = RAISES };
	const struct bench stays = { .handled_by = HANDLED_NONE, .needs = RAISES };

	cr_expect(raised(&exits, JUDGE_ALL, 2 * EVENTS).proven);
	cr_expect(not(raised(&exits, JUDGE_ALL, EVENTS).proven));
	cr_expect(not(raised(&exits, JUDGE_ALL, 0).proven));
	cr_expect(raised(&stays, JUDGE_ALL, EVENTS).proven);
	cr_expect(not(raised(&stays, JUDGE_ALL, 0).proven));
	/* Without KVM the exception is the machine's, of a row that does not exit. */
	cr_expect(raised(&exits, JUDGE_NO_HYPERVISOR, 0).proven);
	cr_expect(raised(&exits, JUDGE_USER_ONLY, 0).proven);
	cr_expect(not(raised(&stays, JUDGE_NO_HYPERVISOR, 0).proven));
	cr_expect_str_eq(raised(&exits, JUDGE_ALL, 3).reason,
			 "expected 1000 exceptions in 500 events, the guest took 3");
}

/* aperf_mperf: MSRs that are passed through neither exit nor raise #GP. */
Test(judge, a_config_without_the_exits_has_no_exceptions)
{
	const struct config *config = config_table;
	const struct bench *row = bench_table;
	struct bench under;
	const char *skip;

	while (strcmp(config->name, "aperfmperf-passthrough"))
		config++;
	while (strcmp(row->id, "aperf_mperf"))
		row++;
	under = judge_row(row, config_table, &empty, &skip);
	cr_expect(not(raised(&under, JUDGE_ALL, 0).proven));
	under = judge_row(row, config, &empty, &skip);
	cr_expect(raised(&under, JUDGE_ALL, 0).proven);
}

/* Some hosts have it: KVM raises no #GP for MSRs that it does not know. */
Test(judge, rows_of_unknown_msrs_are_skipped_where_kvm_ignores_them)
{
	struct result_check check = { .id = "kvm_parameters" };
	const struct result machine = { .checks = &check, .n_checks = 1 };
	size_t skipped = 0;
	const char *skip;

	check.value = (char *)"enable_pmu=Y ignore_msrs=Y";
	for (const struct bench *row = bench_table; row->id; row++) {
		(void)judge_row(row, config_table, &machine, &skip);
		skipped += skip != NULL;
		cr_expect_eq(skip != NULL, !strcmp(row->id, "rdmsr_unknown") ||
						   !strcmp(row->id, "wrmsr_unknown") ||
						   !strcmp(row->id, "aperf_mperf"));
	}
	cr_expect_eq(skipped, 3);
	check.value = (char *)"enable_pmu=Y";
	for (const struct bench *row = bench_table; row->id; row++) {
		(void)judge_row(row, config_table, &machine, &skip);
		cr_expect_null(skip);
	}
}

/* NEEDS_NESTED: all events exit to L0 as often, and at least as often as the row says. */
Test(judge, a_nested_row_exits_equally_often)
{
	const struct boot_counts twice = { .exits = 2 * EVENTS,
					   .interrupts_exact = true };
	const struct boot_counts five = { .exits = 5 * EVENTS + 3,
					  .interrupts = 3,
					  .interrupts_exact = true };
	const struct boot_counts one_more = { .exits = 2 * EVENTS + 1,
					      .interrupts_exact = true };
	const struct boot_counts user = { .exits = 2 * EVENTS,
					  .user = 1,
					  .interrupts_exact = true };
	struct judgement j;

	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED, &twice);
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL);
	cr_expect(eq(i64, j.traps, 2));
	cr_expect(j.expected == 2 * EVENTS && j.observed == 2 * EVENTS);
	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED, &five);
	cr_expect(j.proven && j.traps == 5 && j.observed == 5 * EVENTS);
	j = judged(HANDLED_KERNEL, 3, NEEDS_NESTED, &twice);
	cr_expect(not(j.proven), "fewer than the row says");
	cr_expect(eq(i64, j.traps, -1));
	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED, &one_more);
	cr_expect(not(j.proven), "an event differs from the others");
	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED, &user);
	cr_expect(not(j.proven), "an exit to user space");
	j = judged(HANDLED_KERNEL, 2, 0, &twice);
	cr_expect(eq(i64, j.traps, -1), "not a nested row");
}

/* HANDLED_NONE and HANDLED_VARIES: an instruction of L1 that need not exit. */
Test(judge, a_nested_row_may_not_exit)
{
	const struct boot_counts none = { .exits = 0, .interrupts_exact = true };
	const struct boot_counts once = { .exits = EVENTS, .interrupts_exact = true };
	struct judgement j;

	j = judged(HANDLED_VARIES, 1, NEEDS_NESTED, &none);
	cr_expect(j.proven && j.handled_by == HANDLED_NONE && j.traps == 0);
	j = judged(HANDLED_VARIES, 1, NEEDS_NESTED, &once);
	cr_expect(j.proven && j.handled_by == HANDLED_KERNEL && j.traps == 1);
	j = judged(HANDLED_NONE, 0, NEEDS_NESTED, &none);
	cr_expect(j.proven && j.traps == 0);
	j = judged(HANDLED_NONE, 0, NEEDS_NESTED, &once);
	cr_expect(not(j.proven));
}

/* arm64 does not count exits for interrupts: fewer than events, they explain a rest. */
Test(judge, interrupts_explain_a_rest_of_a_nested_row)
{
	struct judgement j;

	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED,
		   &(struct boot_counts){ .exits = 2 * EVENTS + 4, .interrupts = 4 });
	cr_expect(j.proven && j.traps == 2);
	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED,
		   &(struct boot_counts){ .exits = 2 * EVENTS + 5, .interrupts = 4 });
	cr_expect(not(j.proven));
	j = judged(HANDLED_KERNEL, 2, NEEDS_NESTED,
		   &(struct boot_counts){ .exits = 2 * EVENTS, .interrupts = EVENTS });
	cr_expect(not(j.proven), "any number of traps");
}

/* The payload's own count of its guest's exits. */
Test(judge, l1_counts_the_exits_of_its_guest)
{
	const struct boot_counts c = { .exits = 2 * EVENTS, .interrupts_exact = true };
	struct bench row = { .handled_by = HANDLED_KERNEL,
			     .exits = 2,
			     .needs = NEEDS_NESTED | EXITS_TO_L1 };
	struct judgement j;

	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	judge_l1(&row, "event", EVENTS, EVENTS, &j);
	cr_expect(j.proven);
	judge_l1(&row, "event", EVENTS, EVENTS - 1, &j);
	cr_expect(not(j.proven));
	/* On the bare machine, L1's count is the only one. */
	judge_exits(&row, JUDGE_NO_HYPERVISOR, EVENTS, &c, &j);
	judge_l1(&row, "event", EVENTS, 0, &j);
	cr_expect(not(j.proven));
	row.needs = NEEDS_NESTED;
	judge_exits(&row, JUDGE_NO_HYPERVISOR, EVENTS, &c, &j);
	judge_l1(&row, "event", EVENTS, 0, &j);
	cr_expect(j.proven);
	/* A twin exits to no L1. */
	judge_l1(&row, "twin", 0, EVENTS, &j);
	cr_expect(not(j.proven));
	cr_expect_not_null(strstr(j.reason, "in the twin phase"), "%s", j.reason);
}

/* Interrupts that the guest's handler counted: neither fewer nor more than bodies. */
Test(judge, the_handler_counts_an_interrupt_per_body)
{
	const struct boot_counts c = { .exits = EVENTS, .interrupts_exact = true };
	struct bench row = { .handled_by = HANDLED_AT_MOST,
			     .exits = 3,
			     .needs = COUNTS_DELIVERIES };
	const uint64_t wrong[] = { 0, EVENTS - 1, EVENTS + 1 };
	struct judgement j;

	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	judge_deliveries(&row, "event", EVENTS, EVENTS, &j);
	cr_expect(j.proven);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
		cr_assert(j.proven);
		judge_deliveries(&row, "batch", EVENTS, wrong[i], &j);
		cr_expect(not(j.proven));
		cr_expect_not_null(strstr(j.reason, "in the batch phase"), "%s",
				   j.reason);
	}
	/* Without a hypervisor, the handler's count is the only one. */
	judge_exits(&row, JUDGE_NO_HYPERVISOR, EVENTS, &c, &j);
	judge_deliveries(&row, "event", EVENTS, 0, &j);
	cr_expect(not(j.proven));
	row.needs = 0;
	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	judge_deliveries(&row, "event", EVENTS, 0, &j);
	cr_expect(j.proven);
}

/* Of a sequence that is counted: the reads of the PMC need not exit, its own exits must.
 */
Test(judge, the_exits_of_a_counted_sequence_are_not_missing)
{
	const struct bench row = { .handled_by = HANDLED_AT_MOST,
				   .exits = 12,
				   .needs = SEQUENCE_EXITS };
	const struct {
		int64_t exits;
		bool proven;
	} cases[] = {
		{ 12 * EVENTS, true }, { 10 * EVENTS, true }, { 10 * EVENTS - 1, false },
		{ 2 * EVENTS, false }, { 0, false },	      { 12 * EVENTS + 1, false }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct boot_counts c = { .exits = cases[i].exits,
					       .interrupts_exact = true };
		struct judgement j;

		judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
		cr_expect_eq(j.proven, cases[i].proven, "%lld exits",
			     (long long)cases[i].exits);
	}
}

/* A trap that KVM does not count shows in the figure, against a twin without a trap. */
Test(judge, an_event_as_cheap_as_its_twin_did_not_trap)
{
	const struct boot_counts c = { .interrupts_exact = true };
	struct bench row = { .handled_by = HANDLED_NONE, .needs = MORE_THAN_TWIN };
	uint64_t event[] = { 202, 202, 9000 }, twin[] = { 3, 4, 4 };
	struct boot_report rep = { .guest.samples[ABI_PHASE_EVENT] = 3,
				   .guest.samples[ABI_PHASE_TWIN] = 3,
				   .series[ABI_PHASE_EVENT] = event,
				   .series[ABI_PHASE_TWIN] = twin };
	struct judgement j;

	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	judge_twin(&row, &rep, &j);
	cr_expect(j.proven);
	event[0] = event[1] = 4;
	judge_twin(&row, &rep, &j);
	cr_expect(not(j.proven), "one event of three costs more");
	cr_expect_not_null(strstr(j.reason, "twin"), "%s", j.reason);
	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	rep.guest.samples[ABI_PHASE_TWIN] = 0;
	judge_twin(&row, &rep, &j);
	cr_expect(not(j.proven), "no twin");
	row.needs = 0;
	judge_exits(&row, JUDGE_ALL, EVENTS, &c, &j);
	judge_twin(&row, &rep, &j);
	cr_expect(j.proven);
}

/* Bodies wait in time, whatever the rate of the clock. */
Test(abi, ticks_are_of_the_register_or_the_host_or_the_fastest_clock)
{
	const struct abi_params unknown = { .clock_khz = 0 };
	const struct abi_params ghz = { .clock_khz = 1000000 };

	/* Below a tick of 1 ms on a counter of 24 MHz. */
	cr_expect_eq(abi_ticks(&unknown, 24000000, 400000), 9600);
	cr_expect_eq(abi_ticks(&ghz, 24000000, 400000), 9600, "the register is first");
	cr_expect_eq(abi_ticks(&ghz, 0, 200), 200);
	cr_expect_eq(abi_ticks(&unknown, 0, 200), 600);
	cr_expect_eq(abi_ticks(&ghz, 5000000000, 1000000000), 5000000000);
}

/* Each effect names an existing config and existing rows with a common architecture. */
Test(effects, each_has_an_effect)
{
	const struct config_effect *e;

	for (e = config_effect_table; e->config; e++) {
		const struct config *c = config_table;
		const struct bench *b;
		size_t rows = 0;

		while (c->name && strcmp(c->name, e->config))
			c++;
		cr_assert_not_null(c->name, "no config %s", e->config);
		for (b = bench_table; b->id; b++) {
			const char *skip;
			const struct bench under = judge_row(b, c, &empty, &skip);

			rows += b->archs & c->archs &&
				(skip || under.handled_by != b->handled_by ||
				 under.exits != b->exits);
		}
		cr_expect_gt(rows, 0, "%s: %s changes nothing", e->config, e->rows);
	}
}

static uint32_t settings_of(const char *name, enum arch arch)
{
	const struct config *c = config_table;

	while (c->name && strcmp(c->name, name))
		c++;
	cr_assert_not_null(c->name, "no config %s", name);
	return config_settings(c, arch);
}

/* A VM has the settings of its column, on its architecture, and no other VM's. */
Test(settings, a_config_has_those_of_its_vm_and_architecture)
{
	const uint32_t least = settings_of("default", ARCH_X86_64);

	cr_expect_eq(least, 1u << SETTING_identity_map | 1u << SETTING_tss);
	cr_expect_eq(settings_of("pmu-off", ARCH_X86_64), least);
	cr_expect_eq(settings_of("set-pit", ARCH_X86_64), least | 1u << SETTING_pit);
	cr_expect_eq(settings_of("vm-firecracker", ARCH_X86_64),
		     1u << SETTING_tss | 1u << SETTING_pit_speaker |
			     1u << SETTING_cpuid_no_pmu);
	cr_expect_eq(settings_of("vm-firecracker", ARCH_AARCH64),
		     1u << SETTING_psci | 1u << SETTING_its | 1u << SETTING_pvtime_ram |
			     1u << SETTING_counter_offset);
	cr_expect_eq(settings_of("set-dirty-log-manual", ARCH_AARCH64),
		     1u << SETTING_psci | 1u << SETTING_dirty_log_manual);
}

/* Each setting has a VM, a source, and an architecture of every VM that has it. */
Test(settings, each_has_a_vm_and_a_source)
{
	const struct setting *s;

	for (s = setting_table; s->name; s++) {
		unsigned int archs = 0;
		const struct config *c;

		for (c = config_table; c->name; c++)
			if (c->vm & s->vms)
				archs |= c->archs;
		cr_expect_eq(s->archs & archs, s->archs, "%s", s->name);
		cr_expect_not_null(strstr(s->source, "/"), "%s", s->name);
	}
}

Test(effects, a_row_without_an_effect_is_as_in_the_catalogue)
{
	static const struct config nothing = { .name = "nothing" };
	const struct bench *b;

	for (b = bench_table; b->id; b++) {
		const char *skip;
		const struct bench under = judge_row(b, &nothing, &empty, &skip);

		cr_expect_null(skip);
		cr_expect(under.handled_by == b->handled_by && under.exits == b->exits &&
			  under.needs == b->needs);
	}
}

/* What a machine was booted with is not a config. */
Test(effects, a_machine_without_nested_paging_is_proven_as_under_the_config)
{
	static const struct config unrelated = { .name = "default" };
	struct result_check check = { .id = "kvm_parameters" };
	const struct result r = { .checks = &check, .n_checks = 1 };
	static const struct {
		const char *parameters;
		bool shadow;
	} cases[] = {
		{ "enable_pmu=Y ept=N vpid=Y", true },
		{ "enable_pmu=Y npt=N", true },
		{ "enable_pmu=Y npt=0 avic=0", true },
		{ "npt=1 avic=0 nested=0", false },
		{ "enable_pmu=Y ept=Y vpid=N", false },
		{ "npt=Y nested=1", false },
		{ NULL, false },
	};
	const struct bench *b = bench_table;

	while (b->id && strcmp(b->id, "cr0_wp"))
		b++;
	cr_assert_not_null(b->id);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *skip;
		struct bench under;

		check.value = cases[i].parameters;
		under = judge_row(b, &unrelated, &r, &skip);
		cr_expect_null(skip);
		cr_expect_eq(under.handled_by == HANDLED_AT_MOST, cases[i].shadow, "%zu",
			     i);
	}
}

/* KVM resumes at the instruction that exited; after an interrupt it exits again. */
Test(judge, a_first_use_with_an_interrupt_exits_once_more)
{
	struct boot_counts c = { .exits = 2 * EVENTS + 2,
				 .user = EVENTS,
				 .interrupts = 1 };
	struct judgement j;

	c.interrupts_exact = true;
	j = judged(HANDLED_KERNEL, 1, NEEDS_RELOAD, &c);
	cr_expect(j.proven && j.observed == EVENTS);
	c.exits++;
	j = judged(HANDLED_KERNEL, 1, NEEDS_RELOAD, &c);
	cr_expect(not(j.proven), "one interrupt explains one exit more, not two");
	c.exits = 2 * EVENTS + 1;
	c.interrupts = 0;
	j = judged(HANDLED_KERNEL, 1, NEEDS_RELOAD, &c);
	cr_expect(not(j.proven), "without an interrupt there is none");
}

/* The guest takes what is as long as an exit for the event: an interrupt's exit, too. */
Test(judge, an_interrupt_is_an_event_that_is_known_by_its_length)
{
	struct boot_counts c = { .exits = EVENTS + 1, .interrupts = 2 };
	struct judgement j;

	c.interrupts_exact = true;
	j = judged(HANDLED_KERNEL, 1, NEEDS_LENGTH, &c);
	cr_expect(j.proven && j.observed == EVENTS);
	j = judged(HANDLED_KERNEL, 1, 0, &c);
	cr_expect(not(j.proven), "other rows tell them apart");
	c.exits = EVENTS - 1;
	j = judged(HANDLED_KERNEL, 1, NEEDS_LENGTH, &c);
	cr_expect(not(j.proven), "two interrupts stand for two events, not three");
	c.exits = EVENTS + 3;
	j = judged(HANDLED_KERNEL, 1, NEEDS_LENGTH, &c);
	cr_expect(not(j.proven), "nor for an exit more");
	c.exits = c.interrupts = EVENTS;
	j = judged(HANDLED_KERNEL, 1, NEEDS_LENGTH, &c);
	cr_expect(not(j.proven), "more than a few are in the median");
}

/* Samples of the guest are untrusted: there may be none, or arbitrary values. */
Test(pace, the_spread_is_that_of_the_samples)
{
	struct abi_report r = { .pace = { 1000, 0, 1050 } };

	cr_expect_float_eq(judge_pace(&r), 0.05, 1e-9);
	cr_expect_gt(judge_pace(&r), JUDGE_PACE_TOLERANCE);
	r.pace[ABI_PACE_MIDDLE] = 900;
	cr_expect_float_eq(judge_pace(&r), 1050.0 / 900 - 1, 1e-9);
	r = (struct abi_report){ .pace = { 1000, 1026, 1000 } };
	cr_expect_lt(judge_pace(&r),
		     JUDGE_PACE_TOLERANCE); /* one step of the frequency */
	r = (struct abi_report){ .pace = { 1000 } };
	cr_expect(isnan(judge_pace(&r)));
	r = (struct abi_report){ .pace = { 0 } };
	cr_expect(isnan(judge_pace(&r)));
	r = (struct abi_report){ .pace = { 1, UINT64_MAX, 1 } };
	cr_expect_gt(judge_pace(&r), JUDGE_PACE_TOLERANCE);
}
