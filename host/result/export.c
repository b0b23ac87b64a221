/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of other tools: their table, their figures, and those in lines of text. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/result/export.h"

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

	const char *parts[] = {
		target ? f->doc->target.name : "",
		f->benchmark->name,
		plain ? "" : f->benchmark->config,
		main ? "" : f->metric->name,
	};

	/* Cut between characters: the name is a key of a JSON object. */
	snprintf(name, EXPORT_NAME_BYTES, "%.*s%s%.*s%s%.*s%s%s%.*s",
		 text_prefix(parts[0], 60), parts[0], target ? "/" : "",
		 text_prefix(parts[1], 60), parts[1], plain ? "" : "[",
		 text_prefix(parts[2], 60), parts[2], plain ? "" : "]", main ? "" : ".",
		 text_prefix(parts[3], 60), parts[3]);
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

void export_csv_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void csv_row(FILE *out, const char *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putc(',', out);
		export_csv_field(out, export_text(fields[i]));
	}
	putc('\n', out);
}

/* A row for a metric, or without a metric for a benchmark that was skipped or failed. */
static void csv_figure(FILE *out, const struct export_figure *f)
{
	const struct result *r = f->doc;
	const struct result_benchmark *b = f->benchmark;
	const struct result_metric *m = f->metric;
	char value[EXPORT_NUMBER_BYTES] = "", lo[EXPORT_NUMBER_BYTES] = "";
	char hi[EXPORT_NUMBER_BYTES] = "", boots[24] = "", faults[24] = "";
	const char *fields[] = {
		r->run.id,
		r->run.started,
		r->target.name,
		r->subject.kernel,
		r->subject.label,
		r->subject.commit,
		r->machine.fingerprint,
		b->name,
		b->config,
		b->group,
		result_handler_name(b->handled_by),
		result_status_name(b->status),
		b->reason,
		m ? m->name : NULL,
		m ? m->unit : NULL,
		value,
		lo,
		hi,
		boots,
		faults,
	};

	if (m) {
		export_number(m->value, value);
		snprintf(boots, sizeof(boots), "%zu", m->n_boots);
	}
	if (m && m->ci.method) {
		export_number(m->ci.lo, lo);
		export_number(m->ci.hi, hi);
	}
	if (b->status != RESULT_SKIP && b->exits.faults >= 0)
		snprintf(faults, sizeof(faults), "%" PRId64, b->exits.faults);
	csv_row(out, fields, sizeof(fields) / sizeof(fields[0]));
}

int export_csv(const struct export_request *rq, FILE *out, struct error *err)
{
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	fputs("run,started,target,kernel,label,commit,machine,benchmark,config,group,"
	      "handled_by,status,reason,metric,unit,value,lo,hi,boots,"
	      "faults\n",
	      out);
	while (export_next(rq, &at, &f))
		csv_figure(out, &f);
	f.metric = NULL;
	for (size_t d = 0; d < rq->n_docs; d++)
		for (size_t i = 0; i < rq->docs[d]->n_benchmarks; i++) {
			f.doc = rq->docs[d];
			f.benchmark = &f.doc->benchmarks[i];
			if (f.benchmark->status != RESULT_OK)
				csv_figure(out, &f);
		}
	return 0;
}

/* A row per run, a column per figure. */
int export_otava_csv(const struct export_request *rq, FILE *out, struct error *err)
{
	const struct export_request first = { rq->docs, 1, rq->metrics };
	char name[EXPORT_NAME_BYTES], number[EXPORT_NUMBER_BYTES];
	struct export_figure f;

	for (size_t d = 1; d < rq->n_docs; d++)
		if (strcmp(rq->docs[d]->target.name, rq->docs[0]->target.name) != 0)
			return error_set(err, -EINVAL,
					 "otava-csv holds only one target, not %s and %s",
					 rq->docs[0]->target.name,
					 rq->docs[d]->target.name);
	fputs("time,run,kernel,label,commit", out);
	for (struct export_cursor at = { 0 }; export_next(&first, &at, &f);) {
		if (!export_in_all(rq, &f))
			continue;
		export_name(&f, false, name);
		putc(',', out);
		export_csv_field(out, name);
	}
	putc('\n', out);
	for (size_t d = 0; d < rq->n_docs; d++) {
		const struct result *r = rq->docs[d];
		const char *fields[] = { r->run.id, r->subject.kernel, r->subject.label,
					 r->subject.commit };

		fputs(r->run.started, out);
		for (size_t i = 0; i < 4; i++) {
			putc(',', out);
			export_csv_field(out, export_text(fields[i]));
		}
		for (struct export_cursor at = { 0 }; export_next(&first, &at, &f);) {
			if (!export_in_all(rq, &f))
				continue;
			export_number(export_same(r, &f)->value, number);
			fprintf(out, ",%s", number);
		}
		putc('\n', out);
	}
	return 0;
}

