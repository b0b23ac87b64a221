/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of what `run` prints: the time left, and the table of figures. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/run.h"
#include "host/report/run_table.h"
#include "host/result/result.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct result *sample_doc(const char *target, const char *unit, bool exact)
{
	struct result *r = result_new();

	r->target.name = result_string(r, target);
	r->target.kind = "lab";
	r->target.exact = exact;
	r->subject.kernel = "6.1.0-test";
	r->clock.name = "TSC";
	r->clock.hz = 1000000000;
	r->clock.unit = unit;
	return r;
}

static struct result_benchmark *add(struct result *r, const char *name,
				    const char *config, enum bench_handler handled)
{
	struct result_benchmark *b = result_add_benchmark(r);

	b->name = name;
	b->config = config;
	b->group = "exit";
	b->handled_by = handled;
	b->exits = (struct result_exits){ -1, -1, -1, -1, -1, -1, { NULL, -1, -1 } };
	return b;
}

static void add_ok(struct result *r, const char *name, const char *config,
		   enum bench_handler handled, double value, double half)
{
	struct result_benchmark *b = add(r, name, config, handled);
	struct result_metric *m = result_add_metric(r, b);

	m->name = "round_trip";
	m->unit = r->clock.unit;
	m->value = value;
	m->ci.method = half > 0 ? "order-statistic" : "exact";
	m->ci.lo = value - half;
	m->ci.hi = value + half;
}

static void add_not_ok(struct result *r, const char *name, enum result_status status,
		       const char *reason)
{
	struct result_benchmark *b = add(r, name, "default", HANDLED_USER);

	b->status = status;
	b->reason = reason;
}

static char *print_table(struct result **docs, size_t n, unsigned int columns)
{
	const struct table_options o = { .columns = columns };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	run_table_print(f, (const struct result *const *)docs, n, &o, true);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		result_free(docs[i]);
	return text;
}

/* After `seconds` of boots, of which `done` of `total` ended. */
static const char *left_after(const struct progress_work *w, double seconds, size_t done,
			      size_t total)
{
	static char text[PROGRESS_LEFT_BYTES];

	progress_left(text, w, done, total, w->boots_ns + (uint64_t)(seconds * 1e9));
	return text;
}

Test(progress, the_time_left_is_that_of_the_boots_so_far)
{
	struct progress_work w = { .targets = 1, .boots_ns = 5000000000 };

	cr_expect_str_eq(left_after(&w, 10, 0, 8), "", "nothing is known");
	cr_expect_str_eq(left_after(&w, 0.5, 1, 8), "", "too early");
	cr_expect_str_eq(left_after(&w, 10, 2, 8), ", about 31 s left");
	cr_expect_str_eq(left_after(&w, 10, 1, 31), ", about 5 min left");
	cr_expect_str_eq(left_after(&w, 100, 1, 101), ", about 3 h left");
	cr_expect_str_eq(left_after(&w, 10, 8, 8), ", about 1 s left");
	w.boots_ns = 0;
	cr_expect_str_eq(left_after(&w, 10, 2, 8), "", "the first boot has not begun");
}

Test(progress, other_targets_are_assumed_to_last_as_long_as_those_that_ended)
{
	struct progress_work w = { .targets = 4, .boots_ns = 5000000000 };

	cr_expect_str_eq(left_after(&w, 10, 2, 8), ", about 31 s left here");
	w.ended = 2;
	w.ended_ns = 100000000000;
	cr_expect_str_eq(left_after(&w, 10, 2, 8), ", about 81 s left");
	w.ended = 3;
	cr_expect_str_eq(left_after(&w, 10, 2, 8), ", about 31 s left");
}

