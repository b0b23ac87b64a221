/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON: formats of other tools, and the --json output of the commands. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/text.h"
#include "host/result/codec.h"
#include "host/result/export.h"
#include "host/result/result.h"

/* ------------------------------ formats ------------------------------ */

static int finish(json_t *root, FILE *out)
{
	char *text =
		store_check(json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)));

	fprintf(out, "%s\n", text);
	free(text);
	json_decref(root);
	return 0;
}

/* An array of {name, unit, value, range, extra}; only metrics for which smaller is
 * better. */
int export_gha(const struct export_request *rq, FILE *out, struct error *err)
{
	json_t *root = store_check(json_array());
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	while (export_next(rq, &at, &f)) {
		json_t *entry = store_check(json_object());
		char name[EXPORT_NAME_BYTES], text[EXPORT_NAME_BYTES];
		char half[EXPORT_NUMBER_BYTES];

		if (strcmp(f.metric->better, "lower") != 0) {
			json_decref(entry);
			continue;
		}
		export_name(&f, true, name);
		codec_add(entry, "name", codec_text(name));
		codec_add(entry, "unit", codec_text(f.metric->unit));
		codec_add(entry, "value", codec_number(f.metric->value));
		if (f.metric->ci.method && f.metric->ci.hi > f.metric->ci.lo) {
			export_number((f.metric->ci.hi - f.metric->ci.lo) / 2, half);
			snprintf(text, sizeof(text), "± %s", half);
			codec_add(entry, "range", codec_text(text));
		}
		snprintf(text, sizeof(text), "kernel %.100s\nrun %.60s",
			 export_text(f.doc->subject.kernel), f.doc->run.id);
		codec_add(entry, "extra", codec_text(text));
		codec_append(root, entry);
	}
	return finish(root, out);
}

/* { benchmark: { measure: { value, lower_value, upper_value } } } */
int export_bmf(const struct export_request *rq, FILE *out, struct error *err)
{
	json_t *root = store_check(json_object());
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	while (export_next(rq, &at, &f)) {
		json_t *measure = store_check(json_object()), *benchmark;
		char name[EXPORT_NAME_BYTES], slug[65];
		struct export_figure plain = f;
		struct result_metric main = { .name = "round_trip" };

		/* The metric is the name of the measure, not part of the name of the
		 * benchmark. */
		plain.metric = &main;
		export_name(&plain, true, name);
		snprintf(slug, sizeof(slug), "%.*s-%.*s", text_prefix(f.metric->name, 40),
			 f.metric->name, text_prefix(f.metric->unit, 20), f.metric->unit);
		for (char *c = slug; *c; c++)
			*c = *c == '_' ? '-' : *c;
		codec_add(measure, "value", codec_number(f.metric->value));
		if (f.metric->ci.method) {
			codec_add(measure, "lower_value", codec_number(f.metric->ci.lo));
			codec_add(measure, "upper_value", codec_number(f.metric->ci.hi));
		}
		benchmark = json_object_get(root, name);
		if (!benchmark) {
			benchmark = json_object();
			codec_add(root, name, benchmark);
		}
		codec_add(benchmark, slug, measure);
	}
	return finish(root, out);
}

static json_t *gbench_context(const struct export_request *rq)
{
	const struct result *r = rq->docs[0];
	json_t *context = store_check(json_object());

	codec_add(context, "date", codec_text(r->run.started));
	codec_add(context, "host_name", codec_text(r->machine.fingerprint));
	codec_add(context, "executable", codec_text("wsbench"));
	codec_add(context, "num_cpus", json_integer(r->machine.cpus));
	codec_add(context, "mhz_per_cpu",
		  json_integer((json_int_t)(r->clock.hz / 1000000)));
	codec_add(context, "cpu_scaling_enabled", json_false());
	codec_add(context, "caches", json_array());
	codec_add(context, "library_build_type", codec_text("release"));
	codec_add(context, "kernel", codec_text(export_text(r->subject.kernel)));
	codec_add(context, "target", codec_text(r->target.name));
	return context;
}

