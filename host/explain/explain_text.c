/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of an explanation, and of the difference of two. */
#include "host/explain/explain_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/pair.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

static double percent(const struct explanation *e, double insns)
{
	return e->total ? 100 * insns / (double)e->total : 0;
}

/* Prints and frees a table. */
static void explain_print_table(FILE *f, struct table *t, const struct table_options *o)
{
	if (o)
		table_print(f, t, o);
	else
		table_markdown(f, t, 0, t->n_rows);
	table_free(t);
}

/* A paragraph that begins with `head`. */
static void print_text(FILE *f, const char *head, const char *text,
		       const struct table_options *o)
{
	fputs(head, f);
	if (o) {
		text_wrap(f, text, strlen(head), 2, table_text_columns(o));
		return;
	}
	table_markdown_text(f, text);
	fputc('\n', f);
}

static void print_heading(FILE *f, const struct explanation *e,
			  const struct table_options *o)
{
	bool config = strcmp(e->config, "default") != 0;
	char total[NUMBER_BYTES], *text;

	number_format(total, (double)e->total, true);
	if (asprintf(
		    &text,
		    "%s%s%s%s on %s: %s instructions, from before the operation to after it",
		    e->benchmark, config ? " [" : "", config ? e->config : "",
		    config ? "]" : "", e->target.name, total) < 0)
		abort();
	print_text(f, o ? "" : "### ", text, o);
	free(text);
	fputs(o ? "" : "\n", f);
	text_print(f, "Linux %s, %s", e->subject.kernel ? e->subject.kernel : "?",
		   e->target.hypervisor ? e->target.hypervisor : "?");
	fputs("\n\n", f);
}

static void add_row(struct table *t, const char *name, double insns, double share)
{
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", name);
	table_number(t, 1, insns, true, false);
	table_cell(t, 2, "%.1f %%", share);
}

static void print_layers(FILE *f, const struct explanation *e,
			 const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "layer", TABLE_KEY, 0, NULL },
		{ "insns", TABLE_RIGHT, 0, NULL },
		{ "share", TABLE_RIGHT, 0, NULL },
	};
	struct explain_layer *layers;
	size_t n = explain_layers(e, &layers);
	struct table t;

	table_init(&t, columns, 3);
	for (size_t i = 0; i < n; i++)
		add_row(&t, layers[i].name, (double)layers[i].insns,
			percent(e, (double)layers[i].insns));
	explain_print_table(f, &t, o);
	fputc('\n', f);
	free(layers);
}

/* In a lab with L1: what L0 executes, and for which traps. */
static void print_traps(FILE *f, const struct explanation *e,
			const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "trap to L0", TABLE_KEY, 0, NULL },
		{ "insns", TABLE_RIGHT, 0, NULL },
		{ "share", TABLE_RIGHT, 0, NULL },
		{ "times", TABLE_RIGHT, 0, NULL },
		{ "in", 0, 1, NULL },
	};
	uint64_t sum = 0, times = 0;
	struct table t;

	if (!e->n_traps)
		return;
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < e->n_traps; i++) {
		const struct explanation_trap *trap = &e->traps[i];

		add_row(&t, trap->by, (double)trap->insns,
			percent(e, (double)trap->insns));
		table_number(&t, 3, (double)trap->times, true, false);
		table_cell(&t, 4, "%s", trap->name);
		sum += trap->insns;
		times += trap->times;
	}
	add_row(&t, "all", (double)sum, percent(e, (double)sum));
	table_number(&t, 3, (double)times, true, false);
	explain_print_table(f, &t, o);
	fputc('\n', f);
}

void explain_print_functions(FILE *f, const struct explanation *e,
			     const struct table_options *o, size_t top)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL },
		{ "insns", TABLE_RIGHT, 0, NULL },
		{ "share", TABLE_RIGHT, 0, NULL },
		{ "running", TABLE_RIGHT, 1, NULL },
		{ "layer", 0, 2, NULL },
	};
	size_t shown = top < e->n_functions ? top : e->n_functions;
	struct table t;
	double sum = 0, rest = 0;

	print_heading(f, e, o);
	print_layers(f, e, o);
	print_traps(f, e, o);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < shown; i++) {
		const struct explanation_function *fn = &e->functions[i];

		sum += (double)fn->insns;
		add_row(&t, fn->name, (double)fn->insns, percent(e, (double)fn->insns));
		table_cell(&t, 3, "%.1f %%", percent(e, sum));
		table_cell(&t, 4, "%s", fn->layer);
	}
	for (size_t i = shown; i < e->n_functions; i++)
		rest += (double)e->functions[i].insns;
	if (shown < e->n_functions) {
		char name[32];

		snprintf(name, sizeof(name), "%zu more", e->n_functions - shown);
		sum += rest;
		add_row(&t, name, rest, percent(e, rest));
		table_cell(&t, 3, "%.1f %%", percent(e, sum));
	}
	if (e->clock_insns) {
		double cost = -(double)e->clock_insns;

		add_row(&t, "less the cost of reading the clock", cost, percent(e, cost));
		table_cell(&t, 3, "%.1f %%", percent(e, sum + cost));
	}
	explain_print_table(f, &t, o);
	for (size_t i = 0; i < e->n_warnings; i++) {
		fputc('\n', f);
		print_text(f, "note: ", e->warnings[i].message, o);
	}
}

