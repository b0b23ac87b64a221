/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result document: building, lookup, statistics, classes; as JSON text, and in files.
 */
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"
#include "host/result/codec.h"
#include "host/result/result.h"

struct result *result_new(void)
{
	struct result *r = store_check(malloc(sizeof(*r)));

	codec_clear(&layout_result, r);
	r->store = store_new();
	return r;
}

void result_free(struct result *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		for (size_t j = 0; j < b->n_metrics; j++)
			for (size_t k = 0; k < b->metrics[j].n_boots; k++)
				free(b->metrics[j].boots[k].histogram.bins);
	}
	store_free(r->store);
	free(r);
}

static const char *copy_string(struct result *r, const char *s)
{
	size_t bytes = strlen(s) + 1;

	return memcpy(store_alloc(r->store, bytes), s, bytes);
}

const char *result_string(struct result *r, const char *s)
{
	return s ? copy_string(r, s) : NULL;
}

static const char *format_string(struct result *r, const char *fmt, va_list args)
{
	const char *copy;
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		store_check(NULL);
	copy = copy_string(r, text);
	free(text);
	return copy;
}

const char *result_format(struct result *r, const char *fmt, ...)
{
	const char *copy;
	va_list args;

	va_start(args, fmt);
	copy = format_string(r, fmt, args);
	va_end(args);
	return copy;
}

struct result_benchmark *result_add_benchmark(struct result *r)
{
	struct result_benchmark *b;

	r->benchmarks = store_grow(r->store, r->benchmarks, r->n_benchmarks, sizeof(*b));
	b = &r->benchmarks[r->n_benchmarks++];
	codec_clear(&layout_benchmark, b);
	return b;
}

struct result_metric *result_add_metric(struct result *r, struct result_benchmark *b)
{
	struct result_metric *m;

	b->metrics = store_grow(r->store, b->metrics, b->n_metrics, sizeof(*m));
	m = &b->metrics[b->n_metrics++];
	codec_clear(&layout_metric, m);
	return m;
}

struct result_boot *result_add_boot(struct result *r, struct result_metric *m)
{
	struct result_boot *boot;

	m->boots = store_grow(r->store, m->boots, m->n_boots, sizeof(*boot));
	boot = &m->boots[m->n_boots++];
	codec_clear(&layout_boot, boot);
	return boot;
}

struct result_mode *result_add_mode(struct result *r, struct result_boot *boot)
{
	struct result_steady *s = &boot->steady;

	s->modes = store_grow(r->store, s->modes, s->n_modes, sizeof(*s->modes));
	return &s->modes[s->n_modes++];
}

struct result_check *result_add_check(struct result *r)
{
	struct result_check *c;

	r->checks = store_grow(r->store, r->checks, r->n_checks, sizeof(*c));
	c = &r->checks[r->n_checks++];
	*c = (struct result_check){ 0 };
	return c;
}

struct result_pmu_source *result_add_pmu_source(struct result *r)
{
	struct result_pmu *pmu = &r->pmu;

	pmu->sources =
		store_grow(r->store, pmu->sources, pmu->n_sources, sizeof(*pmu->sources));
	pmu->sources[pmu->n_sources] = (struct result_pmu_source){ 0 };
	return &pmu->sources[pmu->n_sources++];
}

struct result_pmu_register *result_add_pmu_register(struct result *r,
						    struct result_pmu_source *s)
{
	s->registers =
		store_grow(r->store, s->registers, s->n_registers, sizeof(*s->registers));
	s->registers[s->n_registers] = (struct result_pmu_register){ 0 };
	return &s->registers[s->n_registers++];
}

static bool has_warning(const struct result *r, const struct result_warning *w)
{
	for (size_t i = 0; i < r->n_warnings; i++)
		if (!strcmp(r->warnings[i].code, w->code) &&
		    !strcmp(r->warnings[i].message, w->message))
			return true;
	return false;
}

void result_warn(struct result *r, const char *code, const char *fmt, ...)
{
	struct result_warning w = { .code = copy_string(r, code) };
	va_list args;

	va_start(args, fmt);
	w.message = format_string(r, fmt, args);
	va_end(args);
	if (has_warning(r, &w))
		return;
	r->warnings = store_grow(r->store, r->warnings, r->n_warnings, sizeof(w));
	r->warnings[r->n_warnings++] = w;
}

const char *result_failure(const struct result *r)
{
	for (size_t i = 0; i < r->n_warnings; i++)
		if (!strcmp(r->warnings[i].code, RESULT_TARGET_FAILED))
			return r->warnings[i].message;
	return NULL;
}

size_t result_count(const struct result *r, enum result_status status)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_benchmarks; i++)
		n += r->benchmarks[i].status == status;
	return n;
}

void result_add_argv(struct result *r, const char *arg)
{
	r->run.argv = store_grow(r->store, r->run.argv, r->run.n_argv, sizeof(arg));
	r->run.argv[r->run.n_argv++] = copy_string(r, arg);
}

