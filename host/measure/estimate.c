/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the boots of a metric to its estimate, and whether two of them agree. */
#include "host/measure/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"

#define LEVEL 0.95

double estimate_quantum(const struct assembly *a)
{
	uint64_t step = a->exact ? 1 : a->result->clock.resolution;

	return step ? (double)step : 1;
}

void estimate_metric(const struct assembly *a, const struct result_benchmark *b,
		     struct result_metric *m)
{
	double *medians = calloc(m->n_boots ? m->n_boots : 1, sizeof(*medians));
	struct stats_interval ci;
	double first;
	size_t n = 0, i;

	if (!medians)
		return;
	for (i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid)
			medians[n++] = m->boots[i].summary.p50;
	first = n ? medians[0] : NAN;
	if (n) {
		m->value = stats_median(medians, n); /* sorts them */
		m->reason = NULL;
	} else if (m->n_boots) {
		m->reason = m->boots[0].reject_reason;
	}
	if (n && a->exact) {
		/*
		 * The first boot is the figure, however many follow; those look whether
		 * it depends on where the VM comes to lie (boot_request.placement).
		 */
		m->value = first;
		m->stat = "first-boot";
		m->ci = (struct result_ci){ 1, medians[0], medians[n - 1], "exact" };
		/*
		 * Drivers work on the host's state, which no two boots leave alike; so
		 * do writes of the PMU's registers, which make and free perf events.
		 */
		if (m->ci.lo < m->ci.hi && a->trust != JUDGE_DRIVER &&
		    a->row->handled_by != HANDLED_OBSERVED)
			result_warn(a->result, "boots-differ",
				    "%s: boots of an exact target differ", b->name);
	} else if (n && !stats_median_interval(medians, n, LEVEL, &ci)) {
		m->ci = (struct result_ci){ LEVEL, ci.lo, ci.hi, "order-statistic" };
	}
	if (!strcmp(m->name, "round_trip")) {
		diagnose_bootstrap(&a->kept, a->seed, m);
		diagnose_metric(a->result, b, m, estimate_quantum(a));
	}
	free(medians);
}

/* Of an interval; none: nobody knows how wide. */
static double half_width(const struct result_metric *m)
{
	return m->ci.method ? (m->ci.hi - m->ci.lo) / 2 : INFINITY;
}

void estimate_modes(const struct assembly *a, const struct result_benchmark *b)
{
	const struct result_metric *event = result_find_metric(b, "round_trip");
	const struct result_metric *batch = result_find_metric(b, "round_trip_batch");
	double apart, noise;

	if (!event || !batch)
		return;
	apart = fabs(event->value - batch->value);
	noise = half_width(event) + half_width(batch);
	if (apart > 0.02 * fabs(batch->value) && apart > 2 * estimate_quantum(a) &&
	    apart > noise)
		result_warn(a->result, "modes-disagree",
			    "%s: %.1f %s per event, %.1f in a batch", b->name,
			    event->value, a->unit, batch->value);
}
