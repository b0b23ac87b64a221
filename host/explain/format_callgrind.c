/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Callgrind's profile format (valgrind's manual, "Callgrind Format Specification"). A
 * function's file is its module or space: the viewers name functions by file and name,
 * and the VMM and KVM both have a vcpu_run. There are no lines of source: all costs are
 * at line 0.
 */
#include <stdlib.h>

#include "host/explain/formats.h"

struct edge {
	size_t caller, callee;
	uint64_t calls, costs[FORMAT_COSTS];
};

struct graph {
	struct format_functions functions;
	uint64_t (*own)[FORMAT_COSTS]; /* per function */
	struct edge *edges;
	size_t n_edges, n_costs;
};

static struct edge *edge_of(struct graph *g, size_t caller, size_t callee)
{
	struct edge *edge = g->edges;

	while (edge < g->edges + g->n_edges &&
	       (edge->caller != caller || edge->callee != callee))
		edge++;
	if (edge == g->edges + g->n_edges) {
		*edge = (struct edge){ .caller = caller, .callee = callee };
		g->n_edges++;
	}
	return edge;
}

/* In a recursion, a stack has a call several times: its costs count once. */
static bool is_first(const size_t *path, size_t k)
{
	for (size_t i = 1; i < k; i++)
		if (path[i - 1] == path[k - 1] && path[i] == path[k])
			return false;
	return true;
}

static void add_stack(struct graph *g, const struct explanation_stack *s,
		      const size_t *path)
{
	uint64_t costs[FORMAT_COSTS];

	if (!s->n_frames)
		return;
	format_costs_get(s, g->n_costs, costs);
	for (size_t c = 0; c < g->n_costs; c++)
		g->own[path[s->n_frames - 1]][c] += costs[c];
	for (size_t k = 1; k < s->n_frames; k++) {
		struct edge *edge = edge_of(g, path[k - 1], path[k]);

		if (k == s->n_frames - 1)
			edge->calls += s->calls ? s->calls : 1;
		for (size_t c = 0; is_first(path, k) && c < g->n_costs; c++)
			edge->costs[c] += costs[c];
	}
}

static void print_costs(FILE *f, const uint64_t *costs, size_t n)
{
	fputs("0", f);
	for (size_t c = 0; c < n; c++)
		fprintf(f, " %llu", (unsigned long long)costs[c]);
	fputc('\n', f);
}

static void print_head(FILE *f, const struct graph *g, const struct explanation *e)
{
	char *title = format_title(e);
	uint64_t sum[FORMAT_COSTS] = { 0 };

	fprintf(f,
		"# callgrind format\n"
		"version: 1\n"
		"creator: worldswitch %s\n"
		"cmd: %s\n"
		"part: 1\n"
		"desc: Unit: instructions of one event, not time\n",
		e->run.tool_version, title);
	free(title);
	if (e->clock_insns)
		fprintf(f, "desc: Clock: %llu of the instructions read the clock\n",
			(unsigned long long)e->clock_insns);
	fputs("positions: line\n", f);
	for (size_t c = 0; c < g->n_costs; c++)
		fprintf(f, "event: %s : %s\n", format_costs[c].name,
			format_costs[c].title);
	fputs("events:", f);
	for (size_t c = 0; c < g->n_costs; c++)
		fprintf(f, " %s", format_costs[c].name);
	for (size_t i = 0; i < g->functions.n; i++)
		for (size_t c = 0; c < g->n_costs; c++)
			sum[c] += g->own[i][c];
	fputs("\nsummary:", f);
	for (size_t c = 0; c < g->n_costs; c++)
		fprintf(f, " %llu", (unsigned long long)sum[c]);
	fputs("\n", f);
}

/* Each name is on a line: control characters are replaced. */
static void print_name(FILE *f, const char *name)
{
	for (; *name; name++)
		putc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name, f);
	putc('\n', f);
}

static void print_place(FILE *f, const char *object, const char *file,
			const char *function, const struct graph *g, size_t i)
{
	const struct explanation_frame *frame = &g->functions.list[i];

	fputs(object, f);
	print_name(f, format_object(frame));
	fputs(file, f);
	print_name(f, format_object(frame));
	fprintf(f, "%s(%zu) ", function, i + 1);
	print_name(f, frame->name);
}

static void print_function(FILE *f, const struct graph *g, size_t i)
{
	putc('\n', f);
	print_place(f, "ob=", "fl=", "fn=", g, i);
	print_costs(f, g->own[i], g->n_costs);
	for (size_t k = 0; k < g->n_edges; k++) {
		const struct edge *edge = &g->edges[k];

		if (edge->caller != i)
			continue;
		/* A call from before the event is known by what it calls alone. */
		print_place(f, "cob=", "cfi=", "cfn=", g, edge->callee);
		fprintf(f, "calls=%llu 0\n",
			(unsigned long long)(edge->calls ? edge->calls : 1));
		print_costs(f, edge->costs, g->n_costs);
	}
}

int format_callgrind(FILE *f, const struct explanation *e)
{
	struct graph g = { .n_costs = format_costs_of(e) };
	size_t frames = 0;

	for (size_t i = 0; i < e->n_stacks; i++)
		frames += e->stacks[i].n_frames;
	format_functions(&g.functions, e);
	g.own = calloc(g.functions.n + 1, sizeof(*g.own));
	g.edges = calloc(frames + 1, sizeof(*g.edges));
	if (!g.own || !g.edges)
		abort();
	for (size_t i = 0; i < e->n_stacks; i++)
		add_stack(&g, &e->stacks[i], g.functions.of[i]);
	print_head(f, &g, e);
	for (size_t i = 0; i < g.functions.n; i++)
		print_function(f, &g, i);
	free(g.own);
	free(g.edges);
	format_functions_free(&g.functions, e);
	return 0;
}