bool result_is_pair(const struct result *a, const struct result *b)
{
	const struct result_pair *p = &a->run.pair, *q = &b->run.pair;

	return p->id && q->id && p->side && q->side && !strcmp(p->id, q->id) &&
	       strcmp(p->side, q->side) != 0;
}

const struct result_benchmark *result_find(const struct result *r, const char *name,
					   const char *config)
{
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		if (!strcmp(b->name, name) && (!config || !strcmp(b->config, config)))
			return b;
	}
	return NULL;
}

const struct result_metric *result_find_metric(const struct result_benchmark *b,
					       const char *name)
{
	for (size_t i = 0; i < b->n_metrics; i++)
		if (!strcmp(b->metrics[i].name, name))
			return &b->metrics[i];
	return NULL;
}

const struct bench *result_find_bench(const char *id)
{
	for (const struct bench *b = bench_table; b->id; b++)
		if (!strcmp(b->id, id))
			return b;
	return NULL;
}

double result_bodies(const char *benchmark, const char *metric)
{
	unsigned int n = 1;

	if (!strcmp(metric, RESULT_BATCH))
		n = bench_batch(result_find_bench(benchmark), false);
	return n ? n : 1;
}

const char *result_whole_unit(const char *unit)
{
	static const char *const units[] = { "insns",  "ticks",	 "ns",
					     "cycles", "counts", "traps" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i]))
			return units[i];
	return NULL;
}

/* Switches of a boot are counted one by one, and divided by its events. */
static double step_of_switches(const struct result_benchmark *b)
{
	const struct result_metric *event = result_find_metric(b, "round_trip");
	double step = 0;

	for (size_t i = 0; event && i < event->n_boots; i++) {
		const struct result_boot *boot = &event->boots[i];

		if (boot->valid && boot->summary.n > 0)
			step = fmax(step, 1 / (double)boot->summary.n);
	}
	return step;
}

double result_step(const struct result *r, const struct result_benchmark *b,
		   const struct result_metric *m)
{
	double bodies = result_bodies(b->name, m->name);

	if (r->clock.unit && !strcmp(m->unit, r->clock.unit))
		return fmax(1, (double)r->clock.resolution) / bodies;
	if (!strcmp(m->unit, "switches"))
		return step_of_switches(b);
	return result_whole_unit(m->unit) ? 1 / bodies : 0;
}