static json_t *gbench_boot(const struct export_figure *f, const struct result_boot *boot,
			   size_t index, size_t boots)
{
	json_t *row = store_check(json_object());
	char name[EXPORT_NAME_BYTES];

	export_name(f, true, name);
	codec_add(row, "name", codec_text(name));
	codec_add(row, "run_name", codec_text(name));
	codec_add(row, "run_type", codec_text("iteration"));
	codec_add(row, "repetitions", json_integer((json_int_t)boots));
	codec_add(row, "repetition_index", json_integer((json_int_t)index));
	codec_add(row, "threads", json_integer(1));
	codec_add(row, "iterations", json_integer((json_int_t)boot->summary.n));
	codec_add(row, "real_time", codec_number(export_ns(f, boot->summary.p50)));
	codec_add(row, "cpu_time", codec_number(export_ns(f, boot->summary.p50)));
	codec_add(row, "time_unit", codec_text("ns"));
	codec_add(row, f->metric->unit, codec_number(boot->summary.p50));
	return row;
}

/* Times are in nanoseconds; a counter holds the figure in its unit. */
int export_gbench(const struct export_request *rq, FILE *out, struct error *err)
{
	json_t *root = store_check(json_object()), *rows = store_check(json_array());
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	codec_add(root, "context", gbench_context(rq));
	codec_add(root, "benchmarks", rows);
	while (export_next(rq, &at, &f)) {
		const struct result_metric *m = f.metric;
		size_t boots = 0, index = 0;

		for (size_t i = 0; i < m->n_boots; i++)
			boots += m->boots[i].valid && isfinite(m->boots[i].summary.p50);
		for (size_t i = 0; i < m->n_boots; i++)
			if (m->boots[i].valid && isfinite(m->boots[i].summary.p50))
				codec_append(rows, gbench_boot(&f, &m->boots[i], index++,
							       boots));
	}
	return finish(root, out);
}

static bool is_hash(const char *s)
{
	size_t n = s ? strspn(s, "0123456789abcdef") : 0;

	return s && !s[n] && (n == 40 || n == 64);
}

static json_t *kcidb_object(const char *kind, const char *id)
{
	json_t *object = store_check(json_object());
	char text[512];

	snprintf(text, sizeof(text), "worldswitch:%s%.400s", kind, id);
	codec_add(object, "id", codec_text(text));
	codec_add(object, "origin", codec_text("worldswitch"));
	return object;
}

/* The checkout and the build of a subject, as far as known. */
static void kcidb_subject(json_t *root, const struct result *r)
{
	json_t *checkout = kcidb_object("", r->run.id);
	json_t *build = kcidb_object("", r->run.id);

	if (is_hash(r->subject.commit))
		codec_add(checkout, "git_commit_hash", codec_text(r->subject.commit));
	if (r->subject.label || r->subject.kernel)
		codec_add(checkout, "comment",
			  codec_text(r->subject.label ? r->subject.label
						      : r->subject.kernel));
	codec_append(json_object_get(root, "checkouts"), checkout);
	codec_add(build, "checkout_id", json_copy(json_object_get(checkout, "id")));
	codec_add(build, "architecture", codec_text(r->machine.arch));
	codec_add(build, "comment", codec_text(export_text(r->subject.kernel)));
	codec_append(json_object_get(root, "builds"), build);
}