/* "key: value": valid for the following lines, until the next value. */
static void gobench_key(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s: ", key);
	for (; *value; value++)
		putc(iscntrl((unsigned char)*value) ? ' ' : *value, out);
	putc('\n', out);
}

static void gobench_document(FILE *out, const struct result *r,
			     const struct result_metric *m)
{
	gobench_key(out, "target", r->target.name);
	gobench_key(out, "kernel", export_text(r->subject.kernel));
	gobench_key(out, "label", export_text(r->subject.label));
	gobench_key(out, "commit", export_text(r->subject.commit));
	gobench_key(out, "machine", r->machine.fingerprint);
	fprintf(out, "Unit %s/op better=%s%s\n", m->unit, m->better,
		r->target.exact ? " assume=exact" : "");
}

/* Names in Go begin with "Benchmark" and an upper-case letter. */
static void gobench_name(FILE *out, const struct export_figure *f)
{
	const char *name = f->benchmark->name;

	fputs("Benchmark", out);
	if (*name)
		fprintf(out, "%c%s", toupper((unsigned char)*name), name + 1);
	fprintf(out, "/config=%s", f->benchmark->config);
	if (strcmp(f->metric->name, "round_trip") != 0)
		fprintf(out, "/metric=%s", f->metric->name);
}

/* A line per boot, so that benchstat counts boots and not events. */
int export_gobench(const struct export_request *rq, FILE *out, struct error *err)
{
	const struct result *last = NULL;
	struct export_cursor at = { 0 };
	char number[EXPORT_NUMBER_BYTES];
	struct export_figure f;

	(void)err;
	while (export_next(rq, &at, &f)) {
		if (f.doc != last)
			gobench_document(out, f.doc, f.metric);
		last = f.doc;
		for (size_t i = 0; i < f.metric->n_boots; i++) {
			const struct result_boot *boot = &f.metric->boots[i];

			if (!boot->valid || !isfinite(boot->summary.p50))
				continue;
			export_number(boot->summary.p50, number);
			gobench_name(out, &f);
			fprintf(out, " %llu %s %s/op\n",
				(unsigned long long)boot->summary.n, number,
				f.metric->unit);
		}
	}
	return 0;
}

/* Empty labels are omitted. */
static void openmetrics_label(FILE *out, const char *key, const char *value, bool last)
{
	if (!value || !*value)
		return;
	fprintf(out, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			putc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			putc(*value, out);
	}
	fputs(last ? "\"" : "\",", out);
}

static void openmetrics_sample(FILE *out, const char *family,
			       const struct export_figure *f)
{
	const struct result *r = f->doc;
	char number[EXPORT_NUMBER_BYTES];

	fprintf(out, "%s{", family);
	openmetrics_label(out, "target", r->target.name, false);
	openmetrics_label(out, "benchmark", f->benchmark->name, false);
	openmetrics_label(out, "config", f->benchmark->config, false);
	openmetrics_label(out, "handled_by",
			  result_handler_name(f->benchmark->handled_by), false);
	openmetrics_label(out, "kernel", r->subject.kernel, false);
	openmetrics_label(out, "label", r->subject.label, false);
	openmetrics_label(out, "commit", r->subject.commit, false);
	openmetrics_label(out, "machine", r->machine.fingerprint, false);
	openmetrics_label(out, "run", r->run.id, true);
	export_number(f->metric->value, number);
	fprintf(out, "} %s\n", number);
}

/* The name of a family ends with its unit. */
static void openmetrics_family(const struct export_figure *f, char family[128])
{
	snprintf(family, 128, "worldswitch_%.60s_%.40s", f->metric->name,
		 f->metric->unit);
	for (char *c = family; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
}

/* All samples of a family follow its description. */
int export_openmetrics(const struct export_request *rq, FILE *out, struct error *err)
{
	struct export_figure f, other;
	char family[128], name[128];

	(void)err;
	for (struct export_cursor at = { 0 }; export_next(rq, &at, &f);) {
		struct export_cursor all = { 0 };
		bool first = true;

		openmetrics_family(&f, family);
		/* The first figure of a family writes all samples of the family. */
		while (export_next(rq, &all, &other)) {
			openmetrics_family(&other, name);
			if (strcmp(name, family) != 0)
				continue;
			if (first && other.metric != f.metric)
				break;
			if (first)
				fprintf(out,
					"# TYPE %s gauge\n# UNIT %s %s\n"
					"# HELP %s %s of a benchmark, median of boots\n",
					family, family, f.metric->unit, family,
					f.metric->name);
			first = false;
			openmetrics_sample(out, family, &other);
		}
	}
	fputs("# EOF\n", out);
	return 0;
}