const struct config *result_find_config(const char *name)
{
	for (const struct config *c = config_table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

bool result_bench_matches(const char *word, const char *name)
{
	const struct bench *b = result_find_bench(name);

	if (strcmp(word, "core") != 0)
		return !fnmatch(word, name, 0);
	return b && b->needs & BENCH_CORE;
}

const char *result_status_name(enum result_status s)
{
	return layout_status_words[s];
}

const char *result_handler_name(enum bench_handler h)
{
	return h > HANDLED_UNKNOWN ? "varies" : layout_handler_words[h];
}

void result_add_count(int64_t *total, int64_t n)
{
	if (n >= 0)
		*total = (*total < 0 ? 0 : *total) + n;
}

void result_statistics_add(struct result_statistics *total,
			   const struct result_statistics *n)
{
	result_add_count(&total->insts, n->insts);
	result_add_count(&total->vm_exits, n->vm_exits);
	result_add_count(&total->vm_half_entries, n->vm_half_entries);
	result_add_count(&total->exit_signal, n->exit_signal);
	result_add_count(&total->mmio, n->mmio);
	result_add_count(&total->coalesced_mmio, n->coalesced_mmio);
	result_add_count(&total->io, n->io);
	result_add_count(&total->halt, n->halt);
	result_add_count(&total->interrupts, n->interrupts);
	result_add_count(&total->hypercalls, n->hypercalls);
}

void result_host_counters_add(struct result_host_counters *total,
			      const struct result_host_counters *n)
{
	if (n->source)
		total->source = n->source;
	if (n->reason)
		total->reason = n->reason;
	result_add_count(&total->guest_cycles, n->guest_cycles);
	result_add_count(&total->guest_insns, n->guest_insns);
	result_add_count(&total->host_cycles, n->host_cycles);
	result_add_count(&total->host_insns, n->host_insns);
	result_add_count(&total->task_clock_ns, n->task_clock_ns);
	result_add_count(&total->context_switches, n->context_switches);
}

/* Exits per event that differ by less are equal. */
#define EXITS_APART 0.5

struct result_class result_class_of(const struct result_benchmark *b)
{
	struct result_class class = { .exits = NAN };
	double events = 0;

	/* Rejected boots included: their exits are counted, too. */
	for (size_t i = 0; b->n_metrics && i < b->metrics[0].n_boots; i++)
		events += (double)b->metrics[0].boots[i].summary.n;
	class.handled_by =
		b->exits.faults > 0 ? "fault" : result_handler_name(b->handled_by);
	if (b->exits.observed >= 0 && events > 0)
		class.exits = (double)b->exits.observed / events;
	return class;
}

bool result_class_is_known(const struct result_class *c)
{
	return c->handled_by && strcmp(c->handled_by, "unknown") != 0;
}

static bool either(const struct result_class *a, const struct result_class *b,
		   const char *one, const char *other)
{
	return (!strcmp(a->handled_by, one) && !strcmp(b->handled_by, other)) ||
	       (!strcmp(a->handled_by, other) && !strcmp(b->handled_by, one));
}

bool result_class_differs(const struct result_class *a, const struct result_class *b)
{
	bool counted = !isnan(a->exits) && !isnan(b->exits);

	if (!result_class_is_known(a) || !result_class_is_known(b))
		return false;
	/* A single exit in a thousand events makes a boot "kernel". */
	if (!strcmp(a->handled_by, b->handled_by) ||
	    (counted && either(a, b, "none", "kernel")))
		return counted && fabs(a->exits - b->exits) >= EXITS_APART;
	return true;
}

void result_class_change(const struct result_class *was, const struct result_class *now,
			 char *text, size_t bytes)
{
	if (strcmp(was->handled_by, now->handled_by) != 0)
		snprintf(text, bytes, "handled by %s, now by %s", was->handled_by,
			 now->handled_by);
	else
		snprintf(text, bytes, "exits per event: %.3g, now %.3g", was->exits,
			 now->exits);
}

char *result_dump(const struct result *r)
{
	return codec_dump(&layout_result, r);
}

/* An interval without both ends is not an interval: no reader has to check its ends. */
static void drop_open(struct result_ci *ci)
{
	if (ci->method && !(isfinite(ci->lo) && isfinite(ci->hi)))
		*ci = (struct result_ci){ NAN, NAN, NAN, NULL };
}

static void drop_open_intervals(struct result *r)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		for (size_t k = 0; k < r->benchmarks[i].n_metrics; k++) {
			drop_open(&r->benchmarks[i].metrics[k].ci);
			drop_open(&r->benchmarks[i].metrics[k].bootstrap);
		}
}

int result_parse(const char *text, size_t bytes, struct result **out, struct error *err)
{
	struct result *r = result_new();
	int rc = codec_load(r->store, &layout_result, text, bytes, r, err);

	if (!rc && r->clock.resolution > RESULT_RESOLUTION_MAX)
		rc = error_set(err, -EINVAL,
			       "/clock/resolution: %llu is not the step of a clock",
			       (unsigned long long)r->clock.resolution);
	if (rc)
		result_free(r);
	else
		drop_open_intervals(r);
	*out = rc ? NULL : r;
	return rc;
}

int result_read(const char *path, struct result **out, struct error *err)
{
	struct error inner;
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	int rc;

	*out = NULL;
	if (bytes < 0) {
		rc = file_error(err, "read", path, (int)bytes);
	} else {
		rc = result_parse(text, (size_t)bytes, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(path), inner.text);
	}
	free(text);
	return rc;
}

bool result_is_not_in(const char *path)
{
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	bool other = bytes > 0 && codec_is_other(text, (size_t)bytes, RESULT_SCHEMA);

	free(text);
	return other;
}

int result_write(const char *path, const struct result *r, struct error *err)
{
	char *text = result_dump(r);
	int rc = file_replace(path, text, strlen(text));

	free(text);
	return rc ? file_error(err, "write", path, rc) : 0;
}

/* ------------------------------ memory ------------------------------ */

/* Each block is a malloc() of its own on a list: the sanitizers know its bounds. */
struct block {
	struct block *next;
	alignas(max_align_t) unsigned char data[];
};

struct result_store {
	struct block *blocks;
};

void *store_check(void *allocated)
{
	if (!allocated) {
		fputs("wsbench: out of memory\n", stderr);
		abort();
	}
	return allocated;
}

struct result_store *store_new(void)
{
	return store_check(calloc(1, sizeof(struct result_store)));
}

void store_free(struct result_store *store)
{
	struct block *next;

	for (struct block *b = store->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(store);
}

void *store_alloc(struct result_store *store, size_t bytes)
{
	struct block *b = NULL;

	if (bytes <= SIZE_MAX - sizeof(*b))
		b = malloc(sizeof(*b) + bytes);
	store_check(b);
	b->next = store->blocks;
	store->blocks = b;
	return b->data;
}

/* Capacities are powers of two: an array is full if its count is a power of two. */
void *store_array(struct result_store *store, size_t n, size_t bytes)
{
	size_t room = 1;

	while (room < n)
		room *= 2;
	return store_alloc(store, room * bytes);
}

void *store_grow(struct result_store *store, void *array, size_t n, size_t bytes)
{
	void *wider;

	if (n & (n - 1))
		return array;
	wider = store_array(store, n + 1, bytes);
	if (n)
		memcpy(wider, array, n * bytes);
	return wider;
}
