/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest's own PMC counted of an event, and what it did not. */
#include "host/measure/visible.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"

/* Two rates that differ by more are not one rate: the CPU's frequency has moved. */
#define RATE_DRIFT 0.01

static double median_of(const uint64_t *series, size_t n)
{
	struct stats_summary s;

	if (!n || stats_summarize((const int64_t *)series, n, &s))
		return NAN;
	return s.p50;
}

double visible_rate(const uint64_t *counted, const uint64_t *ticks, size_t n, char *why,
		    size_t why_bytes)
{
	size_t half = n / 2;
	double before = median_of(counted, half) / median_of(ticks, half);
	double after =
		median_of(counted + half, n - half) / median_of(ticks + half, n - half);

	if (!isfinite(before) || !isfinite(after) || before <= 0 || after <= 0) {
		snprintf(
			why, why_bytes,
			"PMC and clock cannot be compared: one of them does not move in a loop that does not exit");
		return NAN;
	}
	if (fabs(after / before - 1) > RATE_DRIFT) {
		snprintf(
			why, why_bytes,
			"PMC and clock cannot be compared: the PMC counted %.4f per tick before the events and %.4f after",
			before, after);
		return NAN;
	}
	return (before + after) / 2;
}

/*
 * Of the exits of the PMC phase those that reading the PMC causes are in the empty one,
 * too. Each host interrupt of either may have added one, unless KVM knows which did.
 */
static struct boot_counts own_exits(const struct boot_report *rep)
{
	const struct boot_counts *all = &rep->counts[ABI_PHASE_PMC];
	const struct boot_counts *looks = &rep->counts[ABI_PHASE_PMC_NULL];
	struct boot_counts own = *all;

	own.user = all->user - looks->user;
	if (all->exits < 0 || looks->exits < 0 || all->interrupts < 0 ||
	    looks->interrupts < 0) {
		own.exits = -1;
		return own;
	}
	if (all->interrupts_exact && looks->interrupts_exact) {
		own.exits =
			all->exits - all->interrupts - looks->exits + looks->interrupts;
		own.interrupts = 0;
		return own;
	}
	own.interrupts = all->interrupts + looks->interrupts;
	own.exits = all->exits - looks->exits + looks->interrupts;
	/* Both phases' are then taken away for certain, not by as many as need be. */
	if (all->interrupts_exact && looks->interrupts_exact)
		own.exits += looks->interrupts;
	own.interrupts_exact = all->interrupts_exact && looks->interrupts_exact;
	return own;
}

static void prove(const struct bench *row, enum judge_trust trust,
		  const struct boot_report *rep, struct visible *v)
{
	const struct boot_counts own = own_exits(rep);
	struct judgement j;

	judge_exits(row, trust, v->n, &own, &j);
	v->proven = j.proven;
	if (!j.proven)
		snprintf(v->reason, sizeof(v->reason), "with the PMC read: %s", j.reason);
}

static double rate_of(bool exact, const struct boot_report *rep, struct visible *v)
{
	if (exact)
		return 1;
	return visible_rate(
		rep->series[ABI_PHASE_SPIN], rep->series[ABI_PHASE_SPIN_CLOCK],
		rep->guest.samples[ABI_PHASE_SPIN], v->reason, sizeof(v->reason));
}

int visible_compute(const struct bench *row, enum judge_trust trust, bool exact,
		    const struct boot_report *rep, struct visible *out)
{
	size_t n = rep->guest.samples[ABI_PHASE_PMC], i;
	double looks, empty, rate;

	memset(out, 0, sizeof(*out));
	/* What the guest claims need not go together. */
	if (!n || rep->guest.samples[ABI_PHASE_PMC_CLOCK] != n ||
	    rep->guest.samples[ABI_PHASE_PMC_NULL] != n ||
	    rep->guest.samples[ABI_PHASE_PMC_NULL_CLOCK] != n ||
	    rep->guest.samples[ABI_PHASE_SPIN] !=
		    rep->guest.samples[ABI_PHASE_SPIN_CLOCK])
		return 0;
	out->visible = calloc(n, sizeof(*out->visible));
	if (!out->visible)
		return -ENOMEM;
	out->n = n;
	looks = median_of(rep->series[ABI_PHASE_PMC_NULL], n);
	empty = median_of(rep->series[ABI_PHASE_PMC_NULL_CLOCK], n);
	for (i = 0; i < n; i++)
		out->visible[i] = (int64_t)rep->series[ABI_PHASE_PMC][i] - llround(looks);
	prove(row, trust, rep, out);
	if (!out->proven)
		return 0;
	rate = rate_of(exact, rep, out);
	if (isnan(rate))
		return 0;
	out->hidden = calloc(n, sizeof(*out->hidden));
	if (!out->hidden)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		out->hidden[i] = llround((double)rep->series[ABI_PHASE_PMC_CLOCK][i] -
					 empty - (double)out->visible[i] / rate);
	return 0;
}

void visible_free(struct visible *v)
{
	free(v->visible);
	free(v->hidden);
	memset(v, 0, sizeof(*v));
}
