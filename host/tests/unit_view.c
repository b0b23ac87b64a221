/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the charts show, and that they are drawn whole or not at all. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/result/result.h"
#include "host/view/chart.h"
#include "host/view/chart_model.h"
#include "host/view/gnuplot.h"
#include "host/view/number.h"

static struct result *sample_doc(const char *target, const char *unit)
{
	struct result *r = result_new();

	r->target.name = target;
	r->target.kind = "lab";
	r->target.exact = true;
	r->target.hypervisor = "SVM";
	r->subject.kernel = "6.1.0-test";
	r->clock.name = "TSC";
	r->clock.unit = unit;
	return r;
}

static void add(struct result *r, const char *name, enum result_status status,
		double value)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;

	b->name = name;
	b->config = "default";
	b->status = status;
	if (status != RESULT_OK)
		return;
	m = result_add_metric(r, b);
	m->name = "round_trip";
	m->unit = r->clock.unit;
	m->value = value;
}

static char *quoted(const char *text)
{
	char *out = NULL;
	size_t bytes;
	FILE *f = open_memstream(&out, &bytes);

	gnuplot_quote(f, text);
	fclose(f);
	return out;
}

static void expect_number(double value, bool exact, const char *want)
{
	char text[NUMBER_BYTES];

	number_format(text, value, exact);
	cr_expect_str_eq(text, want, "%s instead of %s", text, want);
}

Test(number, is_easy_to_read)
{
	expect_number(0, true, "0");
	expect_number(-0.01, false, "0");
	expect_number(999, true, "999");
	expect_number(1000, true, "1,000");
	expect_number(-1234567, true, "-1,234,567");
	expect_number(100000, false, "100,000");
	expect_number(1301.5, true, "1,301.5");
	expect_number(1301.5, false, "1,302");
	expect_number(24.25, false, "24.2");
	expect_number(NAN, false, "?");
	expect_number(INFINITY, false, "inf");
}

Test(gnuplot, a_name_cannot_leave_its_quotes)
{
	char *text = quoted("a'b`touch x`\n\"c\\");

	cr_expect_str_eq(text, "'a''b?touch x??\"c\\'", "%s", text);
	free(text);
}

Test(chart_model, bars_are_grouped_by_benchmark)
{
	struct result *docs[2] = { sample_doc("a", "insns"), sample_doc("b", "insns") };
	struct chart_model m;

	add(docs[0], "cpuid", RESULT_OK, 1000);
	add(docs[0], "null", RESULT_OK, 0);
	add(docs[1], "cpuid", RESULT_OK, 2000);
	add(docs[1], "hypercall", RESULT_SKIP, 0);
	chart_model_build(&m, "insns", (const struct result *const *)docs, 2);
	cr_assert_eq(m.n_groups, 2);
	cr_expect_str_eq(m.groups[0].label, "null");
	cr_expect_str_eq(m.groups[1].label, "cpuid");
	cr_assert_eq(m.n_bars, 3);
	cr_expect_eq(m.n_skipped, 1);
	cr_expect_eq(m.bars[1].doc, 0);
	cr_expect_eq(m.bars[2].doc, 1);
	for (size_t i = 1; i < 3; i++) {
		cr_expect_gt(m.bars[i].y, m.groups[1].top);
		cr_expect_lt(m.bars[i].y, m.groups[1].bottom);
	}
	cr_expect_float_eq(m.most, 2000, 1e-9);
	cr_expect_float_eq(m.foot, 1, 1e-9);
	chart_model_free(&m);
	result_free(docs[0]);
	result_free(docs[1]);
}

Test(chart_model, no_positive_value_is_hidden_by_the_axis)
{
	struct result *doc = sample_doc("a", "insns");
	struct chart_model m;

	add(doc, "cntvct", RESULT_OK, 1);
	add(doc, "cpuid", RESULT_OK, 1000);
	chart_model_build(&m, "insns", (const struct result *const *)&doc, 1);
	cr_expect_lt(m.foot, 1);
	chart_model_free(&m);
	result_free(doc);
}

Test(chart_model, units_never_share_a_chart)
{
	struct result *docs[2] = { sample_doc("a", "insns"), sample_doc("b", "ticks") };
	struct chart_model m;

	add(docs[0], "cpuid", RESULT_OK, 1000);
	add(docs[1], "cpuid", RESULT_OK, 2000);
	chart_model_build(&m, "ticks", (const struct result *const *)docs, 2);
	cr_expect_eq(m.n_docs, 1);
	cr_expect_eq(m.n_bars, 1);
	cr_expect_float_eq(m.bars[0].value, 2000, 1e-9);
	chart_model_free(&m);
	result_free(docs[0]);
	result_free(docs[1]);
}

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void remove_folder(const char *dir, const struct chart_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		unlink(files->paths[i]);
	cr_expect_eq(rmdir(dir), 0, "something was left in %s", dir);
}

