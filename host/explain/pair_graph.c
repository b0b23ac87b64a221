/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and call graphs of two explanations, functions paired by name, and groups of
 * pairs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/pair.h"

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

bool pair_is_thunk(const char *name)
{
	return strstr(name, "thunk") || strstr(name, "safe_ret");
}

/* ------------------------------ call graphs ------------------------------ */

void *pair_allocate(size_t n, size_t bytes)
{
	void *memory = calloc(n + 1, bytes);

	if (!memory)
		abort();
	return memory;
}

bool pair_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* FNV-1a: compares most names that differ by one number. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619u;
	return hash;
}

/* The node of a frame: the first that can be its function; s->n: none. */
static size_t node_of(const struct pair_side *s, const uint32_t *hashes,
		      const struct explanation_frame *frame, uint32_t hash)
{
	size_t i = 0;

	while (i < s->n &&
	       !(hashes[i] == hash && explanation_frame_is(&s->nodes[i], frame)))
		i++;
	return i;
}

static void add_node(struct pair_side *s, uint32_t *hashes, struct explanation_frame f,
		     uint32_t hash)
{
	size_t first = 0;

	while (first < s->n &&
	       !(hashes[first] == hash && !strcmp(s->nodes[first].name, f.name)))
		first++;
	s->named[s->n] = first;
	hashes[s->n] = hash;
	s->nodes[s->n++] = f;
}

void pair_side_open(struct pair_side *s, const struct explanation *e)
{
	size_t n_frames = 0, at = 0, i, k;
	uint32_t *hashes;

	for (i = 0; i < e->n_stacks; i++)
		n_frames += e->stacks[i].n_frames;
	*s = (struct pair_side){
		.e = e,
		.nodes = pair_allocate(e->n_functions + n_frames, sizeof(*s->nodes)),
		.named = pair_allocate(e->n_functions + n_frames, sizeof(*s->named)),
		.stacks = pair_allocate(n_frames, sizeof(*s->stacks)),
	};
	hashes = pair_allocate(e->n_functions + n_frames, sizeof(*hashes));
	for (i = 0; i < e->n_functions; i++)
		add_node(s, hashes, explanation_frame_of(&e->functions[i]),
			 hash_of(e->functions[i].name));
	for (i = 0; i < e->n_stacks; i++)
		for (k = 0; k < e->stacks[i].n_frames; k++) {
			struct explanation_frame f = explanation_frame(&e->stacks[i], k);
			uint32_t hash = hash_of(f.name);
			size_t node = node_of(s, hashes, &f, hash);

			if (node == s->n)
				add_node(s, hashes, f, hash);
			s->stacks[at++] = node;
		}
	free(hashes);
	s->group = pair_allocate(s->n, sizeof(*s->group));
	s->calls = pair_allocate(s->n * s->n, sizeof(*s->calls));
	for (i = 0, at = 0; i < e->n_stacks; at += e->stacks[i++].n_frames)
		for (k = 1; k < e->stacks[i].n_frames; k++)
			s->calls[s->stacks[at + k - 1] * s->n + s->stacks[at + k]] = true;
}

void pair_side_close(struct pair_side *s)
{
	free(s->nodes);
	free(s->group);
	free(s->named);
	free(s->calls);
	free(s->stacks);
}

size_t pair_function_node(const struct pair_side *s, const struct explanation_function *f)
{
	return (size_t)(f - s->e->functions);
}

/* The caller in the stack with most instructions; s->n: the function has no caller. */
static size_t caller_of(const struct pair_side *s, const struct explanation_function *f)
{
	const struct explanation_frame frame = explanation_frame_of(f);
	const size_t name = s->named[pair_function_node(s, f)];
	size_t caller = s->n, at = 0, i, k;
	uint64_t most = 0;

	for (i = 0; i < s->e->n_stacks; at += s->e->stacks[i++].n_frames)
		for (k = 1; k < s->e->stacks[i].n_frames; k++) {
			const struct explanation_stack *stack = &s->e->stacks[i];
			struct explanation_frame callee;

			if (stack->insns < most || s->named[s->stacks[at + k]] != name)
				continue;
			callee = explanation_frame(stack, k);
			if (!explanation_frame_is(&callee, &frame))
				continue;
			most = stack->insns;
			caller = s->stacks[at + k - 1];
		}
	return caller;
}

