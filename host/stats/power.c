/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power of comparisons and of the gate of a history. */
#include "host/stats/power.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#define HODGES_LEHMANN (M_PI / 3)

double power_seen(const struct power_plan *plan)
{
	size_t unit = plan->runs > 1 ? plan->runs : plan->boots;
	double runs = (double)plan->runs, boots = (double)plan->boots;
	double side = plan->run * plan->run / runs +
		      HODGES_LEHMANN * plan->boot * plan->boot / (runs * boots);
	double sd = sqrt(2 * side), df = 2 * (double)unit - 2, reserve;
	double significant, outside;

	if (unit < 2)
		return INFINITY;
	reserve = gsl_cdf_ugaussian_Pinv(plan->power);
	significant = gsl_cdf_tdist_Qinv(plan->alpha / 2, df) + reserve;
	outside = gsl_cdf_tdist_Qinv((1 - plan->level) / 2, df) + reserve;
	return fmax(significant * sd, plan->band + outside * sd);
}

/* The least n of [least, POWER_MOST] with is_found(n), which stays true; NAN: none. */
static double search(const void *of, double change, size_t least,
		     double (*seen)(const void *of, size_t n))
{
	size_t low = least, high = POWER_MOST;

	if (seen(of, high) > change)
		return NAN;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (seen(of, middle) > change)
			low = middle + 1;
		else
			high = middle;
	}
	return (double)low;
}

static double seen_by_boots(const void *of, size_t n)
{
	struct power_plan plan = *(const struct power_plan *)of;

	plan.run = 0;
	plan.runs = 1;
	plan.boots = n;
	return power_seen(&plan);
}

static double seen_by_runs(const void *of, size_t n)
{
	struct power_plan plan = *(const struct power_plan *)of;

	plan.runs = n;
	return power_seen(&plan);
}

double power_boots(const struct power_plan *plan, double change)
{
	return search(plan, change, 2, seen_by_boots);
}

double power_runs(const struct power_plan *plan, double change)
{
	return search(plan, change, 2, seen_by_runs);
}

double power_step(const struct power_gate *gate, size_t after)
{
	double before = (double)gate->before, now = (double)after;
	double sd = gate->sd * sqrt(1 / before + 1 / now), df = before + now - 2;
	double reserve = gsl_cdf_ugaussian_Pinv(gate->power) * sd;

	if (gate->before < 2 || after < 2)
		return INFINITY;
	return fmax(gsl_cdf_tdist_Qinv(gate->alpha / 2, df) * sd, gate->least) + reserve;
}

static double seen_by_gate(const void *of, size_t n)
{
	return power_step(of, n);
}

double power_step_runs(const struct power_gate *gate, double step)
{
	return search(gate, step, 2, seen_by_gate);
}
