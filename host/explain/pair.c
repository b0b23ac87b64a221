/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs the functions of two explanations: by name, by rename, by inlining. */
#include "host/explain/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"

/* Sizes differ by at most a quarter, or by a few instructions. */
#define NEAR_SHARE  0.25
#define NEAR_INSNS  4
/* Below, a similar size is a coincidence. */
#define SMALL	    8
/* A rename that only sizes show: of functions of this size, equal to 5 %. */
#define LARGE	    20
#define EQUAL_SHARE 0.05

/* Fitness of a rename: the least with a similar name or the same callees, and without. */
#define BY_NAME 1.0
#define BY_SIZE 0.5

enum kind {
	NAMED,	 /* in both, by name; or in one alone */
	RENAMED, /* in both */
	INLINED, /* in base alone, and counted in another group */
	SPLIT,	 /* in now alone, and counted in another group */
	DEAD,	 /* its function has become the base of another pair */
};

struct pair {
	const struct explanation_function *base, *now; /* NULL: not in that one */
	enum kind kind;
	const char *evidence; /* of a rename */
	const char *caller;   /* of `base` if it is gone, of `now` if it is new; NULL */
	size_t caller_node;   /* that caller in the call graph of its explanation */
	size_t group;	      /* the index of the pair that this one is counted with */
};

/* The call graph of one explanation. */
struct side {
	const struct explanation *e;
	const char *
		*names; /* of nodes: the functions, then frames without instructions */
	size_t *group;	/* by node */
	bool *calls;	/* [caller * n + callee] */
	size_t n;
};

struct work {
	struct side base, now;
	struct pair *pairs;
	size_t n;
	size_t n_groups; /* used numbers; those from `n` on are groups of frames alone */
};

static void *allocate(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

/* ------------------------------ names ------------------------------ */

/* The name in the source, and its length. */
static const char *stem(const char *name, size_t *bytes)
{
	static const char *const prefixes[] = { "__kvm_nvhe_", "__pi_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t prefix = strlen(prefixes[i]);

		if (!strncmp(name, prefixes[i], prefix))
			name += prefix;
	}
	*bytes = strcspn(name, ".");
	return name;
}

bool explain_same_name(const char *a, const char *b)
{
	size_t n, m;
	const char *x = stem(a, &n), *y = stem(b, &m);

	return n == m && !memcmp(x, y, n);
}

/* The next word that says something, and its length; NULL: none. */
static const char *next_word(const char **at, const char *end, size_t *bytes)
{
	static const char *const common[] = { "kvm",   "svm", "vmx",	"vcpu", "arch",
					      "arm64", "x86", "get",	"set",	"is",
					      "has",   "to",  "handle", "do",	"load",
					      "put",   "pmu", "run",	"read", "write" };

	while (*at < end) {
		const char *word = *at;
		bool says = true;

		while (*at < end && **at != '_')
			(*at)++;
		*bytes = (size_t)(*at - word);
		if (*at < end)
			(*at)++;
		for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
			says &= strlen(common[i]) != *bytes ||
				memcmp(common[i], word, *bytes) != 0;
		if (*bytes && says)
			return word;
	}
	return NULL;
}

/* Of the words of `a`, those that are in `b`; `*words`: all of `a`. */
static size_t common_words(const char *a, size_t n, const char *b, size_t m,
			   size_t *words)
{
	const char *at = a, *word, *other;
	size_t bytes, length, common = 0;

	*words = 0;
	while ((word = next_word(&at, a + n, &bytes))) {
		const char *in = b;

		(*words)++;
		while ((other = next_word(&in, b + m, &length)))
			if (length == bytes && !memcmp(word, other, bytes))
				break;
		common += other != NULL;
	}
	return common;
}

double explain_name_likeness(const char *a, const char *b)
{
	size_t n, m, in_a, in_b;
	const char *x = stem(a, &n), *y = stem(b, &m);
	size_t common = common_words(x, n, y, m, &in_a);

	common_words(y, m, x, n, &in_b);
	return common ? (double)common / (double)(in_a + in_b - common) : 0;
}

static bool is_thunk(const char *name)
{
	return strstr(name, "thunk") || strstr(name, "safe_ret");
}

/* ------------------------------ call graphs ------------------------------ */

static size_t node_of(const struct side *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->names[i], name) != 0)
		i++;
	return i;
}