static bool is_host(const char *space)
{
	return !strcmp(space, "kernel") || !strcmp(space, "hyp");
}

bool pair_same_space(const char *a, const char *b)
{
	return !a || !b || (is_host(a) && is_host(b)) || !strcmp(a, b);
}

/* How closely two functions of different explanations must agree to be one. */
enum by {
	BY_MODULE, /* name and module */
	BY_NAME,   /* the same function, now in another module */
	BY_STEM,   /* a part, or a specialised copy, of the function */
};

static bool is_same(const struct explanation_function *a,
		    const struct explanation_function *b, enum by by)
{
	if (!pair_same_space(a->space, b->space))
		return false;
	if (by == BY_STEM)
		return explain_same_name(a->name, b->name);
	return !strcmp(a->name, b->name) &&
	       (by == BY_NAME || pair_same_text(a->module, b->module));
}

/*
 * The closest agreement first: otherwise a part could be matched with the whole function,
 * and a function with that of another module.
 */
static void pair_up_by(struct pair_work *w, bool *taken, enum by by)
{
	const struct explanation *base = w->base.e;
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; !w->pairs[i].base && k < base->n_functions; k++) {
			const struct explanation_function *f = &base->functions[k];

			if (taken[k] || !is_same(f, w->pairs[i].now, by))
				continue;
			w->pairs[i].base = f;
			taken[k] = true;
		}
}

void pair_by_name(struct pair_work *w)
{
	const struct explanation *base = w->base.e, *now = w->now.e;
	bool *taken = pair_allocate(base->n_functions, sizeof(*taken));
	size_t i;

	w->pairs = pair_allocate(base->n_functions + now->n_functions, sizeof(*w->pairs));
	w->n = now->n_functions;
	for (i = 0; i < w->n; i++)
		w->pairs[i].now = &now->functions[i];
	for (enum by by = BY_MODULE; by <= BY_STEM; by++)
		pair_up_by(w, taken, by);
	for (i = 0; i < base->n_functions; i++)
		if (!taken[i])
			w->pairs[w->n++].base = &base->functions[i];
	free(taken);
}

/* The node of the base that is a frame of the new explanation; base->n: none. */
static size_t base_node(const struct pair_side *base, const struct explanation_frame *f)
{
	size_t found = base->n;

	for (size_t i = 0; i < base->n; i++) {
		const struct explanation_frame *node = &base->nodes[i];

		if (!explain_same_name(node->name, f->name) ||
		    !pair_same_space(node->space, f->space))
			continue;
		if (explanation_frame_is(node, f))
			return i;
		if (found == base->n)
			found = i;
	}
	return found;
}

/* The groups of frames without instructions: one group for one function. */
static void group_frames(struct pair_work *w)
{
	struct pair_side *base = &w->base, *now = &w->now;
	size_t i, k;

	for (i = base->e->n_functions; i < base->n; i++)
		base->group[i] = w->n_groups++;
	for (i = now->e->n_functions; i < now->n; i++) {
		k = base_node(base, &now->nodes[i]);
		now->group[i] = k < base->n ? base->group[k] : w->n_groups++;
	}
}

static void find_caller(const struct pair_work *w, struct pair *p)
{
	const struct pair_side *s = p->now ? &w->now : &w->base;

	p->caller_node = caller_of(s, p->now ? p->now : p->base);
	p->caller = p->caller_node < s->n ? s->nodes[p->caller_node].name : NULL;
}

void pair_group_functions(struct pair_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pair *p = &w->pairs[i];

		p->group = i;
		find_caller(w, p);
		if (p->base)
			w->base.group[pair_function_node(&w->base, p->base)] = i;
		if (p->now)
			w->now.group[pair_function_node(&w->now, p->now)] = i;
	}
	w->n_groups = w->n;
	group_frames(w);
}

void pair_move_group(struct pair_work *w, size_t from, size_t to)
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
