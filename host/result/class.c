/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The class of a figure, and whether two figures are of one class. */
#include "host/result/class.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/result/result.h"

/* Exits per event that are nearer than this are equally many. */
#define EXITS_APART 0.5

/* Events of all boots, rejected ones included: the exits are counted over all. */
static double events_of(const struct result_benchmark *b)
{
	double events = 0;

	for (size_t i = 0; b->n_metrics && i < b->metrics[0].n_boots; i++)
		events += (double)b->metrics[0].boots[i].summary.n;
	return events;
}

struct result_class result_class_of(const struct result_benchmark *b)
{
	struct result_class class = { .exits = NAN };
	double events = events_of(b);

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
	/* One boot that exits once in a thousand events is handled by "kernel". */
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
