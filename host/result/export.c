/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of export formats, and helpers of the writers. */
#include "host/result/export.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/lib/error.h"

const struct export_format export_table[] = {
	{ "gha", "github-action-benchmark, tool customSmallerIsBetter", "round_trip",
	  true, export_gha },
	{ "bmf", "Bencher, adapter json", "round_trip", true, export_bmf },
	{ "otava-csv", "Apache Otava, test type csv", "round_trip", false,
	  export_otava_csv },
	{ "otava-json", "Apache Otava, test type json", "round_trip", false,
	  export_otava_json },
	{ "gobench", "benchstat; a line per boot", "round_trip", false, export_gobench },
	{ "gbench", "Google Benchmark's compare.py; a repetition per boot", "round_trip",
	  false, export_gbench },
	{ "openmetrics", "Prometheus and compatible programs", "round_trip", false,
	  export_openmetrics },
	{ "kcidb", "KernelCI's database, schema 5.0", "round_trip", false, export_kcidb },
	{ "csv", "spreadsheets; all rows, also skipped ones", "*", false, export_csv },
};
const size_t export_table_n = sizeof(export_table) / sizeof(export_table[0]);

const struct export_format *export_find(const char *name)
{
	for (size_t i = 0; i < export_table_n; i++)
		if (!strcmp(export_table[i].name, name))
			return &export_table[i];
	return NULL;
}

int export_write(const struct export_format *format, const struct export_request *rq,
		 FILE *out, struct error *err)
{
	for (size_t i = 0; format->one_each && i < rq->n_docs; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(rq->docs[i]->target.name, rq->docs[j]->target.name))
				return error_set(
					err, -EINVAL,
					"%s holds only one run of each target: several runs of %s",
					format->name, rq->docs[i]->target.name);
	return format->write(rq, out, err);
}

static bool wanted(const struct export_request *rq, const struct result_metric *m)
{
	for (const char *const *p = rq->metrics; *p; p++)
		if (!fnmatch(*p, m->name, 0))
			return isfinite(m->value);
	return false;
}

bool export_next(const struct export_request *rq, struct export_cursor *at,
		 struct export_figure *out)
{
	for (; at->doc < rq->n_docs; at->doc++, at->benchmark = 0) {
		out->doc = rq->docs[at->doc];
		for (; at->benchmark < out->doc->n_benchmarks;
		     at->benchmark++, at->metric = 0) {
			out->benchmark = &out->doc->benchmarks[at->benchmark];
			while (out->benchmark->status == RESULT_OK &&
			       at->metric < out->benchmark->n_metrics) {
				out->metric = &out->benchmark->metrics[at->metric++];
				if (wanted(rq, out->metric))
					return true;
			}
		}
	}
	return false;
}

const struct result_metric *export_same(const struct result *doc,
					const struct export_figure *f)
{
	const struct result_benchmark *b =
		result_find(doc, f->benchmark->name, f->benchmark->config);
	const struct result_metric *m = NULL;

	if (b && b->status == RESULT_OK)
		m = result_find_metric(b, f->metric->name);
	return m && isfinite(m->value) ? m : NULL;
}

bool export_in_all(const struct export_request *rq, const struct export_figure *f)
{
	for (size_t d = 0; d < rq->n_docs; d++)
		if (!export_same(rq->docs[d], f))
			return false;
	return true;
}

void export_name(const struct export_figure *f, bool target, char name[EXPORT_NAME_BYTES])
{
	bool plain = !strcmp(f->benchmark->config, "default");
	bool main = !strcmp(f->metric->name, "round_trip");

	snprintf(name, EXPORT_NAME_BYTES, "%.60s%s%.60s%s%.60s%s%s%.60s",
		 target ? f->doc->target.name : "", target ? "/" : "", f->benchmark->name,
		 plain ? "" : "[", plain ? "" : f->benchmark->config, plain ? "" : "]",
		 main ? "" : ".", main ? "" : f->metric->name);
}

void export_number(double value, char text[EXPORT_NUMBER_BYTES])
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, EXPORT_NUMBER_BYTES, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (value == floor(value) && fabs(value) < 1e15)
		snprintf(text, EXPORT_NUMBER_BYTES, "%.0f", value);
}

long long export_seconds(const char *time)
{
	struct tm utc = { 0 };

	return time && strptime(time, "%Y-%m-%dT%H:%M:%S", &utc) ? timegm(&utc) : 0;
}

const char *export_text(const char *s)
{
	return s ? s : "";
}

double export_ns(const struct export_figure *f, double value)
{
	uint64_t hz = f->doc->clock.hz;

	return hz && strcmp(f->metric->unit, "ns") != 0 ? value * 1e9 / (double)hz
							: value;
}
