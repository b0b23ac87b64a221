/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of a history: which figures are one series, in which order, and judged how.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "host/claim/history.h"
#include "host/claim/history_index.h"

static const struct changepoint_rules rules = {
	.window = 50,
	.pvalue = 1e-4,
	.magnitude = 0.01,
	.quanta = 2,
};

static char path[] = "/tmp/unit_history.XXXXXX";
static struct row next;

static void begin(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	next = (struct row){
		.schema = ROW_SCHEMA,
		.version = ROW_VERSION,
		.time = "2026-11-21T09:05:17Z",
		.target = "lab:x86_64-svm",
		.emulator = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
		.machine = "m",
		.exact = true,
		.tool = "t",
		.benchmark = "b",
		.config = "default",
		.metric = "round_trip",
		.unit = "insns",
		.better = "lower",
		.quantum = 1,
		.boots = 2,
	};
}

static void end(void)
{
	unlink(path);
}

TestSuite(history, .init = begin, .fini = end);

/* One figure more, of `run` on `kernel`, with what is in `next`. */
static void put_kernel(const char *run, const char *kernel, double value)
{
	FILE *f = fopen(path, "a");
	char *line;

	next.run = run;
	next.kernel = kernel;
	next.value = next.lo = next.hi = value;
	line = row_dump(&next);
	fputs(line, f);
	free(line);
	fclose(f);
}

static void put(const char *run, double value)
{
	put_kernel(run, run, value);
}

static void read_all(struct history *h)
{
	struct result_error err;

	cr_assert_eq(history_read(path, h, &err), 0, "%s", err.text);
	cr_assert_eq(history_judge(h, &rules), 0);
}

Test(history, exact_places_are_of_an_emulators_minor_version)
{
	static const char *const emulators[] = {
		"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
		"QEMU emulator version 7.2.23 (other)",
		"QEMU emulator version 7.20.1",
		"QEMU emulator version 8.0",
		"Bochs 2.7",
		"Bochs 2.7.1 x86",
		"no number",
		NULL,
	};
	static const char *const places[] = {
		"QEMU emulator version 7.2",
		"QEMU emulator version 7.20",
		"QEMU emulator version 8.0",
		"Bochs 2.7",
		"no number",
	};
	struct history h;
	char run[8];

	for (size_t i = 0; emulators[i]; i++) {
		snprintf(run, sizeof(run), "r%zu", i);
		next.emulator = emulators[i];
		next.machine = run; /* which does not matter */
		put(run, 1);
	}
	next.emulator = NULL;
	put("last", 1);
	read_all(&h);
	cr_assert_eq(h.n_places, 6);
	for (size_t i = 0; i < 5; i++)
		cr_expect_str_eq(h.places[i].what, places[i]);
	cr_expect_null(h.places[5].what);
	cr_expect_eq(h.places[0].n_runs, 2);
	history_free(&h);
}

Test(history, noisy_places_are_machines)
{
	struct history h;

	next.exact = false;
	put("a", 1);
	next.machine = "other";
	put("b", 1);
	next.machine = "m";
	next.emulator = NULL; /* which does not matter */
	put("c", 1);
	read_all(&h);
	cr_assert_eq(h.n_places, 2);
	cr_expect_str_eq(h.places[0].what, "m");
	cr_expect_eq(h.series[0].n_points, 2);
	history_free(&h);
}

Test(history, whatever_a_figure_is_of_makes_a_series)
{
	struct history h;

	put("a", 1);
	next.config = "pmu-off";
	put("a", 1);
	next.metric = "twin";
	put("a", 1);
	next.unit = "ticks";
	put("a", 1);
	next.benchmark = "c";
	put("a", 1);
	next.target = "lab:x86_64-vmx";
	put("a", 1);
	read_all(&h);
	cr_expect_eq(h.n_series, 6);
	cr_expect_eq(h.n_runs, 2, "a run on two targets is two");
	history_free(&h);
}

