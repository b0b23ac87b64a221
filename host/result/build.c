/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building a document in memory, and finding one's way in it. */
#include "host/result/result.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/layout.h"
#include "host/result/member.h"
#include "host/result/store.h"

struct result *result_new(void)
{
	struct result *r = store_check(malloc(sizeof(*r)));

	member_clear(&layout_result, r);
	r->store = store_new();
	return r;
}

void result_free(struct result *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_benchmarks; i++)
		member_free_bins(&r->benchmarks[i]);
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
	member_clear(&layout_benchmark, b);
	return b;
}

struct result_metric *result_add_metric(struct result *r, struct result_benchmark *b)
{
	struct result_metric *m;

	b->metrics = store_grow(r->store, b->metrics, b->n_metrics, sizeof(*m));
	m = &b->metrics[b->n_metrics++];
	member_clear(&layout_metric, m);
	return m;
}

struct result_boot *result_add_boot(struct result *r, struct result_metric *m)
{
	struct result_boot *boot;

	m->boots = store_grow(r->store, m->boots, m->n_boots, sizeof(*boot));
	boot = &m->boots[m->n_boots++];
	member_clear(&layout_boot, boot);
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

bool result_bench_matches(const char *word, const char *name)
{
	const struct bench *b = bench_table;

	if (strcmp(word, "core") != 0)
		return !fnmatch(word, name, 0);
	while (b->id && strcmp(b->id, name) != 0)
		b++;
	return b->id && b->needs & BENCH_CORE;
}

const char *result_status_name(enum result_status s)
{
	return layout_status_words[s];
}

const char *result_handler_name(enum bench_handler h)
{
	return h > HANDLED_UNKNOWN ? "varies" : layout_handler_words[h];
}
