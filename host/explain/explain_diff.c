/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two explanations, layer by layer and function by function (pair.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/explain/pair.h"
#include "host/lib/number.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

static void add_row(struct table *t, const char *name, long long base, long long now)
{
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", name);
	table_cell(t, 1, "-");
	table_cell(t, 2, "-");
	table_number(t, 1, base ? (double)base : NAN, true, false);
	table_number(t, 2, now ? (double)now : NAN, true, false);
	table_number(t, 3, (double)(now - base), true, true);
}

static void print_subject(FILE *f, const char *what, const struct explanation *e,
			  size_t columns)
{
	char total[NUMBER_BYTES], *text;

	number_format(total, (double)e->total, true);
	if (asprintf(&text, "%s [%s] on %s, Linux %s: %s instructions", e->benchmark,
		     e->config, e->target.name,
		     e->subject.kernel ? e->subject.kernel : "?", total) < 0)
		abort();
	text_wrap(f, text, (size_t)fprintf(f, "%s ", what), 6, columns);
	free(text);
}

void explain_print_diff(FILE *f, const struct explanation *base,
			const struct explanation *e, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL }, { "base", TABLE_RIGHT, 0, NULL },
		{ "now", TABLE_RIGHT, 0, NULL },    { "change", TABLE_RIGHT, 0, NULL },
		{ "", TABLE_WRAP, 0, NULL },
	};
	struct explain_change *changes;
	size_t n = explain_changes(base, e, &changes), unchanged = 0;
	long long sum = 0;
	struct table t;
	char name[64];

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		const struct explain_change *c = &changes[i];

		if (c->change || c->paired) {
			add_row(&t, c->name, (long long)c->base, (long long)c->now);
			if (c->how)
				table_cell(&t, 4, "%s", c->how);
		} else {
			unchanged++;
			sum += (long long)c->now;
		}
	}
	if (unchanged) {
		snprintf(name, sizeof(name), "%zu more, unchanged", unchanged);
		add_row(&t, name, sum, sum);
	}
	if (base->clock_insns || e->clock_insns)
		add_row(&t, "less the cost of reading the clock",
			-(long long)base->clock_insns, -(long long)e->clock_insns);
	add_row(&t, "total", (long long)base->total, (long long)e->total);
	print_subject(f, "base:", base, o->columns);
	print_subject(f, "now: ", e, o->columns);
	fputc('\n', f);
	table_print(f, &t, o);
	table_free(&t);
	explain_changes_free(changes, n);
}
