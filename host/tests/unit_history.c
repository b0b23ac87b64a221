/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of a history: series, order of runs, changes. */
#include "host/tests/history_fixture.h"

TestSuite(history, .init = begin, .fini = end);

Test(history, exact_places_are_of_an_emulators_minor_version)
{
	static const char *const emulators[] = {
		"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
		"QEMU emulator version 7.2.23 (other)",
		"QEMU emulator version 7.20.1",
		"QEMU emulator version 8.0",
		"Bochs 2.7",
		"Bochs 2.7.1 x86",
		"bochs 3.0+dfsg worldswitch 000000000000",
		"bochs 3.0+dfsg worldswitch 111111111111",
		"no number",
		NULL,
	};
	static const char *const places[] = {
		"QEMU emulator version 7.2",
		"QEMU emulator version 7.20",
		"QEMU emulator version 8.0",
		"Bochs 2.7",
		"bochs 3.0",
		"no number",
	};
	struct history h;
	char run[8];

	for (size_t i = 0; emulators[i]; i++) {
		snprintf(run, sizeof(run), "r%zu", i);
		next.emulator = emulators[i];
		next.machine = run; /* must not matter */
		put(run, 1);
	}
	next.emulator = NULL;
	put("last", 1);
	read_all(&h);
	cr_assert_eq(h.n_places, 7);
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(h.places[i].what, places[i]);
	cr_expect_null(h.places[6].what);
	cr_expect(history_on_emulator(&h.places[0], emulators[1]));
	cr_expect_not(history_on_emulator(&h.places[0], emulators[2]));
	cr_expect_not(history_on_emulator(&h.places[1], emulators[0]));
	cr_expect_not(history_on_emulator(&h.places[0], NULL));
	cr_expect_not(history_on_emulator(&h.places[6], emulators[0]));
	cr_expect(history_on_emulator(&h.places[6], NULL));
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
	next.emulator = NULL; /* must not matter */
	put("c", 1);
	read_all(&h);
	cr_assert_eq(h.n_places, 2);
	cr_expect_str_eq(h.places[0].what, "m");
	cr_expect_eq(h.series[0].n_points, 2);
	history_free(&h);
}

Test(history, each_identity_of_a_figure_is_a_series)
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

/* Joined files and late additions: each run once, at its first position. */
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
	put("c", 3);
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
	uint32_t boots;
	const struct history_series *s;

	put("a", 100);
	put("b", 101);
	put("c", 101);
	put("d", 100);
	read_all(&h);
	s = &h.series[0];
	cr_expect_eq(s->method, HISTORY_STEPS);
	cr_assert_eq(s->n_changes, 2);
	cr_expect(history_kind(s, 0) == HISTORY_WORSE &&
		  history_kind(s, 1) == HISTORY_BETTER);
	cr_expect(!history_is_of_ranges(s, 0, &boots));
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
	cr_expect_eq(history_kind(&h.series[0], 0), HISTORY_BETTER);
	history_free(&h);
}

/* Adds a figure whose boots differ. */
static void put_range(const char *run, double lo, double hi)
{
	next.lo = lo;
	next.hi = hi;
	put(run, (lo + hi) / 2);
	next.lo = next.hi = 0;
}

/* Boots that differ are a range; overlapping ranges are equal. */
Test(history, ranges_of_exact_series)
{
	struct history h;
	uint32_t boots;
	const struct history_series *s;

	put("a", 100);
	put_range("b", 99, 101);
	put_range("c", 100, 103);
	put_range("d", 104, 110);
	put("e", 110);
	put("f", 103);
	read_all(&h);
	s = &h.series[0];
	cr_expect_eq(s->method, HISTORY_STEPS);
	cr_assert_eq(s->n_changes, 2);
	cr_expect_str_eq(history_new_run(&h, s, 0)->kernel, "d");
	cr_expect(s->changes[0].before == 100 && s->changes[0].after == 104);
	cr_expect_str_eq(history_new_run(&h, s, 1)->kernel, "f");
	cr_expect(s->changes[1].before == 110 && s->changes[1].after == 103);
	cr_expect(history_is_of_ranges(s, 0, &boots) && boots == 2);
	history_free(&h);
}

/*
 * A second run of a kernel moves to the first. Different figures of the two runs are a
 * range, not a change.
 */
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

	put_kernel("4", "b", 202);
	put_kernel("5", "c", 201);
	put_kernel("6", "d", 203);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_STEPS);
	cr_assert_eq(h.series[0].n_changes, 2);
	cr_expect_eq(h.series[0].changes[0].index, 2);
	cr_expect(h.series[0].changes[1].before == 201 &&
		  h.series[0].changes[1].after == 203);
	history_free(&h);
}

/* classes */

static void put_class(const char *run, const char *handled_by, double exits, double value)
{
	next.handled_by = handled_by;
	next.exits = exits;
	put(run, value);
}