static void side_open(struct side *s, const struct explanation *e)
{
	size_t room = e->n_functions, i, k;

	for (i = 0; i < e->n_stacks; i++)
		room += e->stacks[i].n_frames;
	*s = (struct side){ .e = e, .names = allocate(room, sizeof(*s->names)) };
	for (i = 0; i < e->n_functions; i++)
		s->names[s->n++] = e->functions[i].name;
	for (i = 0; i < e->n_stacks; i++)
		for (k = 0; k < e->stacks[i].n_frames; k++)
			if (node_of(s, e->stacks[i].frames[k]) == s->n)
				s->names[s->n++] = e->stacks[i].frames[k];
	s->group = allocate(s->n, sizeof(*s->group));
	s->calls = allocate(s->n * s->n, sizeof(*s->calls));
	for (i = 0; i < e->n_stacks; i++)
		for (k = 1; k < e->stacks[i].n_frames; k++)
			s->calls[node_of(s, e->stacks[i].frames[k - 1]) * s->n +
				 node_of(s, e->stacks[i].frames[k])] = true;
}

static void side_close(struct side *s)
{
	free(s->names);
	free(s->group);
	free(s->calls);
}

static size_t index_of(const struct side *s, const struct explanation_function *f)
{
	return (size_t)(f - s->e->functions);
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

/* ------------------------------ by name ------------------------------ */

static bool is_host(const struct explanation_function *f)
{
	return strcmp(f->space, "guest") != 0 && strcmp(f->space, "user") != 0;
}

static bool same_space(const struct explanation_function *a,
		       const struct explanation_function *b)
{
	return is_host(a) == is_host(b) && (is_host(a) || !strcmp(a->space, b->space));
}

/* First with `exactly`: otherwise a part could be matched with the whole function. */
static void pair_up_by(struct work *w, bool *taken, bool exactly)
{
	const struct explanation *base = w->base.e;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; !w->pairs[i].base && k < base->n_functions; k++) {
			const struct explanation_function *f = &base->functions[k];
			const struct explanation_function *now = w->pairs[i].now;

			if (taken[k] || !same_space(f, now) ||
			    !explain_same_name(f->name, now->name) ||
			    (exactly && strcmp(f->name, now->name)))
				continue;
			w->pairs[i].base = f;
			taken[k] = true;
		}
}

static void pair_by_name(struct work *w)
{
	const struct explanation *base = w->base.e, *now = w->now.e;
	bool *taken = allocate(base->n_functions, sizeof(*taken));
	size_t i;

	w->pairs = allocate(base->n_functions + now->n_functions, sizeof(*w->pairs));
	w->n = now->n_functions;
	for (i = 0; i < w->n; i++)
		w->pairs[i].now = &now->functions[i];
	pair_up_by(w, taken, true);
	pair_up_by(w, taken, false);
	for (i = 0; i < base->n_functions; i++)
		if (!taken[i])
			w->pairs[w->n++].base = &base->functions[i];
	free(taken);
}

/* The groups of frames without instructions: one group for one name. */
static void group_frames(struct work *w)
{
	struct side *base = &w->base, *now = &w->now;
	size_t i, k;

	for (i = base->e->n_functions; i < base->n; i++)
		base->group[i] = w->n_groups++;
	for (i = now->e->n_functions; i < now->n; i++) {
		for (k = 0; k < base->n; k++)
			if (explain_same_name(base->names[k], now->names[i]))
				break;
		now->group[i] = k < base->n ? base->group[k] : w->n_groups++;
	}
}

static void find_caller(const struct work *w, struct pair *p)
{
	const struct side *s = p->now ? &w->now : &w->base;

	p->caller = caller_of(s->e, p->now ? p->now->name : p->base->name);
	if (p->caller)
		p->caller_node = node_of(s, p->caller);
}

static void group_functions(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pair *p = &w->pairs[i];

		p->group = i;
		find_caller(w, p);
		if (p->base)
			w->base.group[index_of(&w->base, p->base)] = i;
		if (p->now)
			w->now.group[index_of(&w->now, p->now)] = i;
	}
	w->n_groups = w->n;
	group_frames(w);
}

static void move_group(struct work *w, size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->pairs[i].group == from)
			w->pairs[i].group = to;
	for (i = 0; i < w->base.n; i++)
		if (w->base.group[i] == from)
			w->base.group[i] = to;
	for (i = 0; i < w->now.n; i++)
		if (w->now.group[i] == from)
			w->now.group[i] = to;
}

/* ------------------------------ by rename ------------------------------ */

