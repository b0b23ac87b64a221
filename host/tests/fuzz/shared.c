/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the harnesses share: inputs, files, the use of a document, mutated JSON. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/compare/compare.h"
#include "host/lib/table.h"
#include "host/report/report.h"
#include "host/report/run_table.h"
#include "host/result/export.h"
#include "host/tests/fuzz/fuzz.h"

void fuzz_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: does not hold: %s: ", file, line, condition);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void fuzz_get(struct fuzz_input *in, void *to, size_t bytes)
{
	size_t n = bytes < in->left ? bytes : in->left;

	memset(to, 0, bytes);
	if (n)
		memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

uint8_t fuzz_byte(struct fuzz_input *in)
{
	uint8_t byte;

	fuzz_get(in, &byte, 1);
	return byte;
}

uint32_t fuzz_random(uint32_t *state)
{
	/* xorshift32 (Marsaglia, 2003); its state is never 0. */
	uint32_t x = *state ? *state : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

const char *fuzz_file(const void *data, size_t bytes)
{
	static char path[32];
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("input", 0);
	if (fd < 0 || (bytes && write(fd, data, bytes) != (ssize_t)bytes))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

FILE *fuzz_sink(void)
{
	static FILE *sink;

	if (!sink)
		sink = fopen("/dev/null", "we");
	if (!sink)
		abort();
	return sink;
}

/* ---- a document ------------------------------------------------------------------ */

static void reads_back_equal(const struct result *r)
{
	char *text = result_dump(r), *again;
	struct error err = { "" };
	struct result *back;
	int rc = result_parse(text, strlen(text), &back, &err);

	FUZZ_CHECK(!rc, "a written document is not valid: %s", err.text);
	again = result_dump(back);
	FUZZ_CHECK(!strcmp(text, again), "a document changes when it is read:\n%s\n%s",
		   text, again);
	result_free(back);
	free(again);
	free(text);
}

static bool is_figure(double value)
{
	return isnan(value) || isfinite(value);
}

static void figures_are_finite(const struct result *r)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		for (size_t k = 0; k < r->benchmarks[i].n_metrics; k++) {
			const struct result_metric *m = &r->benchmarks[i].metrics[k];

			FUZZ_CHECK(is_figure(m->value) && is_figure(m->ci.lo) &&
					   is_figure(m->ci.hi) &&
					   is_figure(m->bootstrap.lo) &&
					   is_figure(m->bootstrap.hi),
				   "%s %s: %g in [%g, %g]", r->benchmarks[i].name,
				   m->name, m->value, m->ci.lo, m->ci.hi);
		}
}

static void exports(const struct result *r)
{
	for (size_t i = 0; i < export_table_n; i++) {
		const struct export_format *format = &export_table[i];
		const char *const metrics[] = { "*", NULL };
		const struct export_request rq = { &r, 1, metrics };
		struct error err = { "" };
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);
		int rc = export_write(format, &rq, out, &err);

		fclose(out);
		FUZZ_CHECK(!rc || (rc == -EINVAL && *err.text), "%s: %d", format->name,
			   rc);
		if (!rc && text[0] == '{' && !strstr(format->name, "csv")) {
			json_error_t where;
			json_t *json = json_loads(text, JSON_DECODE_ANY, &where);

			FUZZ_CHECK(json, "%s: not JSON: line %d: %s", format->name,
				   where.line, where.text);
			json_decref(json);
		}
		free(text);
	}
}

static void does_not_differ_from_itself(const struct result *r)
{
	const struct compare_options o = { .n_metrics = 0 };
	const struct compare_names names = { "base", "new" };
	struct error err = { "" };
	struct compare c;

	if (compare_documents(r, r, &o, &c, &err)) {
		FUZZ_CHECK(*err.text, "no message");
		return;
	}
	FUZZ_CHECK(!c.count[COMPARE_WORSE] && !c.count[COMPARE_BETTER],
		   "a document differs from itself: %zu worse, %zu better",
		   c.count[COMPARE_WORSE], c.count[COMPARE_BETTER]);
	compare_print(fuzz_sink(), &c, &names, true);
	compare_print_markdown(fuzz_sink(), &c, &names);
	compare_free(&c);
}

/* Two runs a side, with equal figures. */
static void runs_do_not_differ(const struct result *r)
{
	static const char *const ids[] = { "2", "3", "4", "5" };
	const struct compare_options o = { .n_metrics = 0 };
	const struct compare_names names = { "base", "new" };
	const struct result *base[2] = { NULL }, *new[2] = { NULL };
	char *text = result_dump(r);
	struct error err = { "" };
	struct result *copy[4];
	struct compare c;

	for (size_t i = 0; i < 4; i++) {
		if (result_parse(text, strlen(text), &copy[i], &err))
			abort();
		copy[i]->run.id = ids[i];
		(i < 2 ? base : new)[i % 2] = copy[i];
	}
	if (!compare_sides(base, 2, new, 2, &o, &c, &err)) {
		FUZZ_CHECK(!c.count[COMPARE_WORSE] && !c.count[COMPARE_BETTER],
			   "equal runs differ: %zu worse, %zu better",
			   c.count[COMPARE_WORSE], c.count[COMPARE_BETTER]);
		compare_print(fuzz_sink(), &c, &names, true);
		compare_free(&c);
	} else {
		FUZZ_CHECK(*err.text, "no message");
	}
	for (size_t i = 0; i < 4; i++)
		result_free(copy[i]);
	free(text);
}

/* The sections of the report, and the scripts of the pictures. */
static void report(const struct result *r)
{
	static bool (*const sections[])(FILE *, const struct report *) = {
		report_summary, report_figures, report_floor,	 report_configs,
		report_visible, report_missing, report_warnings, report_environment,
	};
	struct report page = { .in = { .docs = &r, .n_docs = 1 } };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		sections[i](f, &page);
	fclose(f);
	FUZZ_CHECK(!strstr(text, "</script") && !strstr(text, "<b>&amp;"),
		   "text of the document is markup of the report: %s", text);
	free(text);
	for (const struct plot_kind *k = plot_kinds; k->id; k++) {
		struct picture_list pictures = { .n = 0 };
		struct plot_reason why = { "" };

		if (k->source == PLOT_DOCUMENTS)
			k->plan(&page.in, &pictures, &why);
		picture_list_free(&pictures);
	}
}

void fuzz_use_result(const struct result *r, bool print)
{
	const struct table_options options = { .columns = 80, .utf8 = true };

	reads_back_equal(r);
	figures_are_finite(r);
	exports(r);
	does_not_differ_from_itself(r);
	if (!print)
		return;
	runs_do_not_differ(r);
	run_table_print(fuzz_sink(), &r, 1, &options, true);
	run_metrics_print(fuzz_sink(), r, &options);
	run_statistics_print(fuzz_sink(), r, &options);
	report(r);
}
