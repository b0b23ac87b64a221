/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event touches: cache lines, pages, branches and serialising instructions of a
 * recorded event, by the model of touch_model.h.
 */
#ifndef WS_EXPLAIN_TOUCH_H
#define WS_EXPLAIN_TOUCH_H

#include <stddef.h>
#include <stdio.h>

#include "host/explain/explanation.h"
#include "host/explain/region.h"
#include "host/lib/table.h"

/*
 * Fills in e->touch for the path of the event `r`. Cold: the event from empty caches.
 * Warm: the last event of this path, after everything that was recorded before it in its
 * boot. The curve: that event again after a guest's working set, for the second time.
 * Needs recorded memory accesses. 0 or -ENOMEM.
 */
int touch_build(const struct trace *t, const struct regions *regions,
		const struct region *r, const struct touch_caches *caches,
		struct explanation *e);

/* Runs a step of a trace through the model: its fetch, its accesses, its branch. */
void touch_step(struct touch_model *m, const struct trace *t, const struct trace_step *s);

/* Whether the explanation says what the event touches. */
bool touch_is_in(const struct explanation *e);

/* Figures of e->touch and e->kinds, as metrics of result documents. */
struct touch_metric {
	char name[40];
	const char *unit;
	const char *words; /* for tables; NULL: a point of the curve */
	double value;
};
#define TOUCH_METRICS_MAX 96
size_t touch_metrics(const struct explanation *e, struct touch_metric *list);

/*
 * The figures as tables: misses, pages, serialising work and, if there is one, the curve
 * over the guest's working set, to which the note belongs. Returns their number; the
 * caller frees each of them, and the heading.
 */
#define TOUCH_TABLES 4
size_t touch_tables(const struct explanation *e, struct table tables[TOUCH_TABLES]);
char *touch_heading(const struct explanation *e);
extern const char touch_curve_note[];

void touch_print(FILE *f, const struct explanation *e, const struct table_options *o);
/* Both must have been recorded with --touch. */
void touch_print_diff(FILE *f, const struct explanation *base,
		      const struct explanation *e, const struct table_options *o);

#endif
