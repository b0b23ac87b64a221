/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Callgrind's profile format (valgrind's manual, "Callgrind Format Specification"). The
 * viewers name functions by file and name, and the VMM and KVM both have a vcpu_run. With
 * lines of source, costs are at the lines of the instructions, also of inlined ones
 * ("fi="), and a call is at the line of the caller. Without, a function's file is its
 * module or space, and all costs are at line 0.
 */
#include <stdlib.h>
#include <string.h>

#include "host/explain/formats.h"

struct edge {
	size_t caller, callee;
	int64_t site; /* the location of the call; -1: unknown */
	uint64_t calls, costs[FORMAT_COSTS];
};

struct graph {
	struct format_functions functions;
	const struct explanation *e;
	bool lines;
	uint64_t (*own)[FORMAT_COSTS]; /* per function */
	uint64_t (*at)[FORMAT_COSTS];  /* per location; all 0 without lines */
	size_t *function_at;	       /* number + 1, per location */
	struct edge *edges;
	size_t n_edges, n_costs;
};

static struct edge *edge_of(struct graph *g, size_t caller, size_t callee, int64_t site)
{
	struct edge *edge = g->edges;

	while (edge < g->edges + g->n_edges &&
	       (edge->caller != caller || edge->callee != callee || edge->site != site))
		edge++;
	if (edge == g->edges + g->n_edges) {
		*edge = (struct edge){ .caller = caller, .callee = callee, .site = site };
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

/* The instructions of a stack at their locations, which are in its last function. */
static void add_lines(struct graph *g, const struct explanation_stack *s,
		      const size_t *path)
{
	uint64_t costs[FORMAT_COSTS];

	for (size_t i = 0; i < s->n_instructions; i++) {
		const struct explanation_insn *insn = &s->instructions[i];

		format_costs_get(insn->insns, &insn->kinds, g->n_costs, costs);
		g->function_at[insn->location] = path[s->n_frames - 1] + 1;
		for (size_t c = 0; c < g->n_costs; c++)
			g->at[insn->location][c] += costs[c];
	}
	for (size_t k = 0; k < s->n_sites; k++)
		if (s->sites[k].location >= 0)
			g->function_at[s->sites[k].location] = path[k] + 1;
}

static void add_stack(struct graph *g, const struct explanation_stack *s,
		      const size_t *path)
{
	const bool sites = g->lines && s->n_sites;
	uint64_t costs[FORMAT_COSTS];

	if (!s->n_frames)
		return;
	if (g->lines)
		add_lines(g, s, path);
	format_costs_get(s->insns, &s->kinds, g->n_costs, costs);
	for (size_t c = 0; c < g->n_costs; c++)
		g->own[path[s->n_frames - 1]][c] += costs[c];
	for (size_t k = 1; k < s->n_frames; k++) {
		struct edge *edge = edge_of(g, path[k - 1], path[k],
					    sites ? s->sites[k - 1].location : -1);

		if (k == s->n_frames - 1)
			edge->calls += s->calls ? s->calls : 1;
		for (size_t c = 0; is_first(path, k) && c < g->n_costs; c++)
			edge->costs[c] += costs[c];
	}
}

static void print_costs(FILE *f, uint64_t line, const uint64_t *costs, size_t n)
{
	fprintf(f, "%llu", (unsigned long long)line);
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

/* The file of a function: that of its first instruction with a line, or its object. */
static const char *file_of(const struct graph *g, size_t function)
{
	for (size_t i = 0; g->lines && i < g->e->n_locations; i++) {
		const struct explanation_location *l = &g->e->locations[i];

		if (g->function_at[i] == function + 1 && l->n_sources &&
		    l->sources[0].file)
			return l->sources[0].file;
	}
	return format_object(&g->functions.list[function]);
}

static void print_place(FILE *f, const char *object, const char *file,
			const char *function, const struct graph *g, size_t i)
{
	const struct explanation_frame *frame = &g->functions.list[i];

	fputs(object, f);
	print_name(f, format_object(frame));
	fputs(file, f);
	print_name(f, file_of(g, i));
	fprintf(f, "%s(%zu) ", function, i + 1);
	print_name(f, frame->name);
}

/*
 * Returns the line of a location, and selects its file: "fi=" in the file of inlined
 * code, "fe=" back in the file of the function.
 */
static uint64_t select_line(FILE *f, const struct graph *g, int64_t location,
			    const char *home, const char **file)
{
	const struct explanation_location *l =
		location < 0 ? NULL : &g->e->locations[location];
	const struct explanation_source *s =
		l && l->n_sources ? &l->sources[l->n_sources - 1] : NULL;
	const char *wanted = s && s->file ? s->file : home;

	if (strcmp(wanted, *file) != 0) {
		fputs(strcmp(wanted, home) != 0 ? "fi=" : "fe=", f);
		print_name(f, wanted);
		*file = wanted;
	}
	return s && s->file ? s->line : 0;
}

static bool is_zero(const uint64_t *costs, size_t n)
{
	for (size_t c = 0; c < n; c++)
		if (costs[c])
			return false;
	return true;
}

static void print_function(FILE *f, const struct graph *g, size_t i)
{
	const char *home = file_of(g, i), *file = home;

	putc('\n', f);
	print_place(f, "ob=", "fl=", "fn=", g, i);
	if (!g->lines)
		print_costs(f, 0, g->own[i], g->n_costs);
	for (size_t k = 0; g->lines && k < g->e->n_locations; k++)
		if (g->function_at[k] == i + 1 && !is_zero(g->at[k], g->n_costs))
			print_costs(f, select_line(f, g, (int64_t)k, home, &file),
				    g->at[k], g->n_costs);
	for (size_t k = 0; k < g->n_edges; k++) {
		const struct edge *edge = &g->edges[k];
		uint64_t line;

		if (edge->caller != i)
			continue;
		line = select_line(f, g, edge->site, home, &file);
		/* A call from before the event is known by what it calls alone. */
		print_place(f, "cob=", "cfi=", "cfn=", g, edge->callee);
		fprintf(f, "calls=%llu 0\n",
			(unsigned long long)(edge->calls ? edge->calls : 1));
		print_costs(f, line, edge->costs, g->n_costs);
	}
}

int format_callgrind(FILE *f, const struct explanation *e)
{
	struct graph g = {
		.n_costs = format_costs_of(e),
		.e = e,
		.lines = explanation_has_lines(e),
	};
	size_t frames = 0;

	for (size_t i = 0; i < e->n_stacks; i++)
		frames += e->stacks[i].n_frames;
	format_functions(&g.functions, e);
	g.own = calloc(g.functions.n + 1, sizeof(*g.own));
	g.edges = calloc(frames + 1, sizeof(*g.edges));
	g.at = calloc(e->n_locations + 1, sizeof(*g.at));
	g.function_at = calloc(e->n_locations + 1, sizeof(*g.function_at));
	if (!g.own || !g.edges || !g.at || !g.function_at)
		abort();
	for (size_t i = 0; i < e->n_stacks; i++)
		add_stack(&g, &e->stacks[i], g.functions.of[i]);
	print_head(f, &g, e);
	for (size_t i = 0; i < g.functions.n; i++)
		print_function(f, &g, i);
	free(g.own);
	free(g.at);
	free(g.function_at);
	free(g.edges);
	format_functions_free(&g.functions, e);
	return 0;
}
