/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two explanations, function by function.
 *
 * A function is the same if its name is, but for what the compiler adds to it when it
 * splits or specialises one (".part.0", ".constprop.0"), and for what the kernel puts
 * before it in its EL2 part. Nothing else is guessed: a function that was renamed or
 * inlined is gone, and who called it is said, so that a reader can see where it went.
 */
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/lib/number.h"

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

/* The name that its source has, and how long that is. */
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

/* First those of the very same name, so that a part does not take its whole's place. */
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

/* Who called it, in the stack in which it spent most; NULL: nobody that was seen. */
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

static int name_width(const struct pair *pairs, size_t n)
{
	size_t widest = 36, i;

	for (i = 0; i < n; i++)
		if (pairs[i].change && strlen(pairs[i].name) > widest)
			widest = strlen(pairs[i].name);
	return widest > 60 ? 60 : (int)widest;
}

struct columns {
	FILE *f;
	int name;
};

static void print_row(const struct columns *c, const char *name, long long base,
		      long long now)
{
	char a[NUMBER_BYTES], b[NUMBER_BYTES], change[NUMBER_BYTES];
	char sign[NUMBER_BYTES + 1];

	number_format(a, (double)base, true);
	number_format(b, (double)now, true);
	number_format(change, (double)(now - base), true);
	snprintf(sign, sizeof(sign), "%s%s", now > base ? "+" : "", change);
	fprintf(c->f, "%-*s %9s %9s %9s", c->name, name, base ? a : "-", now ? b : "-",
		sign);
}

static void print_pair(const struct columns *c, const struct pair *p,
		       const struct explanation *base, const struct explanation *now)
{
	const char *caller;

	print_row(c, p->name, insns(p->base), insns(p->now));
	if (!p->base) {
		caller = caller_of(now, p->name);
		fprintf(c->f, "  new%s%s", caller ? ", called by " : "",
			caller ? caller : "");
	} else if (!p->now) {
		caller = caller_of(base, p->name);
		fprintf(c->f, "  gone%s%s", caller ? ", was called by " : "",
			caller ? caller : "");
	} else if (strcmp(p->base->name, p->now->name)) {
		fprintf(c->f, "  was %s", p->base->name);
	}
	fputc('\n', c->f);
}

static void print_subject(FILE *f, const char *what, const struct explanation *e)
{
	char total[NUMBER_BYTES];

	number_format(total, (double)e->total, true);
	fprintf(f, "%s %s [%s] on %s, Linux %s: %s instructions\n", what, e->benchmark,
		e->config, e->target.name, e->subject.kernel ? e->subject.kernel : "?",
		total);
}

static void print_rest(const struct columns *c, const struct pair *pairs, size_t n)
{
	long long sum = 0;
	size_t same = 0, i;
	char name[64];

	for (i = 0; i < n; i++)
		if (!pairs[i].change) {
			same++;
			sum += insns(pairs[i].now);
		}
	if (!same)
		return;
	snprintf(name, sizeof(name), "%zu more, unchanged", same);
	print_row(c, name, sum, sum);
	fputc('\n', c->f);
}

void explain_text_diff(const struct explain_text *t, const struct explanation *base,
		       const struct explanation *e)
{
	struct pair *pairs;
	size_t n = pair_up(base, e, &pairs), i;
	struct columns c = { t->f, name_width(pairs, n) };

	print_subject(t->f, "base:", base);
	print_subject(t->f, "now: ", e);
	fprintf(t->f, "\n%-*s %9s %9s %9s\n", c.name, "function", "base", "now",
		"change");
	for (i = 0; i < n; i++)
		if (pairs[i].change)
			print_pair(&c, &pairs[i], base, e);
	print_rest(&c, pairs, n);
	if (base->clock_insns || e->clock_insns) {
		print_row(&c, "less what reading the clock costs",
			  -(long long)base->clock_insns, -(long long)e->clock_insns);
		fputc('\n', t->f);
	}
	print_row(&c, "total", (long long)base->total, (long long)e->total);
	fputc('\n', t->f);
	free(pairs);
}