/* The parts of a path consist of letters, digits, "_" and "-". */
static json_t *kcidb_path(const struct export_figure *f)
{
	char path[EXPORT_NAME_BYTES];
	size_t fixed;

	fixed = (size_t)snprintf(path, sizeof(path), "worldswitch.");
	snprintf(path + fixed, sizeof(path) - fixed, "%.50s.%.60s.%.50s.%.50s",
		 f->doc->target.name, f->benchmark->name, f->benchmark->config,
		 f->metric->name);
	for (char *c = path; *c; c++)
		if (!strchr("._-", *c) && !(*c >= '0' && *c <= '9') &&
		    !((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'))
			*c = '-';
	return codec_text(path);
}

static json_t *kcidb_test(const struct export_figure *f)
{
	const struct result *r = f->doc;
	json_t *value = store_check(json_object()), *test;
	json_t *environment = store_check(json_object()), *path = kcidb_path(f);
	char id[400];

	snprintf(id, sizeof(id), "%.100s-%.250s", r->run.id, json_string_value(path));
	test = kcidb_object("", id);
	snprintf(id, sizeof(id), "worldswitch:%.100s", r->run.id);
	codec_add(test, "build_id", codec_text(id));
	codec_add(test, "path", path);
	codec_add(test, "status", codec_text("DONE"));
	codec_add(value, "value", codec_number(f->metric->value));
	codec_add(value, "unit", codec_text(f->metric->unit));
	codec_add(test, "number", value);
	codec_add(test, "start_time", codec_text(r->run.started));
	codec_add(environment, "comment",
		  codec_text(r->target.emulator	    ? r->target.emulator
			     : r->machine.cpu_model ? r->machine.cpu_model
						    : r->machine.fingerprint));
	codec_add(test, "environment", environment);
	return test;
}

int export_kcidb(const struct export_request *rq, FILE *out, struct error *err)
{
	json_t *root = store_check(json_object());
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	codec_add(root, "version", json_pack("{si si}", "major", 5, "minor", 0));
	codec_add(root, "checkouts", json_array());
	codec_add(root, "builds", json_array());
	codec_add(root, "tests", json_array());
	for (size_t i = 0; i < rq->n_docs; i++)
		kcidb_subject(root, rq->docs[i]);
	while (export_next(rq, &at, &f))
		codec_append(json_object_get(root, "tests"), kcidb_test(&f));
	return finish(root, out);
}

/* An element per run. Otava assigns the n-th value of a metric to the n-th run. */
int export_otava_json(const struct export_request *rq, FILE *out, struct error *err)
{
	json_t *root = store_check(json_array()), *metrics = NULL;
	const struct result *last = NULL;
	struct export_cursor at = { 0 };
	struct export_figure f;

	(void)err;
	while (export_next(rq, &at, &f)) {
		const struct result *r = f.doc;
		char name[EXPORT_NAME_BYTES];

		if (!export_in_all(rq, &f))
			continue;
		if (r != last) {
			metrics = json_array();
			codec_append(root,
				     json_pack("{sI s{ss ss ss ss ss} so}", "timestamp",
					       (json_int_t)export_seconds(r->run.started),
					       "attributes", "run", r->run.id, "target",
					       r->target.name, "kernel",
					       export_text(r->subject.kernel), "label",
					       export_text(r->subject.label), "commit",
					       export_text(r->subject.commit), "metrics",
					       metrics));
			last = r;
		}
		export_name(&f, true, name);
		codec_append(metrics, json_pack("{so so so}", "name", codec_text(name),
						"value", codec_number(f.metric->value),
						"unit", codec_text(f.metric->unit)));
	}
	return finish(root, out);
}

/* ------------------------------ --json ------------------------------ */

struct json_list {
	json_t *root;
	json_t *row; /* borrowed from root, or root itself */
};

static json_t *text(const char *value)
{
	return value ? codec_text(value) : json_null();
}

struct json_list *json_list_new(void)
{
	struct json_list *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->root = l->row = json_object();
	if (!l->root)
		abort();
	return l;
}

static json_t *rows(struct json_list *l, const char *array)
{
	json_t *found = json_object_get(l->root, array);

	if (found)
		return found;
	found = json_array();
	codec_add(l->root, array, found);
	return found;
}

void json_list_array(struct json_list *l, const char *array)
{
	rows(l, array);
}

void json_list_row(struct json_list *l, const char *array)
{
	l->row = json_object();
	if (json_array_append_new(rows(l, array), l->row))
		abort();
}

void json_list_object(struct json_list *l, const char *key)
{
	l->row = json_object();
	codec_add(l->root, key, l->row);
}

void json_list_top(struct json_list *l)
{
	l->row = l->root;
}

void json_list_real(struct json_list *l, const char *key, double value)
{
	codec_add(l->row, key, isfinite(value) ? json_real(value) : json_null());
}

void json_list_count(struct json_list *l, const char *key, size_t value)
{
	codec_add(l->row, key, json_integer((json_int_t)value));
}

void json_list_string(struct json_list *l, const char *key, const char *value)
{
	codec_add(l->row, key, text(value));
}

void json_list_bool(struct json_list *l, const char *key, bool value)
{
	codec_add(l->row, key, json_boolean(value));
}

void json_list_strings(struct json_list *l, const char *key, const char *const *values,
		       size_t n)
{
	json_t *array = json_array();

	codec_add(l->row, key, array);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, text(values[i])))
			abort();
}

void json_list_number(struct json_list *l, const char *key, double value)
{
	codec_add(l->row, key, codec_number(value));
}

char *json_list_dump(const struct json_list *l)
{
	char *body = json_dumps(l->root, JSON_INDENT(2)), *line;

	if (!body || asprintf(&line, "%s\n", body) < 0)
		abort();
	free(body);
	return line;
}

void json_list_free(struct json_list *l)
{
	json_decref(l->root);
	free(l);
}
