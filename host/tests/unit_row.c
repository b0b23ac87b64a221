/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the rows of a history. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/history/row.h"

static const struct row example = {
	.schema = ROW_SCHEMA,
	.version = ROW_VERSION,
	.run = "2026-11-21T09:05:17Z-33c1d0d7",
	.time = "2026-11-21T09:05:17Z",
	.kernel = "6.1.0-56-cloud-amd64",
	.target = "lab:x86_64-svm",
	.emulator = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
	.machine = "a3055cde0ef5ac3d",
	.exact = true,
	.tool = "0.1.0-16a25284615e",
	.benchmark = "hypercall",
	.config = "default",
	.metric = "round_trip",
	.unit = "insns",
	.better = "lower",
	.value = 3066,
	.lo = 3066,
	.hi = 3066.5,
	.quantum = 1,
	.boots = 2,
	.handled_by = "kernel",
	.exits = 1,
	.quantiles = { NAN, 3060, 3066.5, 6100, NAN, 3500.125 },
};

static struct row_names *names;

static void begin(void)
{
	names = row_names_new();
}

static void end(void)
{
	row_names_free(names);
}

TestSuite(row, .init = begin, .fini = end);

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_number(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool same(const struct row *a, const struct row *b)
{
	for (size_t q = 0; q < ROW_QUANTILES; q++)
		if (!same_number(a->quantiles[q], b->quantiles[q]))
			return false;
	return same_text(a->schema, b->schema) && a->version == b->version &&
	       same_text(a->run, b->run) && same_text(a->time, b->time) &&
	       same_text(a->kernel, b->kernel) && same_text(a->label, b->label) &&
	       same_text(a->commit, b->commit) && same_text(a->target, b->target) &&
	       same_text(a->emulator, b->emulator) && same_text(a->machine, b->machine) &&
	       a->exact == b->exact && same_text(a->tool, b->tool) &&
	       same_text(a->benchmark, b->benchmark) && same_text(a->config, b->config) &&
	       same_text(a->metric, b->metric) && same_text(a->unit, b->unit) &&
	       same_text(a->better, b->better) && same_number(a->value, b->value) &&
	       same_number(a->lo, b->lo) && same_number(a->hi, b->hi) &&
	       a->quantum == b->quantum && a->boots == b->boots &&
	       same_text(a->handled_by, b->handled_by) && same_number(a->exits, b->exits);
}

static int scan(const char *line, size_t bytes, struct row *out, struct error *err)
{
	struct row_scan *s = row_scan_new(names);
	int rc = row_scan_line(s, line, bytes, out, err);

	row_scan_free(s);
	return rc;
}

static void expect_back(const struct row *row)
{
	char *line = row_dump(row);
	struct error err;
	struct row back;

	cr_assert_eq(line[strlen(line) - 1], '\n');
	cr_assert_eq(scan(line, strlen(line) - 1, &back, &err), 0, "%s", err.text);
	cr_expect(same(row, &back), "%s", line);
	free(line);
}

Test(row, reads_back_equal)
{
	struct row row = example;

	expect_back(&row);
	row.kernel = row.emulator = NULL;
	row.label = "a \"quoted\" \\ label, \t\x01 and \xc3\xa4";
	row.commit = "0123456789abcdef";
	row.exact = false;
	row.lo = row.hi = row.exits = NAN;
	row.handled_by = NULL;
	expect_back(&row);
	for (size_t q = 0; q < ROW_QUANTILES; q++)
		row.quantiles[q] = NAN;
	expect_back(&row);
}

/* The events of two boots: 500 of 1000 to 1009 each, then `n_long` of 2000. */
static void expect_quantiles(bool exact, size_t n_long, const double want[ROW_QUANTILES])
{
	struct result_metric m = { .value = 1004.5, .n_boots = 3 };
	double got[ROW_QUANTILES];
	int64_t events[1000];

	m.boots = calloc(3, sizeof(*m.boots));
	for (size_t b = 0; b < 3; b++) {
		for (size_t i = 0; i < 500 + n_long; i++)
			events[i] = i < 500 ? 1000 + (int64_t)i % 10 : 2000;
		m.boots[b].valid = b > 0; /* of the first, nothing counts */
		if (!b)
			events[0] = 1;
		cr_assert_eq(histogram_build(events, b ? 500 + n_long : 1, HISTOGRAM_BITS,
					     &m.boots[b].histogram),
			     0);
		cr_assert_eq(stats_summarize(events, b ? 500 + n_long : 1,
					     &m.boots[b].summary),
			     0);
	}
	row_distribution(&m, exact, got);
	for (size_t q = 0; q < ROW_QUANTILES; q++)
		cr_expect(same_number(got[q], want[q]), "%s: %s is %.9g, not %.9g",
			  exact ? "exact" : "noisy", row_quantile_name(q), got[q],
			  want[q]);
	for (size_t b = 0; b < 3; b++)
		free(m.boots[b].histogram.bins);
	free(m.boots);
}

/*
 * Of noisy figures by the bins, 1000 to 1007 and 1008 to 1015; of exact ones as the boot
 * has them, and p99, of which a boot of 500 events knows little, by its bin.
 */
Test(row, quantiles_of_the_events)
{
	static const double noisy[] = { 1000, 1002, 1007, 1011, 1015, 1005 };
	static const double long_path[] = { 1001, 1003, 2002, 2010, 2014, 1301.5 };
	static const double exact[] = { 1000, 1002, 1007, 1008.1, 1015, 1005.875 };

	expect_quantiles(false, 0, noisy);
	expect_quantiles(false, 214, long_path);
	expect_quantiles(true, 0, exact);
}

Test(row, equal_events_have_a_mean_alone)
{
	static const double want[] = { NAN, NAN, NAN, NAN, NAN, 1001 };
	struct result_boot boot = { .valid = true };
	struct result_metric m = { .value = 1001, .boots = &boot, .n_boots = 1 };
	double got[ROW_QUANTILES];
	int64_t events[50];

	for (size_t i = 0; i < 50; i++)
		events[i] = 1001;
	row_distribution(&m, true, got);
	cr_expect(isnan(got[ROW_MEAN]), "a boot without a histogram");
	cr_assert_eq(histogram_build(events, 50, HISTOGRAM_BITS, &boot.histogram), 0);
	cr_assert_eq(stats_summarize(events, 50, &boot.summary), 0);
	row_distribution(&m, true, got);
	for (size_t q = 0; q < ROW_QUANTILES; q++)
		cr_expect(same_number(got[q], want[q]), "%s: %.9g", row_quantile_name(q),
			  got[q]);
	free(boot.histogram.bins);
	/* One tick of a timer: the other events are known exactly. */
	events[7] = 18000;
	cr_assert_eq(histogram_build(events, 50, HISTOGRAM_BITS, &boot.histogram), 0);
	cr_assert_eq(stats_summarize(events, 50, &boot.summary), 0);
	row_distribution(&m, true, got);
	/* Half of the tick is within the last hundredth: 0.5 of 49 events. */
	cr_expect_float_eq(got[ROW_MEAN], 1001 + 0.5 / 49 * 16999, 3, "%.9g",
			   got[ROW_MEAN]);
	free(boot.histogram.bins);
}

Test(row, numbers_read_back_exactly)
{
	static const double numbers[] = {
		0,
		-0.5,
		0.1,
		1.0 / 3,
		-17,
		3066.25,
		29091.850000000002,
		1e15,
		1e16,
		1.5e300,
		-2.5e-300,
		123456789012345.6,
		9007199254740993.0,
		5e-324,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct row row = example;

		row.value = numbers[i];
		expect_back(&row);
	}
}

/* A line with this text as its value: both parsers return equal bits. */
static void expect_read(const char *number, double want)
{
	struct row one = example, quick, slow;
	struct error err;
	char *line, *at, *text;
	int bytes;

	one.value = 1234567;
	line = row_dump(&one);
	at = strstr(line, "1234567");
	bytes = asprintf(&text, "%.*s%s%.*s", (int)(at - line), line, number,
			 (int)strcspn(at + 7, "\n"), at + 7);
	cr_assert_gt(bytes, 0);
	cr_assert_eq(scan(text, (size_t)bytes, &quick, &err), 0, "%s", err.text);
	cr_assert_eq(row_parse(names, text, (size_t)bytes, &slow, &err), 0, "%s",
		     err.text);
	cr_expect_eq(quick.value, slow.value, "%s: %.17g by the fast path, %.17g", number,
		     quick.value, slow.value);
	cr_expect_eq(quick.value, want, "%s: %.17g", number, quick.value);
	free(line);
	free(text);
}

/* Numbers at the limits of 53 and 64 bits. */
Test(row, many_digits)
{
	/* 2^64 * 100, 2^64 * 10, 2^64 + 1, 2^64, 2^64 - 1 without their points */
	expect_read("184467440737095.5161600", 184467440737095.5161600);
	expect_read("-184467440737095.5161600", -184467440737095.5161600);
	expect_read("184467440737095.516160", 184467440737095.516160);
	expect_read("184467440737095.51617", 184467440737095.51617);
	expect_read("184467440737095.51616", 184467440737095.51616);
	expect_read("184467440737095.51615", 184467440737095.51615);
	/* 2^53 - 1, 2^53, 2^53 + 1 */
	expect_read("900719925474099.1", 900719925474099.1);
	expect_read("900719925474099.2", 900719925474099.2);
	expect_read("900719925474099.3", 900719925474099.3);
	expect_read("90071992547409.93", 90071992547409.93);
	/* The most digits of the fast path, and one more. */
	expect_read("999999999999999.9999999", 999999999999999.9999999);
	expect_read("999999999999999", 999999999999999.0);
	expect_read("9999999999999999", 9999999999999999.0);
	expect_read("0.0000001", 1e-7);
	expect_read("0.00000000000000000000000000000000001", 1e-35);
	expect_read("99999999999999999999999.5e-3", 99999999999999999999999.5e-3);
}

/*
 * The fast path and the library agree on each line: a valid line with each byte replaced
 * by characters of JSON.
 */
Test(row, fast_path_and_library_agree)
{
	static const char bytes[] = "\"\\{}:,0919.-+eE tfn\n\x01\x80";
	struct row one = example;
	char *line;
	size_t n;

	one.label = "x";
	one.value = -10.25;
	line = row_dump(&one);
	n = strlen(line) - 1;
	for (size_t at = 0; at < n; at++) {
		char before = line[at];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			struct error err;
			struct row quick, slow;
			int a, b;

			line[at] = bytes[i];
			a = scan(line, n, &quick, &err);
			b = row_parse(names, line, n, &slow, &err);
			cr_assert_eq(a, b, "at %zu: %s", at, line);
			cr_assert(a || same(&quick, &slow), "at %zu: %s", at, line);
		}
		line[at] = before;
	}
	free(line);
}

