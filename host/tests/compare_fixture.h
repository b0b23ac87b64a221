/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents for the tests of comparisons. */
#ifndef WS_TESTS_COMPARE_FIXTURE_H
#define WS_TESTS_COMPARE_FIXTURE_H

#include <math.h>
#include <stddef.h>

#include "host/result/result.h"
#include "host/stats/summary.h"

static inline struct result *fixture_document(const char *target, bool exact)
{
	struct result *r = result_new();

	r->target.name = result_string(r, target);
	r->target.kind = exact ? "lab" : "kvm";
	r->target.exact = exact;
	r->machine.fingerprint = "0123456789abcdef";
	r->machine.arch = "x86_64";
	r->clock.name = "TSC";
	r->clock.unit = exact ? "insns" : "ticks";
	r->clock.resolution = 1;
	return r;
}

/* Adds a row without figures. */
static inline struct result_benchmark *fixture_row(struct result *r, const char *name,
						   const char *config)
{
	struct result_benchmark *b = result_add_benchmark(r);

	b->name = result_string(r, name);
	b->config = result_string(r, config);
	b->group = "exit";
	b->handled_by = HANDLED_KERNEL;
	b->status = RESULT_OK;
	return b;
}

/* Adds the round trip of a row, from the medians of `n` valid boots. */
static inline struct result_metric *fixture_boots(struct result *r,
						  struct result_benchmark *b,
						  const double *medians, size_t n)
{
	struct result_metric *m = result_add_metric(r, b);
	double sorted[64];

	m->name = "round_trip";
	m->unit = r->clock.unit;
	m->better = "lower";
	m->stat = "median-of-boot-medians";
	m->ci = (struct result_ci){ NAN, NAN, NAN, NULL };
	for (size_t i = 0; i < n; i++) {
		struct result_boot *boot = result_add_boot(r, m);

		boot->index = (uint32_t)i;
		boot->valid = true;
		boot->summary.n = 100;
		boot->summary.p50 = boot->summary.mean = sorted[i] = medians[i];
	}
	m->value = stats_median(sorted, n);
	return m;
}

/* Adds a row of an exact target: two equal boots. */
static inline struct result_metric *fixture_exact(struct result *r, const char *name,
						  double value)
{
	const double boots[] = { value, value };

	return fixture_boots(r, fixture_row(r, name, "default"), boots, 2);
}

#endif