static bool is_gone(const struct pair *p)
{
	return p->kind == NAMED && p->base && !p->now;
}

static bool is_new(const struct pair *p)
{
	return p->kind == NAMED && p->now && !p->base;
}

/* Whether functions of one group call both. */
static bool share_caller(const struct work *w, size_t a, size_t b)
{
	const struct side *base = &w->base, *now = &w->now;

	for (size_t i = 0; i < base->n; i++)
		for (size_t k = 0; base->calls[i * base->n + a] && k < now->n; k++)
			if (now->calls[k * now->n + b] && now->group[k] == base->group[i])
				return true;
	return false;
}

/* The share of callees, by their groups, that both call; every function calls thunks. */
static double callee_likeness(const struct work *w, size_t a, size_t b)
{
	const struct side *base = &w->base, *now = &w->now;
	size_t in_a = 0, in_b = 0, common = 0, i, k;

	for (k = 0; k < now->n; k++)
		in_b += now->calls[b * now->n + k] && !is_thunk(now->names[k]);
	for (i = 0; i < base->n; i++) {
		if (!base->calls[a * base->n + i] || is_thunk(base->names[i]))
			continue;
		in_a++;
		for (k = 0; k < now->n; k++)
			if (now->calls[b * now->n + k] && now->group[k] == base->group[i])
				break;
		common += k < now->n;
	}
	return common ? (double)common / (double)(in_a + in_b - common) : 0;
}

static bool calls_any(const struct side *s, size_t node)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->calls[node * s->n + i] && !is_thunk(s->names[i]))
			return true;
	return false;
}

static bool is_near(uint64_t a, uint64_t b, double share, uint64_t insns)
{
	uint64_t more = a > b ? a : b, off = a > b ? a - b : b - a;

	return off <= insns || (double)off <= share * (double)more;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Leaves of one module and layer that have the same size. */
static bool same_leaf(const struct work *w, const struct explanation_function *a,
		      const struct explanation_function *b)
{
	return a->insns >= LARGE && is_near(a->insns, b->insns, EQUAL_SHARE, 0) &&
	       same_text(a->module, b->module) && !strcmp(a->layer, b->layer) &&
	       !calls_any(&w->base, index_of(&w->base, a)) &&
	       !calls_any(&w->now, index_of(&w->now, b));
}

/* How well a function of the base fits one of the new explanation; 0: not at all. */
static double fitness(const struct work *w, const struct explanation_function *a,
		      const struct explanation_function *b, const char **evidence)
{
	size_t i = index_of(&w->base, a), k = index_of(&w->now, b);
	double name = explain_name_likeness(a->name, b->name), callees;

	if (!same_space(a, b) || !share_caller(w, i, k) ||
	    !is_near(a->insns, b->insns, NEAR_SHARE, NEAR_INSNS))
		return 0;
	if ((a->insns < SMALL || b->insns < SMALL) && name < 1)
		return 0;
	callees = callee_likeness(w, i, k);
	if (name >= 0.5) {
		*evidence = "same caller, similar name and size";
		return BY_NAME + name + callees;
	}
	if (callees >= 0.5) {
		*evidence = "same caller and callees, similar size";
		return BY_NAME + callees;
	}
	*evidence = "same caller and size";
	return same_leaf(w, a, b) ? BY_SIZE : 0;
}

/* Whether no other fit of this function that is gone, or of this new one, is as good. */
static bool is_best(const double *fits, size_t n, size_t gone, size_t new)
{
	double fit = fits[gone * n + new];

	for (size_t i = 0; i < n; i++)
		if ((i != new &&fits[gone * n + i] >= fit) ||
		    (i != gone && fits[i * n + new] >= fit))
			return false;
	return true;
}

static void rename_pair(struct work *w, size_t gone, size_t new)
{
	struct pair *p = &w->pairs[new];

	p->base = w->pairs[gone].base;
	p->kind = RENAMED;
	fitness(w, p->base, p->now, &p->evidence);
	w->pairs[gone].kind = DEAD;
	move_group(w, gone, new);
}

/* Pairs functions that fit each other better than any other. Returns whether there were
 * any. */
static bool rename_all(struct work *w, double least)
{
	double *fits = allocate(w->n * w->n, sizeof(*fits));
	const char *evidence;
	bool any = false;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; is_gone(&w->pairs[i]) && k < w->n; k++) {
			if (!is_new(&w->pairs[k]))
				continue;
			fits[i * w->n + k] =
				fitness(w, w->pairs[i].base, w->pairs[k].now, &evidence);
		}
	for (i = 0; i < w->n; i++)
		for (k = 0; k < w->n; k++) {
			if (fits[i * w->n + k] < least || !is_best(fits, w->n, i, k))
				continue;
			rename_pair(w, i, k);
			any = true;
		}
	free(fits);
	return any;
}