static void add_nodes(struct table *t, const struct explain_node *nodes, size_t node,
		      double whole)
{
	for (; node; node = nodes[node].next) {
		const struct explain_node *n = &nodes[node];

		table_row(t, TABLE_PLAIN);
		table_number(t, 0, (double)n->total, true, false);
		table_cell(t, 1, "%.1f %%",
			   whole > 0 ? 100 * (double)n->total / whole : 0);
		table_number(t, 2, (double)n->self, true, false);
		table_cell(t, 3, "%*s%s", 2 * (int)(n->depth - 1), "", n->name);
		add_nodes(t, nodes, n->child, whole);
	}
}

void explain_print_tree(FILE *f, const struct explanation *e,
			const struct table_options *o)
{
	/* Keys: a call tree is not split, however deep it is. */
	static const struct table_column columns[] = {
		{ "total", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "share", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "self", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "function", TABLE_KEY, 0, NULL },
	};
	struct explain_node *nodes;
	struct table t;

	explain_tree(e, false, &nodes);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	add_nodes(&t, nodes, nodes[0].child, (double)e->total);
	if (e->clock_insns) {
		table_row(&t, TABLE_PLAIN);
		table_number(&t, 0, -(double)e->clock_insns, true, false);
		table_cell(&t, 3, "less the cost of reading the clock");
	}
	table_print(f, &t, o);
	table_free(&t);
	free(nodes);
}

static void add_kinds(struct table *t, const char *name, uint64_t insns,
		      const struct explanation_kinds *k)
{
	const int64_t counts[] = {
		(int64_t)insns,
		k->sysreg_reads,
		k->sysreg_writes,
		k->barriers,
		k->tlb_maintenance + k->cache_maintenance + k->vm_insns,
		k->loads + k->stores,
		k->branches_taken,
		k->code_lines,
		k->data_lines,
	};

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", name);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		table_cell(t, 1 + i, "%lld", (long long)counts[i]);
}

/* "hcr_el2 1r 1w, vttbr_el2 1w" */
static void add_registers(struct table *t, size_t column,
			  const struct explanation_function *fn)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (size_t i = 0; i < fn->n_registers; i++) {
		const struct explanation_register *r = &fn->registers[i];

		fprintf(f, "%s%s", i ? ", " : "", r->name);
		if (r->reads)
			fprintf(f, " %llur", (unsigned long long)r->reads);
		if (r->writes)
			fprintf(f, " %lluw", (unsigned long long)r->writes);
	}
	if (fclose(f))
		abort();
	table_cell(t, column, "%s", text);
	free(text);
}

/* Instructions that cost more on hardware than their number says. */
static bool is_expensive(const struct explanation_kinds *k)
{
	return k->sysreg_reads + k->sysreg_writes + k->barriers + k->tlb_maintenance +
		       k->cache_maintenance + k->vm_insns >
	       0;
}

void explain_print_kinds(FILE *f, const struct explanation *e,
			 const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL },   { "insns", TABLE_RIGHT, 0, NULL },
		{ "sysrd", TABLE_RIGHT, 0, NULL },    { "syswr", TABLE_RIGHT, 0, NULL },
		{ "barr", TABLE_RIGHT, 0, NULL },     { "maint", TABLE_RIGHT, 0, NULL },
		{ "mem", TABLE_RIGHT, 4, NULL },      { "taken", TABLE_RIGHT, 3, NULL },
		{ "code", TABLE_RIGHT, 1, NULL },     { "data", TABLE_RIGHT, 2, NULL },
		{ "registers", TABLE_WRAP, 0, NULL },
	};
	const size_t registers = sizeof(columns) / sizeof(columns[0]) - 1;
	struct table t;

	table_init(&t, columns, registers + 1);
	for (size_t i = 0; i < e->n_functions; i++) {
		const struct explanation_function *fn = &e->functions[i];

		if (!is_expensive(&fn->kinds))
			continue;
		add_kinds(&t, fn->name, fn->insns, &fn->kinds);
		add_registers(&t, registers, fn);
	}
	add_kinds(&t, "all functions, also those not shown", e->total + e->clock_insns,
		  &e->kinds);
	fputc('\n', f);
	explain_print_table(f, &t, o);
	print_text(f, o ? "" : "\n",
		   "sysrd, syswr: system registers read and written; barr: barriers; "
		   "maint: TLB and "
		   "cache maintenance, and instructions of the virtualization extension; "
		   "mem: loads "
		   "and stores; taken: taken branches; code, data: distinct 64-byte "
		   "lines. Functions "
		   "without any of the first four are not shown.",
		   o);
}