Test(progress, targets_beside_each_other_share_a_line)
{
	const uint64_t s = 1000000000;
	struct progress_part parts[3] = { { .name = "a" },
					  { .name = "b" },
					  { .name = "c" } };
	struct progress_beside b = {
		.parts = parts, .n = 3, .targets = 4, .ended = 1, .at_once = 2
	};
	char text[200];

	progress_beside_text(&b, 10 * s, text, sizeof(text));
	cr_expect_str_eq(text, "[1/4 done]", "nothing has begun");
	parts[0] = (struct progress_part){ "a", 10, 40, 10 * s, 10 * s, 0 };
	parts[1] = (struct progress_part){ "b", 0, 0, 10 * s, 0, 0 };
	/* 30 s of a; b and c need 40 s each; two at a time. */
	progress_beside_text(&b, 20 * s, text, sizeof(text));
	cr_expect_str_eq(text, "[1/4 done], about 56 s left: a 25 %, b", "%s", text);
	/* The longest decides. */
	parts[1] = (struct progress_part){ "b", 50, 100, 10 * s, 10 * s, 0 };
	parts[2] = (struct progress_part){ "c", 0, 0, 1 * s, 0, 1 * s }; /* left out */
	progress_beside_text(&b, 20 * s, text, sizeof(text));
	cr_expect_str_eq(text, "[1/4 done], about 31 s left: a 25 %, b 50 %", "%s", text);
	parts[1].end_ns = 20 * s;
	progress_beside_text(&b, 20 * s, text, 20);
	cr_expect_str_eq(text, "[1/4 done], about 3", "truncated: %s", text);
}

#define EXPECT_HAS(text, part)                                                           \
	cr_expect(strstr(text, part), "no \"%s\" in:\n%s", part, text)