static bool begins(const char *path, const char *magic, size_t bytes)
{
	char head[16] = "";
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert_not_null(f, "%s", path);
	n = fread(head, 1, bytes, f);
	fclose(f);
	return n == bytes && !memcmp(head, magic, bytes);
}

static bool have_gnuplot(void)
{
	char why[64];

	return gnuplot_run("exit\n", AT_FDCWD, why, sizeof(why)) != -ENOENT;
}

Test(chart, a_pair_of_pictures_per_unit)
{
	struct result *docs[2] = { sample_doc("it's `x` $y", "insns"),
				   sample_doc("b", "ticks") };
	char dir[] = "/tmp/unit_view.XXXXXX";
	struct chart_files files;
	struct chart_error err;
	int ret;

	if (!have_gnuplot())
		cr_skip_test("gnuplot is not installed");
	cr_assert_not_null(mkdtemp(dir));
	add(docs[0], "cpuid", RESULT_OK, 1000);
	add(docs[0], "null", RESULT_OK, -2);
	add(docs[1], "null", RESULT_OK, 0); /* no bar has a length */
	add(docs[1], "cpuid", RESULT_FAIL, 0);
	ret = chart_bars((const struct result *const *)docs, 2, dir, &files, &err);
	cr_assert_eq(ret, 0, "%s", ret ? err.text : "");
	cr_assert_eq(files.n, 4);
	cr_expect_eq(entries(dir), 4);
	cr_expect(strstr(files.paths[0], "/round_trip-insns.svg"));
	cr_expect(begins(files.paths[0], "<?xml", 5));
	cr_expect(strstr(files.paths[3], "/round_trip-ticks.png"));
	cr_expect(begins(files.paths[3], "\x89PNG", 4));
	remove_folder(dir, &files);
	chart_files_free(&files);
	result_free(docs[0]);
	result_free(docs[1]);
}

Test(chart, without_figures_there_is_no_picture)
{
	struct result *doc = sample_doc("a", "insns");
	char dir[] = "/tmp/unit_view.XXXXXX";
	struct chart_files files;
	struct chart_error err;

	cr_assert_not_null(mkdtemp(dir));
	add(doc, "cpuid", RESULT_SKIP, 0);
	cr_expect_eq(chart_bars((const struct result *const *)&doc, 1, dir, &files, &err),
		     -ENODATA);
	cr_expect_eq(files.n, 0);
	remove_folder(dir, &files);
	chart_files_free(&files);
	result_free(doc);
}

Test(chart, a_missing_gnuplot_is_said_and_leaves_nothing)
{
	struct result *doc = sample_doc("a", "insns");
	char dir[] = "/tmp/unit_view.XXXXXX";
	struct chart_files files;
	struct chart_error err;

	cr_assert_not_null(mkdtemp(dir));
	add(doc, "cpuid", RESULT_OK, 1000);
	setenv("PATH", dir, 1);
	cr_expect_eq(chart_bars((const struct result *const *)&doc, 1, dir, &files, &err),
		     -ENOENT);
	cr_expect(strstr(err.text, "gnuplot is not installed"), "%s", err.text);
	remove_folder(dir, &files);
	chart_files_free(&files);
	result_free(doc);
}

Test(chart, a_failing_gnuplot_is_quoted_and_the_old_picture_stays)
{
	struct result *doc = sample_doc("a", "insns");
	char dir[] = "/tmp/unit_view.XXXXXX", tool[64], old[64];
	struct chart_files files;
	struct chart_error err;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(tool, sizeof(tool), "%s/gnuplot", dir);
	snprintf(old, sizeof(old), "%s/round_trip-insns.svg", dir);
	f = fopen(tool, "w");
	fputs("#!/bin/sh\necho 'line 3: no such terminal' >&2\nexit 1\n", f);
	fclose(f);
	cr_assert_eq(chmod(tool, 0755), 0);
	f = fopen(old, "w");
	fputs("old", f);
	fclose(f);
	add(doc, "cpuid", RESULT_OK, 1000);
	setenv("PATH", dir, 1);
	cr_expect_eq(chart_bars((const struct result *const *)&doc, 1, dir, &files, &err),
		     -EIO);
	cr_expect_str_eq(err.text, "gnuplot failed: line 3: no such terminal");
	cr_expect(begins(old, "old", 3));
	unlink(tool);
	unlink(old);
	remove_folder(dir, &files);
	chart_files_free(&files);
	result_free(doc);
}

Test(chart, a_folder_that_cannot_be_is_named)
{
	struct result *doc = sample_doc("a", "insns");
	struct chart_files files;
	struct chart_error err;

	add(doc, "cpuid", RESULT_OK, 1000);
	cr_expect_lt(chart_bars((const struct result *const *)&doc, 1, "/proc/none/here",
				&files, &err),
		     0);
	cr_expect(strstr(err.text, "/proc/none/here"), "%s", err.text);
	chart_files_free(&files);
	result_free(doc);
}
