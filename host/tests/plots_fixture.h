/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of pictures: two documents, and the pictures of a test. */
#ifndef WS_TESTS_PLOTS_FIXTURE_H
#define WS_TESTS_PLOTS_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/result/result.h"
#include "host/report/charts.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

static inline struct result *sample_doc(const char *target, const char *unit)
{
	struct result *r = result_new();

	r->run.started = "2026-01-01T00:00:00Z";
	r->target.name = target;
	r->target.kind = "lab";
	r->target.exact = !strcmp(unit, "insns");
	r->target.hypervisor = "SVM";
	r->subject.kernel = "6.1.0-test";
	r->machine.fingerprint = "0";
	r->machine.arch = "x86_64";
	r->clock.name = "TSC";
	r->clock.unit = unit;
	return r;
}

static inline void add_boot(struct result *r, struct result_metric *m, double value)
{
	struct result_boot *boot = result_add_boot(r, m);

	boot->valid = true;
	boot->summary.p50 = value;
}

static inline struct result_metric *add(struct result *r, const char *name,
					const char *config, double value)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;

	b->name = name;
	b->config = config;
	b->status = isnan(value) ? RESULT_SKIP : RESULT_OK;
	if (isnan(value))
		return NULL;
	m = result_add_metric(r, b);
	m->name = "round_trip";
	m->unit = r->clock.unit;
	m->better = "lower";
	m->value = value;
	add_boot(r, m, value);
	return m;
}

static struct result *docs[2];
static struct picture_list list;

static inline void one_doc(void)
{
	docs[0] = sample_doc("lab:aarch64-vhe", "insns");
	docs[1] = sample_doc("lab:aarch64-vhe", "insns");
}

static inline void discard(void)
{
	picture_list_free(&list);
	result_free(docs[0]);
	result_free(docs[1]);
}

static inline struct plot_input input(size_t n)
{
	return (struct plot_input){ .docs = (const struct result *const *)docs,
				    .n_docs = n };
}

static inline void expect_in(size_t picture, const char *text)
{
	cr_assert_lt(picture, list.n);
	cr_expect(strstr(list.pictures[picture].script, text), "no %s in:\n%s", text,
		  list.pictures[picture].script);
}

static inline void expect_not_in(size_t picture, const char *text)
{
	cr_assert_lt(picture, list.n);
	cr_expect_null(strstr(list.pictures[picture].script, text), "%s is there", text);
}

#endif
