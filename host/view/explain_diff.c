/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two explanations, function by function. */
#include <stdlib.h>
#include <string.h>

#include "host/result/explanation.h"
#include "host/view/explain_text.h"
#include "host/view/number.h"

struct pair {
	const struct explanation_function *base, *now; /* NULL: not in that one */
	const char *name;
	long long change;
};

static long long insns(const struct explanation_function *f)
{
	return f ? (long long)f->insns : 0;
}

static int by_change(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	long long dx = llabs(x->change), dy = llabs(y->change);

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	if (x->change != y->change)
		return (x->change < y->change) - (x->change > y->change);
	return strcmp(x->name, y->name);
}

static size_t pair_up(const struct explanation *base, const struct explanation *now,
		      struct pair **out)
{
	struct pair *pairs =
		calloc(base->n_functions + now->n_functions + 1, sizeof(*pairs));
	size_t n = 0, i;

	if (!pairs)
		abort();
	for (i = 0; i < now->n_functions; i++) {
		const struct explanation_function *f = &now->functions[i];

		pairs[n].now = f;
		pairs[n].base = explanation_find(base, f->space, f->name);
		n++;
	}
	for (i = 0; i < base->n_functions; i++) {
		const struct explanation_function *f = &base->functions[i];

		if (!explanation_find(now, f->space, f->name))
			pairs[n++].base = f;
	}
	for (i = 0; i < n; i++) {
		pairs[i].name = (pairs[i].now ? pairs[i].now : pairs[i].base)->name;
		pairs[i].change = insns(pairs[i].now) - insns(pairs[i].base);
	}
	qsort(pairs, n, sizeof(*pairs), by_change);
	*out = pairs;
	return n;
}

static void print_row(const struct explain_text *t, const char *name, long long base,
		      long long now, const char *note)
{
	char a[NUMBER_BYTES], b[NUMBER_BYTES], change[NUMBER_BYTES];

	number_format(a, (double)base, true);
	number_format(b, (double)now, true);
	number_format(change, (double)(now - base), true);
	fprintf(t->f, "%-36s %9s %9s %s%*s%s\n", name, base ? a : "-", now ? b : "-",
		now > base ? "+" : "", now > base ? 8 : 9, change, note);
}

static void print_subject(const struct explain_text *t, const char *what,
			  const struct explanation *e)
{
	fprintf(t->f, "%s %s [%s] on %s, Linux %s: %llu instructions\n", what,
		e->benchmark, e->config, e->target.name,
		e->subject.kernel ? e->subject.kernel : "?",
		(unsigned long long)e->total);
}

void explain_text_diff(const struct explain_text *t, const struct explanation *base,
		       const struct explanation *e)
{
	struct pair *pairs;
	size_t n = pair_up(base, e, &pairs), i, same = 0;
	long long same_insns = 0;

	print_subject(t, "base:", base);
	print_subject(t, "now: ", e);
	fprintf(t->f, "\n%-36s %9s %9s %9s\n", "function", "base", "now", "change");
	for (i = 0; i < n; i++) {
		const struct pair *p = &pairs[i];

		if (!p->change) {
			same++;
			same_insns += insns(p->now);
			continue;
		}
		print_row(t, p->name, insns(p->base), insns(p->now),
			  !p->base  ? "  new"
			  : !p->now ? "  gone"
				    : "");
	}
	if (same) {
		char name[64];

		snprintf(name, sizeof(name), "%zu functions, unchanged", same);
		print_row(t, name, same_insns, same_insns, "");
	}
	if (base->clock_insns || e->clock_insns)
		print_row(t, "less what reading the clock costs",
			  -(long long)base->clock_insns, -(long long)e->clock_insns, "");
	print_row(t, "total", (long long)base->total, (long long)e->total, "");
	free(pairs);
}