Test(row, unknown_members_and_any_order_are_fine)
{
	const char *line =
		"{ \"boots\": 3, \"later\": {\"a\": [1]}, \"quantum\": 1, \"value\": "
		"1.5e2,"
		"\"better\":\"lower\",\"unit\":\"insns\",\"metric\":\"m\",\"config\":"
		"\"c\","
		"\"benchmark\":\"b\",\"tool\":\"t\",\"exact\":false,\"machine\":\"x\","
		"\"target\":\"kvm\",\"time\":\"now\",\"run\":\"r\",\"version\":1,"
		"\"schema\":\"worldswitch.history\" }";
	struct error err;
	struct row row;

	cr_assert_eq(scan(line, strlen(line), &row, &err), 0, "%s", err.text);
	cr_expect(row.value == 150 && row.boots == 3 && !strcmp(row.benchmark, "b"));
	cr_expect(isnan(row.lo) && !row.kernel && !row.handled_by && isnan(row.exits));
	cr_expect(isnan(row.quantiles[ROW_P5]) && isnan(row.quantiles[ROW_MEAN]));
}

static void expect_refused(const char *line, const char *what)
{
	struct error err;
	struct row row;

	cr_expect_eq(scan(line, strlen(line), &row, &err), -EINVAL, "%s", line);
	cr_expect(strstr(err.text, what), "%s", err.text);
}

Test(row, errors_are_named)
{
	expect_refused("", "column");
	expect_refused("{", "column");
	expect_refused("[]", "not a line of a history");
	expect_refused("{\"schema\":\"worldswitch.result\"}", "not a line of a history");
	expect_refused("{\"schema\":\"worldswitch.history\",\"version\":2}",
		       "version 2 is newer");
	expect_refused("{\"schema\":\"worldswitch.history\",\"version\":1}",
		       "/run: missing");
}

Test(row, names_are_kept_once)
{
	char text[16];
	const char *first = row_names_get(names, "abc", 2);

	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		row_names_get(names, text, strlen(text));
	}
	cr_expect_str_eq(first, "ab");
	cr_expect_eq(row_names_get(names, "ab", 2), first);
	cr_expect_neq(row_names_get(names, "a", 1), first);
	cr_expect_neq(row_names_get(names, "abc", 3), first);
}