/* A change of class is neither better nor worse, also with an equal figure. */
Test(history, classes_that_change)
{
	const struct history_series *s;
	char text[64];
	struct history h;

	put_class("a", "kernel", 1, 2813);
	put_class("b", "fault", 1, 1562);
	put_class("c", "fault", 1, 1541);
	put_class("d", "kernel", 1, 1541);
	put_class("e", "kernel", 3, 1600);
	read_all(&h);
	s = &h.series[0];
	cr_assert_eq(s->n_changes, 4);
	cr_expect_eq(history_kind(s, 0), HISTORY_CHANGED);
	cr_expect_eq(s->changes[0].before, 2813);
	cr_expect_eq(s->changes[0].after, 1562);
	history_class_change(s, 0, text, sizeof(text));
	cr_expect_str_eq(text, "handled by kernel, now by fault");
	cr_expect_eq(history_kind(s, 1), HISTORY_BETTER);
	history_class_change(s, 1, text, sizeof(text));
	cr_expect_str_eq(text, "");
	cr_expect_eq(history_kind(s, 2), HISTORY_CHANGED);
	cr_expect(s->changes[2].before == 1541 && s->changes[2].after == 1541);
	history_class_change(s, 3, text, sizeof(text));
	cr_expect_str_eq(text, "exits per event: 1, now 3");
	history_free(&h);
}

/* Lines of old programs have no class, which is not a change. */
Test(history, classes_that_are_not_known)
{
	const struct history_series *s;
	struct history h;

	put_class("a", NULL, NAN, 100);
	put_class("b", "kernel", 1, 100);
	put_class("c", NULL, NAN, 100);
	put_class("d", "user", 1, 200);
	put_class("e", NULL, NAN, 201);
	read_all(&h);
	s = &h.series[0];
	cr_assert_eq(s->n_changes, 2);
	cr_expect_str_eq(history_new_run(&h, s, 0)->kernel, "d");
	cr_expect_eq(history_kind(s, 0), HISTORY_CHANGED);
	cr_expect_eq(history_kind(s, 1), HISTORY_WORSE);
	history_free(&h);
}

/* Noise is judged separately before and after; Otava ignores classes. */
Test(history, classes_in_noise)
{
	static const double noise[] = { 1000, 1004, 996, 1001, 998, 1003 };
	const struct changepoint_rules otava = { .window = 50,
						 .pvalue = 1e-3,
						 .otava = true };
	const struct history_series *s;
	struct history h;
	char run[8];

	next.exact = false;
	next.target = "kvm";
	for (int i = 0; i < 18; i++) {
		snprintf(run, sizeof(run), "r%d", i);
		put_class(run, i < 6 ? "kernel" : "user", 1,
			  noise[i % 6] + (i < 12 ? 0 : 200));
	}
	read_all(&h);
	s = &h.series[0];
	cr_expect_eq(s->method, HISTORY_NOISE);
	cr_assert_eq(s->n_changes, 2);
	cr_expect(s->changes[0].index == 6 && history_kind(s, 0) == HISTORY_CHANGED);
	cr_expect(fabs(s->changes[0].before - 1000.33) < 0.01);
	cr_expect(s->changes[1].index == 12 && history_kind(s, 1) == HISTORY_WORSE);
	cr_assert_eq(history_judge(&h, &otava), 0);
	cr_assert_eq(s->n_changes, 1);
	cr_expect(s->changes[0].index == 12 && history_kind(s, 0) == HISTORY_WORSE);
	history_free(&h);
}

/* Two noisy figures are too few to judge, but their classes can differ. */
Test(history, classes_of_few)
{
	struct history h;

	next.exact = false;
	next.target = "kvm";
	put_class("a", "kernel", 1, 1000);
	put_class("b", "none", 0, 10);
	read_all(&h);
	cr_expect_eq(h.series[0].method, HISTORY_NOISE);
	cr_assert_eq(h.series[0].n_changes, 1);
	cr_expect_eq(history_kind(&h.series[0], 0), HISTORY_CHANGED);
	history_free(&h);
}

/* A run by another program, or on a noisy target, is not a repetition. */
Test(history, runs_that_are_not_repetitions)
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

/* 80 figures, the last 20 up by 10 %; `odd` is the quantum of figure 5. */
static size_t changes_with_odd_quantum(uint64_t odd, uint64_t later, size_t *invalid)
{
	static const double noise[] = { 0, 4, -4, 1, -2, 3, 0, -1 };
	struct history h;
	char run[8];
	size_t n;

	next.exact = false;
	next.target = "kvm";
	for (int i = 0; i < 80; i++) {
		snprintf(run, sizeof(run), "r%d", i);
		next.quantum = i == 5 ? odd : i < 60 ? 1 : later;
		put(run, (i < 60 ? 1000 : 1100) + noise[i % 8]);
	}
	read_all(&h);
	n = h.series[0].n_changes;
	*invalid = h.invalid;
	history_free(&h);
	cr_assert_eq(truncate(path, 0), 0);
	return n;
}