/* ------------------------------ by inlining ------------------------------ */

static long long change_of_pair(const struct pair *p)
{
	if (p->kind == DEAD)
		return 0;
	return (long long)(p->now ? p->now->insns : 0) -
	       (long long)(p->base ? p->base->insns : 0);
}

static long long change_of_group(const struct work *w, size_t group)
{
	long long sum = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->pairs[i].group == group)
			sum += change_of_pair(&w->pairs[i]);
	return sum;
}

/* The group that calls a function of one explanation; w->n_groups: none. */
static size_t caller_group(const struct work *w, const struct pair *p)
{
	const struct side *s = p->now ? &w->now : &w->base;

	return p->caller ? s->group[p->caller_node] : w->n_groups;
}

/* A function that may have been inlined (sign -1) or split off (+1). */
static bool may_move(const struct pair *p, int sign)
{
	const struct explanation_function *f = p->base ? p->base : p->now;

	return (sign < 0 ? is_gone(p) : is_new(p)) && f->insns >= SMALL &&
	       !is_thunk(f->name);
}

/*
 * Marks the pairs that go together: `first` (w->n: every callee of `group`), and what it
 * calls, if that may have moved, too. Returns the sum of their changes.
 */
static long long mark(const struct work *w, size_t group, size_t first, int sign,
		      bool *marked)
{
	long long sum = 0;
	bool more = true;
	size_t i;

	memset(marked, 0, w->n * sizeof(*marked));
	if (first < w->n)
		marked[first] = true;
	for (i = 0; first == w->n && i < w->n; i++)
		marked[i] = may_move(&w->pairs[i], sign) &&
			    caller_group(w, &w->pairs[i]) == group;
	while (more) {
		more = false;
		for (i = 0; i < w->n; i++) {
			size_t caller = caller_group(w, &w->pairs[i]);

			if (marked[i] || !may_move(&w->pairs[i], sign) ||
			    caller >= w->n || !marked[caller])
				continue;
			marked[i] = more = true;
		}
	}
	for (i = 0; i < w->n; i++)
		sum += marked[i] ? change_of_pair(&w->pairs[i]) : 0;
	return sum;
}

struct guess {
	size_t group;
	double off; /* what does not cancel out, as a share; > NEAR_SHARE: no guess */
	bool *marked;
	int sign;
};

/* Keeps the set of functions if it cancels the change of the group best so far. */
static void consider(const struct work *w, size_t group, int sign, const bool *marked,
		     long long sum, struct guess *best)
{
	long long change = change_of_group(w, group), less;
	double off;

	if (!sum || !change || (sum < 0) == (change < 0))
		return;
	less = llabs(sum) < llabs(change) ? llabs(sum) : llabs(change);
	off = (double)llabs(sum + change) / (double)less;
	if (off > NEAR_SHARE || off >= best->off)
		return;
	best->group = group;
	best->off = off;
	best->sign = sign;
	memcpy(best->marked, marked, w->n * sizeof(*marked));
}

/*
 * Whether a function may have been inlined into this one, or split off it: both are
 * compiled together, so they are of one module. Every function calls thunks, and returns
 * through them.
 */
static bool takes_in(const struct pair *caller, const struct pair *p)
{
	const struct explanation_function *f = p->base ? p->base : p->now;

	return caller->base && caller->now && !is_thunk(caller->now->name) &&
	       same_text(caller->now->module, f->module);
}