static size_t times(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

Test(table, one_row_per_benchmark_and_one_column_per_target)
{
	struct result *docs[2] = { sample_doc("lab:x86_64-svm", "insns", true),
				   sample_doc("kvm", "ticks", false) };
	char *text;

	add_ok(docs[0], "cpuid", "default", HANDLED_KERNEL, 1102, 0);
	add_ok(docs[0], "null", "default", HANDLED_NONE, -3, 0);
	add_ok(docs[1], "cpuid", "default", HANDLED_KERNEL, 1234567, 52.5);
	text = print_table(docs, 2, 100);
	EXPECT_HAS(text, "                          lab\n"
			 "                       x86_64\n"
			 "                          svm        kvm\n"
			 "benchmark  handled by   insns      ticks\n"
			 "-----------------------------------------------\n"
			 /* the order of the catalogue, not of the document */
			 "null       none            -3          -\n"
			 "cpuid      kernel       1,102  1,234,567 +-52.5\n");
	free(text);
}

Test(table, configs_are_named_where_they_matter)
{
	struct result *docs[1] = { sample_doc("kvm", "ticks", true) };
	char *text;

	add_ok(docs[0], "cpuid", "default", HANDLED_KERNEL, 1, 0);
	add_ok(docs[0], "pmccntr", "default", HANDLED_KERNEL, 1, 0);
	add_ok(docs[0], "pmccntr", "pmu-off", HANDLED_KERNEL, 1, 0);
	add_ok(docs[0], "cntvct", "irqchip-user", HANDLED_NONE, 1, 0);
	text = print_table(docs, 1, 100);
	EXPECT_HAS(text, "\ncpuid  ");
	EXPECT_HAS(text, "\npmccntr [default]  ");
	EXPECT_HAS(text, "\npmccntr [pmu-off]  ");
	EXPECT_HAS(text, "\ncntvct [irqchip-user]  ");
	free(text);
}

Test(table, configs_are_compared_with_the_first)
{
	struct result *docs[1] = { sample_doc("kvm", "ticks", true) };
	char *text;

	add_ok(docs[0], "hypercall", "default", HANDLED_KERNEL, 1000, 0);
	add_ok(docs[0], "hypercall", "pmu-off", HANDLED_KERNEL, 1060, 0);
	add_ok(docs[0], "null", "default", HANDLED_NONE, 0, 0);
	add_ok(docs[0], "null", "pmu-off", HANDLED_NONE, 5, 0);
	add_ok(docs[0], "pmccntr", "default", HANDLED_KERNEL, 2000, 0);
	add_ok(docs[0], "pmccntr", "pmu-off", HANDLED_NONE, 1, 0);
	text = print_table(docs, 1, 100);
	EXPECT_HAS(text, "hypercall [default]  kernel      1,000\n");
	EXPECT_HAS(text, " 1,060       +60 (1.06x)\n");
	EXPECT_HAS(text, " 5                +5\n"); /* no ratio to 0 */
	EXPECT_HAS(text, "-1,999 (0.0005x)\n");
	EXPECT_HAS(text, "      to the first\n"); /* the head */
	free(text);
}

/* Of an exact target, what compare says of the same document: the nearest ends. */
Test(table, configs_with_ranges_are_compared_by_the_nearest_ends)
{
	struct result *docs[1] = { sample_doc("lab:aarch64-vhe", "insns", true) };
	char *text;

	docs[0]->target.exact = true;
	add_ok(docs[0], "fault_first_touch_4k", "pmu-off", HANDLED_KERNEL, 3605, 4);
	add_ok(docs[0], "fault_first_touch_4k", "pmu-emulated", HANDLED_KERNEL, 3629, 4);
	add_ok(docs[0], "fault_stream_4k", "pmu-off", HANDLED_KERNEL, 3600, 8);
	add_ok(docs[0], "fault_stream_4k", "pmu-emulated", HANDLED_KERNEL, 3604, 8);
	text = print_table(docs, 1, 100);
	EXPECT_HAS(text, " 3,625 to 3,633  +16 (1.004x)\n");
	EXPECT_HAS(text, " 3,596 to 3,612        0 (1x)\n");
	free(text);
}

Test(table, each_reason_is_printed_once_below)
{
	struct result *docs[2] = { sample_doc("bare:x86_64", "ticks", true),
				   sample_doc("bare:aarch64", "ticks", true) };
	char *text;

	for (int d = 0; d < 2; d++) {
		add_not_ok(docs[d], "hypercall", RESULT_SKIP, "there is no hypervisor");
		add_not_ok(docs[d], "mmio_read_user", RESULT_SKIP,
			   "there is no hypervisor");
	}
	add_not_ok(docs[1], "cntvct", RESULT_FAIL, "the guest \033[31mcrashed");
	result_warn(docs[0], "noise", "it is noisy here");
	result_warn(docs[1], "noise", "it is noisy here");
	text = print_table(docs, 2, 100);
	cr_expect_eq(times(text, "skip [1]"), 4, "%s", text);
	cr_expect_eq(times(text, "FAIL [2]"), 1, "%s", text);
	cr_expect_eq(times(text, "there is no hypervisor"), 1, "%s", text);
	EXPECT_HAS(text, "\n[2] the guest \\x1b[31mcrashed\n");
	EXPECT_HAS(text, "\nWarning (bare:x86_64, bare:aarch64): it is noisy here\n");
	free(text);
}

Test(table, a_cell_names_the_handler_if_targets_differ)
{
	struct result *docs[3] = { sample_doc("lab:aarch64-vhe", "insns", true),
				   sample_doc("lab:aarch64-nvhe", "insns", true),
				   sample_doc("bare:aarch64", "insns", true) };
	char *text;

	add_ok(docs[0], "pmccntr", "default", HANDLED_KERNEL, 1877, 0);
	docs[0]->benchmarks[0].exits.faults = 500;
	add_ok(docs[1], "pmccntr", "default", HANDLED_KERNEL, 2385, 0);
	docs[1]->benchmarks[0].exits.faults = 500;
	add_ok(docs[2], "pmccntr", "default", HANDLED_NONE, 4, 0);
	text = print_table(docs, 3, 100);
	EXPECT_HAS(text, "\npmccntr    fault         1,877    2,385        4 none\n");
	free(text);
}

Test(table, a_wide_table_is_split_by_unit)
{
	struct result *docs[8];
	char name[32], *text;
	size_t longest = 0;

	for (size_t d = 0; d < COUNT(docs); d++) {
		snprintf(name, sizeof(name), "lab:aarch64-number%zu", d);
		docs[d] = sample_doc(name, d < 6 ? "insns" : "ticks", true);
		add_ok(docs[d], "mmio_read_user", "default", HANDLED_USER, 4321, 0);
	}
	text = print_table(docs, COUNT(docs), 70);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > longest)
			longest = strcspn(line, "\n");
	cr_expect_leq(longest, 70, "%zu columns:\n%s", longest, text);
	cr_expect_eq(times(text, "\nbenchmark "), 3, "%s", text);
	cr_expect_eq(times(text, "4,321"), COUNT(docs));
	EXPECT_HAS(text, "Never compare insns with ticks.");
	free(text);
}

Test(table, documents_of_one_target_are_numbered)
{
	struct result *docs[2] = { sample_doc("kvm", "ticks", true),
				   sample_doc("kvm", "ticks", true) };
	char *text;

	add_ok(docs[0], "cpuid", "default", HANDLED_KERNEL, 1, 0);
	add_ok(docs[1], "cpuid", "default", HANDLED_KERNEL, 2, 0);
	text = print_table(docs, 2, 100);
	EXPECT_HAS(text, "#1 ticks  #2 ticks\n");
	EXPECT_HAS(text, "\nkvm #2  Linux 6.1.0-test");
	free(text);
}