/* The quantum of the compared runs counts, not the largest of the series. */
Test(history, quantum_of_one_run)
{
	size_t invalid;

	cr_expect_eq(changes_with_odd_quantum(1, 1, &invalid), 1);
	cr_expect_eq(changes_with_odd_quantum(1000, 1, &invalid), 1);
	cr_expect_eq(invalid, 0);
	/* A coarser clock after the change: 100 is less than two steps of 64. */
	cr_expect_eq(changes_with_odd_quantum(1, 64, &invalid), 0);
	cr_expect_eq(changes_with_odd_quantum(1, 49, &invalid), 1);
	/* Not a clock: the run is invalid. */
	cr_expect_eq(changes_with_odd_quantum(UINT64_C(1) << 62, 1, &invalid), 1);
	cr_expect_eq(invalid, 1);
}

/*
 * 1,000, then 1,030, then 1,015 by a clock with steps of 12: the last change is not
 * visible, and with its runs, the first is not visible, too.
 */
Test(history, a_removed_change_makes_the_one_before_invisible)
{
	static const double noise[] = { 0, 4, -4, 1, -2, 3, 0, -1 };
	struct history h;
	char run[8];

	next.exact = false;
	next.target = "kvm";
	for (int i = 0; i < 120; i++) {
		snprintf(run, sizeof(run), "r%d", i);
		next.quantum = i < 62 ? 1 : 12;
		put(run, (i < 42 ? 1000 : i < 62 ? 1030 : 1015) + noise[i % 8]);
	}
	read_all(&h);
	cr_expect_eq(h.series[0].n_changes, 0);
	/* Without the later runs, it is. */
	h.series[0].n_points = 62;
	cr_assert_eq(history_judge(&h, &rules), 0);
	cr_expect_eq(h.series[0].n_changes, 1);
	history_free(&h);
}

/* A run that has two figures. */
Test(history, figures_that_are_there_twice)
{
	struct error err;
	struct history h;

	put("a", 100);
	put("b", 110);
	put("a", 100);
	read_all(&h);
	cr_expect_eq(h.duplicates, 1, "equal figures count once");
	history_free(&h);
	put("a", 120);
	cr_assert_eq(history_read(path, HISTORY_REFUSE, &h, &err), -EEXIST);
	cr_expect(strstr(err.text, "run a") && strstr(err.text, "100 and 120"), "%s",
		  err.text);
	cr_assert_eq(history_read(path, HISTORY_FIRST, &h, &err), 0);
	cr_expect_eq(h.series[0].points[0].value, 100);
	history_free(&h);
	cr_assert_eq(history_read(path, HISTORY_LAST, &h, &err), 0);
	cr_expect_eq(h.series[0].points[0].value, 120);
	cr_expect_eq(h.series[0].n_points, 2);
	history_free(&h);
}

/* Reports of the steps of two series, by a gate that checks after each run. */
struct reports {
	size_t small, large;	/* how often */
	size_t small_at, apart; /* runs at the report of the small one; not one step */
};

/* 24 runs of two rows that became slower at run 20: by 10 %, and by 1.3 %. */
static struct reports check_after_each_run(void)
{
	static const double noise[] = { 0, 4, -4, 1, -6, 3, 0, -1, 5, -3 };
	static const struct history_query newest = { .last = 1 };
	struct reports out = { 0 };
	struct history h;
	char run[8];

	next.exact = false;
	next.target = "kvm";
	for (int i = 0; i < 24; i++) {
		snprintf(run, sizeof(run), "r%d", i);
		next.benchmark = "large";
		put(run, (i < 20 ? 1000 : 1100) + noise[i % 10]);
		next.benchmark = "small";
		put(run, (i < 20 ? 1000 : 1013) + noise[(i + 3) % 10]);
	}
	read_all(&h);
	for (size_t n = 15; n <= 24; n++) {
		struct history_alarm *alarms;
		size_t n_alarms;

		h.places[0].n_runs = h.series[0].n_points = h.series[1].n_points = n;
		cr_assert_eq(history_judge(&h, &rules), 0);
		alarms = history_alarms(&newest, &h, &n_alarms);
		for (size_t i = 0; i < n_alarms; i++) {
			if (!alarms[i].recent || history_is_open(&alarms[i]))
				continue;
			if (!strcmp(alarms[i].series->benchmark, "large")) {
				out.large++;
				continue;
			}
			out.small++;
			out.small_at = n;
			out.apart += history_step_end(&h, alarms, n_alarms, i) == i + 1;
		}
		free(alarms);
	}
	history_free(&h);
	return out;
}

/* A gate reports a change once, when enough runs show it: two, or more. */
Test(history, a_gate_reports_a_step_when_it_is_first_found)
{
	struct reports r = check_after_each_run();

	cr_expect_eq(r.large, 1);
	cr_expect_eq(r.small, 1);
	cr_expect_gt(r.small_at, 22, "%zu", r.small_at);
	cr_expect_eq(r.apart, 1, "a step that is known has another heading");
}
