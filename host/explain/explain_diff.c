/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two explanations, layer by layer and function by function (pair.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/explain/pair.h"
#include "host/lib/text.h"
#include "host/lib/table.h"

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

static long long by_layer(const struct explain_layer *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return (long long)list[i].insns;
	return 0;
}

static int by_change(const void *a, const void *b)
{
	const struct explain_layer_change *x = a, *y = b;
	long long dx = llabs(x->now - x->base), dy = llabs(y->now - y->base);

	return dx != dy ? (dx < dy) - (dx > dy) : strcmp(x->name, y->name);
}

size_t explain_layer_changes(const struct explanation *base, const struct explanation *e,
			     struct explain_layer_change **out)
{
	struct explain_layer *was, *is;
	size_t n_was = explain_layers(base, &was), n_is = explain_layers(e, &is), n = 0;
	struct explain_layer_change *list = calloc(n_was + n_is + 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < n_is; i++)
		list[n++] = (struct explain_layer_change){
			.name = is[i].name,
			.base = by_layer(was, n_was, is[i].name),
			.now = (long long)is[i].insns,
		};
	for (size_t i = 0; i < n_was; i++)
		if (!by_layer(is, n_is, was[i].name))
			list[n++] = (struct explain_layer_change){
				.name = was[i].name,
				.base = (long long)was[i].insns,
			};
	qsort(list, n, sizeof(*list), by_change);
	free(was);
	free(is);
	*out = list;
	return n;
}

/* "5 more, unchanged" */
static void add_rest(struct table *t, size_t n, const char *what, long long base,
		     long long now)
{
	char name[64];

	if (!n)
		return;
	snprintf(name, sizeof(name), "%zu more%s", n, what);
	add_row(t, name, base, now);
}

void explain_diff_layers(struct table *t, const struct explanation *base,
			 const struct explanation *e)
{
	static const struct table_column columns[] = {
		{ "layer", TABLE_KEY, 0, NULL },
		{ "base", TABLE_RIGHT, 0, NULL },
		{ "now", TABLE_RIGHT, 0, NULL },
		{ "change", TABLE_RIGHT, 0, NULL },
	};
	struct explain_layer_change *list;
	size_t n = explain_layer_changes(base, e, &list), unchanged = 0;
	long long sum = 0;

	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		if (list[i].base != list[i].now) {
			add_row(t, list[i].name, list[i].base, list[i].now);
			continue;
		}
		unchanged++;
		sum += list[i].now;
	}
	add_rest(t, unchanged, ", unchanged", sum, sum);
	free(list);
}

void explain_diff_functions(struct table *t, const struct explanation *base,
			    const struct explanation *e, size_t top)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL }, { "base", TABLE_RIGHT, 0, NULL },
		{ "now", TABLE_RIGHT, 0, NULL },    { "change", TABLE_RIGHT, 0, NULL },
		{ "", TABLE_WRAP, 0, NULL },
	};
	struct explain_change *changes;
	size_t n = explain_changes(base, e, &changes), unchanged = 0, cut = 0;
	long long sum = 0, cut_base = 0, cut_now = 0;

	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		const struct explain_change *c = &changes[i];

		if (!c->change && !c->paired) {
			unchanged++;
			sum += (long long)c->now;
		} else if (t->n_rows < top) {
			add_row(t, c->name, (long long)c->base, (long long)c->now);
			if (c->how)
				table_cell(t, 4, "%s", c->how);
		} else {
			cut++;
			cut_base += (long long)c->base;
			cut_now += (long long)c->now;
		}
	}
	add_rest(t, cut, "", cut_base, cut_now);
	add_rest(t, unchanged, ", unchanged", sum, sum);
	if (base->clock_insns || e->clock_insns)
		add_row(t, "less the cost of reading the clock",
			-(long long)base->clock_insns, -(long long)e->clock_insns);
	add_row(t, "total", (long long)base->total, (long long)e->total);
	explain_changes_free(changes, n);
}

static void print_subject(FILE *f, const char *what, const struct explanation *e,
			  const struct table_options *o)
{
	char total[NUMBER_BYTES], *text;

	number_format(total, (double)e->total, true);
	if (asprintf(&text, "%s [%s] on %s, Linux %s: %s instructions", e->benchmark,
		     e->config, e->target.name,
		     e->subject.kernel ? e->subject.kernel : "?", total) < 0)
		abort();
	fprintf(f, "%s%s ", o ? "" : "- ", what);
	if (o) {
		text_wrap(f, text, strlen(what) + 1, 6, o->columns);
	} else {
		table_markdown_text(f, text);
		fputc('\n', f);
	}
	free(text);
}

void explain_print_diff(FILE *f, const struct explanation *base,
			const struct explanation *e, const struct table_options *o,
			size_t top)
{
	struct table t;

	print_subject(f, "base:", base, o);
	print_subject(f, "now: ", e, o);
	fputc('\n', f);
	explain_diff_layers(&t, base, e);
	explain_print_table(f, &t, o);
	fputc('\n', f);
	explain_diff_functions(&t, base, e, top);
	explain_print_table(f, &t, o);
}
