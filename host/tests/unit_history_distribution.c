/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the distributions of a history: quantiles of events, and modes of runs.
 */
#include "host/tests/history_fixture.h"

TestSuite(distribution, .init = begin, .fini = end);

/* A figure of a run with a p90 and a mean, which the run's other quantiles equal. */
static void put_p90(const char *run, double value, double p90)
{
	next.quantiles[ROW_P90] = p90;
	next.quantiles[ROW_MEAN] = value;
	put(run, value);
}

static void expect_text(const struct history *h, size_t k, const char *want)
{
	char text[HISTORY_NAME_BYTES];

	cr_assert_lt(k, h->series[0].n_changes);
	history_distribution_change(&h->series[0], k, text, sizeof(text));
	cr_expect_str_eq(text, want);
}

/* Rows of versions without quantiles, equal events, a mode, its end. */
Test(distribution, distributions_of_exact_series)
{
	struct history h;

	put("r0", 100);
	put_p90("r1", 100, NAN);
	put_p90("r2", 100, NAN);
	put_p90("r3", 100, 250);
	put_p90("r4", 100, 250);
	put_p90("r5", 101, 250);
	put_p90("r6", 101, 251);
	next.lo = 100;
	next.hi = 101; /* boots differ */
	put_p90("r7", 101, 999);
	next.lo = next.hi = 0;
	put_p90("r8", 101, 251);
	read_all(&h);
	cr_assert_eq(h.n_series, 1);
	cr_assert_eq(h.series[0].n_changes, 3);
	cr_expect_eq(h.series[0].changes[0].index, 3);
	cr_expect_eq(history_kind(&h.series[0], 0), HISTORY_CHANGED);
	expect_text(&h, 0, "p90 100 -> 250, figure 100 -> 100");
	cr_expect_eq(h.series[0].changes[1].index, 5);
	cr_expect_eq(history_kind(&h.series[0], 1), HISTORY_WORSE);
	expect_text(&h, 1, "");
	cr_expect_eq(h.series[0].changes[2].index, 6);
	expect_text(&h, 2, "p90 250 -> 251, figure 101 -> 101");
	history_free(&h);
}

/* The figure and the mode change at once: one change, which names both. */
Test(distribution, a_step_with_another_distribution)
{
	struct history h;

	put_p90("r0", 100, NAN);
	put_p90("r1", 110, 250);
	read_all(&h);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect_eq(history_kind(&h.series[0], 0), HISTORY_WORSE);
	expect_text(&h, 0, "p90 100 -> 250");
	history_free(&h);
}

/* Repetitions of a kernel count once: a range. */
Test(distribution, distributions_of_repetitions)
{
	static const double p90[] = { 250, 260, 260, 250 };
	static const char *const kernels[] = { "k0", "k0", "k1", "k1" };
	static const char *const runs[] = { "r0", "r1", "r2", "r3" };
	struct history h;

	for (size_t i = 0; i < 4; i++) {
		next.quantiles[ROW_P90] = p90[i];
		next.quantiles[ROW_MEAN] = 100;
		put_kernel(runs[i], kernels[i], 100);
	}
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	history_free(&h);
}

static void put_noisy(size_t runs, size_t mode_at, size_t outlier_at)
{
	static const double noise[] = { 0, 4, -4, 1, -6, 3, 0, -1, 5, -3, 2 };
	char run[32];

	next.exact = false;
	next.target = "kvm";
	for (size_t i = 0; i < runs; i++) {
		double value = 1000 + noise[i % 11];
		bool mode = i >= mode_at || i == outlier_at;

		snprintf(run, sizeof(run), "r%zu", i);
		next.quantiles[ROW_P75] = value + 10 + noise[i % 7];
		next.quantiles[ROW_P90] = (mode ? 2100 : 1100) + noise[i % 5];
		next.quantiles[ROW_P99] = 2200 + noise[i % 3];
		next.quantiles[ROW_MEAN] = value + (mode ? 300 : 20);
		put(run, value);
	}
}

Test(distribution, distributions_in_noise)
{
	static const struct history_query newest = { .last = 1 };
	struct history_alarm *alarms;
	struct history_tally t;
	struct history h;
	size_t n;

	put_noisy(45, 40, 45);
	read_all(&h);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].changes[0].index, 40);
	cr_expect_eq(h.series[0].changes[0].of, CHANGEPOINT_OF_EVENTS);
	expect_text(&h, 0, "p90 1,100 -> 2,100, figure 1,000 -> 1,001");
	/* Found with four runs already: the gate has reported it. */
	alarms = history_alarms(&newest, &h, &n);
	t = history_tally(&newest, &h, alarms, n);
	cr_expect(n == 1 && !alarms[0].recent && t.old == 1 && !t.distribution);
	free(alarms);
	alarms = history_alarms(&(struct history_query){ .last = 5 }, &h, &n);
	t = history_tally(&newest, &h, alarms, n);
	cr_expect(n == 1 && alarms[0].recent && t.distribution == 1 && !t.changed);
	cr_expect_eq(history_outcome(alarms, n, &t), HISTORY_PASS);
	free(alarms);
	history_free(&h);
}

Test(distribution, a_run_of_another_distribution_is_an_outlier)
{
	struct history h;

	put_noisy(60, 60, 30);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	history_free(&h);
}

/* Old rows have no quantiles; the figures of the runs have modes. */
Test(distribution, modes_of_runs)
{
	struct history h;
	char run[8];

	next.exact = false;
	next.target = "kvm";
	for (size_t i = 0; i < 200; i++) {
		snprintf(run, sizeof(run), "r%zu", i);
		put(run, i * i % 10 > 6 ? 1000 + (double)(i % 17)
					: (i < 100 ? 100 : 200) + (double)(i % 7));
	}
	read_all(&h);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].changes[0].of, CHANGEPOINT_OF_VALUES);
	cr_expect(abs((int)h.series[0].changes[0].index - 100) <= 2, "at %zu",
		  h.series[0].changes[0].index);
	history_free(&h);
}

Test(distribution, better_that_differs)
{
	struct error err;
	struct history h;

	put("a", 100);
	next.better = "higher";
	put("b", 100);
	cr_assert_eq(history_read(path, HISTORY_REFUSE, &h, &err), -EINVAL);
	cr_expect(strstr(err.text, "run b") && strstr(err.text, "higher"), "%s",
		  err.text);
}