/* Joined files and late additions: each run once, where it first stood. */
Test(history, order_is_that_of_the_runs)
{
	struct history h;

	next.benchmark = "other";
	put("a", 7);
	put("b", 7);
	next.benchmark = "b";
	put("b", 2);
	put("c", 3);
	put("a", 1);
	put("c", 33);
	read_all(&h);
	cr_assert_eq(h.n_series, 2);
	cr_assert_eq(h.series[1].n_points, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(h.series[1].points[i].value, (double)i + 1);
	cr_expect_eq(h.duplicates, 1);
	history_free(&h);
}

Test(history, steps_of_exact_series)
{
	struct history h;
	const struct history_series *s;

	put("a", 100);
	put("b", 101);
	put("c", 101);
	put("d", 100);
	read_all(&h);
	s = &h.series[0];
	cr_expect_eq(s->method, HISTORY_STEPS);
	cr_assert_eq(s->n_changes, 2);
	cr_expect(history_worse(s, 0) && !history_worse(s, 1));
	cr_expect_str_eq(history_new_run(&h, s, 0)->kernel, "b");
	cr_expect_str_eq(history_old_run(&h, s, 0)->kernel, "a");
	cr_expect(!history_is_recent(&h, history_new_run(&h, s, 0), 2));
	cr_expect(history_is_recent(&h, history_new_run(&h, s, 0), 3));
	cr_expect(history_is_recent(&h, history_new_run(&h, s, 1), 1));
	history_free(&h);
}

Test(history, more_may_be_better)
{
	struct history h;

	next.better = "higher";
	put("a", 100);
	put("b", 101);
	read_all(&h);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect(!history_worse(&h.series[0], 0));
	history_free(&h);
}

/* Boots of one run that differ say that "exact" does not hold for this figure. */
Test(history, exact_series_that_wander_are_noise)
{
	struct history h;
	FILE *f;
	char *line;

	put("a", 100);
	put("b", 101);
	put("c", 100);
	next.run = "d";
	next.value = 100.5;
	next.lo = 100;
	next.hi = 101;
	f = fopen(path, "a");
	line = row_dump(&next);
	fputs(line, f);
	fclose(f);
	free(line);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_NOISE);
	cr_expect_eq(h.series[0].n_changes, 0);
	history_free(&h);
}

/* A kernel measured again stands where it stood, and must give what it gave. */
Test(history, repetitions_of_exact_figures)
{
	struct history h;

	put_kernel("1", "a", 100);
	put_kernel("2", "b", 200);
	put_kernel("3", "a", 100);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_STEPS);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect_eq(h.series[0].changes[0].index, 2);
	cr_expect(history_is_current(&h, &h.series[0]));
	history_free(&h);

	put_kernel("4", "b", 201);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_NOISE);
	history_free(&h);
}

/* By another program it is no repetition; nor where time matters. */
Test(history, what_is_no_repetition)
{
	struct history h;

	put_kernel("1", "a", 100);
	put_kernel("2", "b", 200);
	next.tool = "other";
	put_kernel("3", "a", 100);
	next.exact = false;
	next.target = "kvm";
	put_kernel("4", "a", 1);
	put_kernel("5", "b", 2);
	put_kernel("6", "a", 3);
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 2);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(h.series[1].points[i].value, (double)i + 1);
	history_free(&h);
}

Test(history, too_few_to_judge)
{
	struct history h;

	put("a", 100);
	next.exact = false;
	next.target = "kvm";
	put("a", 100);
	put("b", 200);
	put("c", 300);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_TOO_FEW);
	cr_expect_eq(h.series[1].method, HISTORY_TOO_FEW);
	cr_expect(history_is_current(&h, &h.series[0]));
	history_free(&h);
}

Test(index, numbers_stay)
{
	struct history_index index = { 0 };

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 3000; i++) {
			struct history_key key = { { i * 16, i % 7 } };

			cr_assert_eq(history_index_get(&index, &key), i);
		}
	history_index_free(&index);
}