/* Finds a function whose caller changed by its size. False: none. */
static bool move_one(struct work *w)
{
	bool *marked = allocate(w->n, sizeof(*marked));
	struct guess best = { .off = 2 * NEAR_SHARE,
			      .marked = allocate(w->n, sizeof(*marked)) };
	bool found;

	for (size_t i = 0; i < w->n; i++)
		for (int sign = -1; sign <= 1; sign += 2) {
			size_t group = caller_group(w, &w->pairs[i]);
			const struct pair *caller;

			if (!may_move(&w->pairs[i], sign) || group >= w->n)
				continue;
			caller = &w->pairs[group];
			if (!takes_in(caller, &w->pairs[i]))
				continue;
			/* Alone, with what it calls, and with its siblings. */
			memset(marked, 0, w->n * sizeof(*marked));
			marked[i] = true;
			consider(w, group, sign, marked, change_of_pair(&w->pairs[i]),
				 &best);
			consider(w, group, sign, marked, mark(w, group, i, sign, marked),
				 &best);
			consider(w, group, sign, marked,
				 mark(w, group, w->n, sign, marked), &best);
		}
	found = best.off <= NEAR_SHARE;
	for (size_t i = 0; found && i < w->n; i++)
		if (best.marked[i]) {
			w->pairs[i].kind = best.sign < 0 ? INLINED : SPLIT;
			move_group(w, i, best.group);
		}
	free(best.marked);
	free(marked);
	return found;
}

/* ------------------------------ changes ------------------------------ */

/* "vcpu_run (157) seems inlined": the parts of a group; sizes are no proof. */
static void print_parts(FILE *f, const struct work *w, size_t group, const char **sep)
{
	static const struct {
		enum kind kind;
		const char *word;
	} words[] = { { INLINED, "seems inlined" }, { SPLIT, "seems split off" } };

	for (size_t k = 0; k < 2; k++) {
		bool any = false;

		for (size_t i = 0; i < w->n; i++) {
			const struct pair *p = &w->pairs[i];
			const struct explanation_function *fn =
				p->base ? p->base : p->now;

			if (p->group != group || p->kind != words[k].kind)
				continue;
			fprintf(f, "%s%s (%llu)", any ? ", " : *sep, fn->name,
				(unsigned long long)fn->insns);
			any = true;
			*sep = "; ";
		}
		if (any)
			fprintf(f, " %s", words[k].word);
	}
}

static char *how(const struct work *w, size_t group)
{
	const struct pair *p = &w->pairs[group];
	const char *sep = "";
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	if (!p->base) {
		fprintf(f, "new%s%s", p->caller ? ", called by " : "",
			p->caller ? p->caller : "");
		sep = "; ";
	} else if (!p->now) {
		fprintf(f, "gone%s%s", p->caller ? ", was called by " : "",
			p->caller ? p->caller : "");
		sep = "; ";
	} else if (strcmp(p->base->name, p->now->name) != 0) {
		fprintf(f, "was %s", p->base->name);
		if (p->evidence)
			fprintf(f, " (%s)", p->evidence);
		sep = "; ";
	}
	print_parts(f, w, group, &sep);
	if (fclose(f))
		abort();
	if (!*text) {
		free(text);
		text = NULL;
	}
	return text;
}

static int by_change(const void *a, const void *b)
{
	const struct explain_change *x = a, *y = b;
	long long dx = llabs(x->change), dy = llabs(y->change);

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	if (x->change != y->change)
		return (x->change < y->change) - (x->change > y->change);
	return strcmp(x->name, y->name);
}

static size_t collect(const struct work *w, struct explain_change **out)
{
	struct explain_change *list = allocate(w->n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct pair *p = &w->pairs[i];
		const struct explanation_function *f = p->now ? p->now : p->base;
		struct explain_change *c;

		if (p->kind == DEAD || p->group != i)
			continue;
		c = &list[n++];
		c->name = f->name;
		c->layer = f->layer;
		for (size_t k = 0; k < w->n; k++) {
			const struct pair *part = &w->pairs[k];

			if (part->group != i || part->kind == DEAD)
				continue;
			c->paired |= part->kind != NAMED;
			c->base += part->base ? part->base->insns : 0;
			c->now += part->now ? part->now->insns : 0;
		}
		c->change = (long long)c->now - (long long)c->base;
		c->how = how(w, i);
	}
	qsort(list, n, sizeof(*list), by_change);
	*out = list;
	return n;
}

size_t explain_changes(const struct explanation *base, const struct explanation *now,
		       struct explain_change **out)
{
	struct work w = { .pairs = NULL };
	size_t n;

	side_open(&w.base, base);
	side_open(&w.now, now);
	pair_by_name(&w);
	group_functions(&w);
	/* Sizes alone come last: a function that was inlined must not become a rename. */
	do {
		while (rename_all(&w, BY_NAME))
			;
	} while (move_one(&w));
	while (rename_all(&w, BY_SIZE))
		;
	n = collect(&w, out);
	free(w.pairs);
	side_close(&w.base);
	side_close(&w.now);
	return n;
}

void explain_changes_free(struct explain_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(changes[i].how);
	free(changes);
}