void explain_print_kinds_diff(FILE *f, const struct explanation *base,
			      const struct explanation *e, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "kind of instruction", TABLE_KEY, 0, NULL },
		{ "base", TABLE_RIGHT, 0, NULL },
		{ "now", TABLE_RIGHT, 0, NULL },
		{ "change", TABLE_RIGHT, 0, NULL },
	};
	const struct explanation_kinds *a = &base->kinds, *b = &e->kinds;
	const struct {
		const char *name;
		int64_t base, now;
	} rows[] = {
		{ "system registers read", a->sysreg_reads, b->sysreg_reads },
		{ "system registers written", a->sysreg_writes, b->sysreg_writes },
		{ "barriers", a->barriers, b->barriers },
		{ "TLB maintenance", a->tlb_maintenance, b->tlb_maintenance },
		{ "cache maintenance", a->cache_maintenance, b->cache_maintenance },
		{ "of the virtualization extension", a->vm_insns, b->vm_insns },
		{ "loads", a->loads, b->loads },
		{ "stores", a->stores, b->stores },
		{ "branches taken", a->branches_taken, b->branches_taken },
		{ "lines of code, 64 bytes", a->code_lines, b->code_lines },
		{ "lines of data, 64 bytes", a->data_lines, b->data_lines },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", rows[i].name);
		table_cell(&t, 1, "%lld", (long long)rows[i].base);
		table_cell(&t, 2, "%lld", (long long)rows[i].now);
		table_cell(&t, 3, "%+lld", (long long)(rows[i].now - rows[i].base));
	}
	fputc('\n', f);
	explain_print_table(f, &t, o);
}

/* The separator of the format and control characters are replaced. */
static void print_frame(FILE *f, const char *separator, const char *name)
{
	unsigned int unsafe;
	size_t n;

	fputs(separator, f);
	for (; *name; name += n) {
		n = text_char(name, &unsafe);
		if (unsafe != TEXT_SAFE || *name == ';')
			putc('?', f);
		else
			fwrite(name, 1, n, f);
	}
}

/* `path`: the names of the nodes above. */
static void print_stacks(FILE *f, const struct explain_node *nodes, size_t node,
			 const char **path, size_t depth)
{
	for (; node; node = nodes[node].next) {
		path[depth] = nodes[node].name;
		for (size_t k = 0; nodes[node].self && k <= depth; k++)
			print_frame(f, k ? ";" : "", path[k]);
		if (nodes[node].self)
			fprintf(f, " %llu\n", (unsigned long long)nodes[node].self);
		print_stacks(f, nodes, nodes[node].child, path, depth + 1);
	}
}

static void print_folded_lines(FILE *f, const struct explanation *e)
{
	struct explain_node *nodes;
	size_t n = explain_tree(e, true, &nodes);
	const char **path = calloc(n + 1, sizeof(*path));

	if (!path)
		abort();
	print_stacks(f, nodes, nodes[0].child, path, 0);
	free(path);
	free(nodes);
}

void explain_print_folded(FILE *f, const struct explanation *e)
{
	if (explanation_has_lines(e)) {
		print_folded_lines(f, e);
		return;
	}
	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		for (size_t k = 0; k < s->n_frames; k++)
			print_frame(f, k ? ";" : "", s->frames[k]);
		fprintf(f, " %llu\n", (unsigned long long)s->insns);
	}
}

/* ------------------------------ differences ------------------------------ */

static void add_change(struct table *t, const char *name, long long base, long long now)
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
	add_change(t, name, base, now);
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
			add_change(t, list[i].name, list[i].base, list[i].now);
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
			add_change(t, c->name, (long long)c->base, (long long)c->now);
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
		add_change(t, "less the cost of reading the clock",
			   -(long long)base->clock_insns, -(long long)e->clock_insns);
	add_change(t, "total", (long long)base->total, (long long)e->total);
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
