/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two documents are of one kind: what is refused, and why. */
#include "host/lib/error.h"
#include "host/compare/compare_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool has_config(const struct result *r, const char *config)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (!strcmp(r->benchmarks[i].config, config))
			return true;
	return false;
}

/* A target of another name may be the same machine, but its figures are not alike. */
int compare_check_kind(const struct result *base, const struct result *new,
		       const struct compare_options *o, struct error *err)
{
	unsigned int machines = COMPARE_ACROSS_MACHINES | COMPARE_ACROSS_TARGETS;

	for (int i = 0; i < 2; i++) {
		const struct result *r = i ? new : base;

		if (result_failure(r) && !result_count(r, RESULT_OK))
			return error_set(err, -EINVAL,
				      "nothing was measured in %s: its target failed: %s",
				      i ? "new" : "base", result_failure(r));
	}
	for (int i = 0; i < 2; i++)
		if (o->config[i] && !has_config(i ? new : base, o->config[i]))
			return error_set(err, -EINVAL, "nothing ran under config '%s'",
					 o->config[i]);
	if (!(o->across & COMPARE_ACROSS_TARGETS) &&
	    strcmp(base->target.name, new->target.name) != 0)
		return error_set(err, -EINVAL,
			      "different targets, %s and %s: --across targets compares "
			      "them all the same",
			      base->target.name, new->target.name);
	if (!(o->across & machines) &&
	    strcmp(base->machine.fingerprint, new->machine.fingerprint) != 0)
		return error_set(
			err, -EINVAL,
			"different machines, %s (%s) and %s (%s): --across machines "
			"compares them all the same",
			base->machine.fingerprint,
			base->machine.cpu_model ? base->machine.cpu_model : "?",
			new->machine.fingerprint,
			new->machine.cpu_model ? new->machine.cpu_model : "?");
	return 0;
}

static bool names_a_row(const struct compare *c, const char *pattern)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (result_bench_matches(pattern, c->rows[i].name))
			return true;
	return false;
}

static bool has_benchmark(const struct result *r, const struct threshold *t)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (threshold_names(t, r->benchmarks[i].name))
			return true;
	return false;
}

int compare_check_thresholds(const struct compare *c, const struct compare_options *o,
			     struct error *err)
{
	for (size_t i = 0; i < o->n_thresholds; i++) {
		const struct threshold *t = &o->thresholds[i];

		if (!threshold_names_any(t) && !has_benchmark(c->base, t) &&
		    !has_benchmark(c->new, t))
			return error_set(err, -EINVAL,
					 "--threshold %s: no benchmark matches '%s'",
					 t->text, t->pattern);
	}
	return 0;
}

int compare_check_rows(const struct compare *c, const struct compare_options *o,
		       struct error *err)
{
	for (size_t i = 0; i < o->n_benches; i++)
		if (!names_a_row(c, o->benches[i]))
			return error_set(err, -EINVAL,
					 "no benchmark is called '%s' there",
					 o->benches[i]);
	if (!c->n_rows)
		return error_set(err, -EINVAL,
				 o->n_metrics ? "no benchmark has such a metric"
					      : "there is not one benchmark in it");
	for (size_t i = 0; i < c->n_rows && !(o->across & COMPARE_ACROSS_UNITS); i++) {
		const struct compare_row *row = &c->rows[i];

		if (row->base.metric &&
		    row->new.metric &&strcmp(row->base.metric->unit,
					     row->new.metric->unit) != 0)
			return error_set(err, -EINVAL,
				      "%s is in %s and in %s: --across units shows them "
				      "all the same",
				      row->name, row->base.metric->unit,
				      row->new.metric->unit);
	}
	return 0;
}
