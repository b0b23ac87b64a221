/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two explanations, function by function.
 *
 * Functions are matched by name, without the suffixes of functions that the compiler
 * split or specialised (".part.0", ".constprop.0") and without the prefix of the kernel's
 * EL2 code. A function that was renamed or inlined is reported as gone, with its caller.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/lib/number.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

#define HYP_PREFIX "__kvm_nvhe_"

struct pair {
	const struct explanation_function *base, *now; /* NULL: not in that one */
	const char *name;
	long long change;
};

static long long insns(const struct explanation_function *f)
{
	return f ? (long long)f->insns : 0;
}

/* The name in the source, and its length. */
static const char *stem(const char *name, size_t *bytes)
{
	size_t prefix = strlen(HYP_PREFIX);

	if (!strncmp(name, HYP_PREFIX, prefix))
		name += prefix;
	*bytes = strcspn(name, ".");
	return name;
}

bool explain_same_name(const char *a, const char *b)
{
	size_t n, m;
	const char *x = stem(a, &n), *y = stem(b, &m);

	return n == m && !memcmp(x, y, n);
}

static bool is_same(const struct explanation_function *a,
		    const struct explanation_function *b)
{
	bool host_a = strcmp(a->space, "guest") && strcmp(a->space, "user");
	bool host_b = strcmp(b->space, "guest") && strcmp(b->space, "user");

	if (host_a != host_b || (!host_a && strcmp(a->space, b->space)))
		return false;
	return explain_same_name(a->name, b->name);
}

/* First with `exactly`: otherwise a part could be matched with the whole function. */
static void pair_up_by(struct pair *pairs, size_t n, const struct explanation *base,
		       bool *taken, bool exactly)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; !pairs[i].base && k < base->n_functions; k++) {
			const struct explanation_function *f = &base->functions[k];

			if (taken[k] || !is_same(f, pairs[i].now) ||
			    (exactly && strcmp(f->name, pairs[i].now->name)))
				continue;
			pairs[i].base = f;
			taken[k] = true;
		}
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
	bool *taken = calloc(base->n_functions + 1, sizeof(*taken));
	size_t n = now->n_functions, i;

	if (!pairs || !taken)
		abort();
	for (i = 0; i < n; i++) {
		pairs[i].now = &now->functions[i];
		pairs[i].name = now->functions[i].name;
	}
	pair_up_by(pairs, n, base, taken, true);
	pair_up_by(pairs, n, base, taken, false);
	for (i = 0; i < base->n_functions; i++) {
		if (taken[i])
			continue;
		pairs[n].base = &base->functions[i];
		pairs[n++].name = base->functions[i].name;
	}
	for (i = 0; i < n; i++)
		pairs[i].change = insns(pairs[i].now) - insns(pairs[i].base);
	qsort(pairs, n, sizeof(*pairs), by_change);
	free(taken);
	*out = pairs;
	return n;
}

/* The caller in the stack with most instructions; NULL: the function has no caller. */
static const char *caller_of(const struct explanation *e, const char *name)
{
	const char *caller = NULL;
	uint64_t most = 0;
	size_t i, k;

	for (i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		for (k = 1; k < s->n_frames; k++)
			if (!strcmp(s->frames[k], name) && s->insns >= most) {
				most = s->insns;
				caller = s->frames[k - 1];
			}
	}
	return caller;
}

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

static void add_pair(struct table *t, const struct pair *p,
		     const struct explanation *base, const struct explanation *now)
{
	const char *caller;

	add_row(t, p->name, insns(p->base), insns(p->now));
	if (!p->base) {
		caller = caller_of(now, p->name);
		table_cell(t, 4, "new%s%s", caller ? ", called by " : "",
			   caller ? caller : "");
	} else if (!p->now) {
		caller = caller_of(base, p->name);
		table_cell(t, 4, "gone%s%s", caller ? ", was called by " : "",
			   caller ? caller : "");
	} else if (strcmp(p->base->name, p->now->name) != 0) {
		table_cell(t, 4, "was %s", p->base->name);
	}
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
	struct pair *pairs;
	size_t n = pair_up(base, e, &pairs), unchanged = 0;
	long long sum = 0;
	struct table t;
	char name[64];

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].change) {
			add_pair(&t, &pairs[i], base, e);
		} else {
			unchanged++;
			sum += insns(pairs[i].now);
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
	free(pairs);
}
