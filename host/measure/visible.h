/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of each event's round trip, the part that the guest's own PMC counted (visible) and
 * the part that it did not (hidden).
 */
#ifndef WS_MEASURE_VISIBLE_H
#define WS_MEASURE_VISIBLE_H

#include "host/measure/judge.h"
#include "host/targets/target.h"

struct visible {
	size_t n;	  /* events; 0: the guest has no PMC */
	int64_t *visible; /* in the PMC's unit */
	int64_t *hidden;  /* in the clock's; NULL: not known, `reason` says why */
	char reason[320]; /* also where the figures prove nothing: see `proven` */
	bool proven;	  /* the events exited as often as the timed ones do */
};

/*
 * From the PMC's series of a boot that ended as BOOT_DONE. On an exact target the PMC
 * counts the clock's own unit. Elsewhere the two are compared over loops that do not
 * exit, before and after the events. 0 or -ENOMEM. visible_free() it.
 */
int visible_compute(const struct bench *row, enum judge_trust trust, bool exact,
		    const struct boot_report *rep, struct visible *out);
void visible_free(struct visible *v);

/* PMC counts per tick of the clock over `n` spins. NAN with `why` if undefined. */
double visible_rate(const uint64_t *counted, const uint64_t *ticks, size_t n, char *why,
		    size_t why_bytes);

#endif
