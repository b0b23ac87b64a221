/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call tree as text, and the kinds of instructions. */
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/explain/explain_tree.h"
#include "host/lib/number.h"

static void print_node(const struct explain_text *t, const struct explain_node *nodes,
		       size_t node, double whole)
{
	for (; node; node = nodes[node].next) {
		const struct explain_node *n = &nodes[node];
		char total[NUMBER_BYTES], self[NUMBER_BYTES];

		number_format(total, (double)n->total, true);
		number_format(self, (double)n->self, true);
		fprintf(t->f, "%9s %6.1f %% %9s  %*s%s\n", total,
			whole > 0 ? 100 * (double)n->total / whole : 0, self,
			2 * (int)(n->depth - 1), "", n->name);
		print_node(t, nodes, n->child, whole);
	}
}

void explain_text_tree(const struct explain_text *t, const struct explanation *e)
{
	struct explain_node *nodes;

	explain_tree(e, &nodes);
	fprintf(t->f, "%9s %8s %9s  %s\n", "with all", "share", "its own", "function");
	print_node(t, nodes, nodes[0].child, (double)e->total);
	if (e->clock_insns)
		fprintf(t->f, "%9lld %8s %9s  %s\n", -(long long)e->clock_insns, "", "",
			"less what reading the clock costs");
	free(nodes);
}

static void print_kinds(const struct explain_text *t, const char *name, uint64_t insns,
			const struct explanation_kinds *k)
{
	fprintf(t->f, "%-36s %7llu %5lld %5lld %5lld %5lld %5lld %5lld %6lld %6lld\n",
		name, (unsigned long long)insns, (long long)k->sysreg_reads,
		(long long)k->sysreg_writes, (long long)k->barriers,
		(long long)k->tlb_maintenance + k->cache_maintenance + k->vm_insns,
		(long long)k->loads + k->stores, (long long)k->branches_taken,
		(long long)k->code_lines, (long long)k->data_lines);
}

/* "hcr_el2 1r 1w, vttbr_el2 1w" below the function they are of. */
static void print_registers(const struct explain_text *t,
			    const struct explanation_function *f)
{
	size_t i;

	for (i = 0; i < f->n_registers; i++) {
		const struct explanation_register *r = &f->registers[i];

		fprintf(t->f, "%s%s", i ? ", " : "    ", r->name);
		if (r->reads)
			fprintf(t->f, " %llur", (unsigned long long)r->reads);
		if (r->writes)
			fprintf(t->f, " %lluw", (unsigned long long)r->writes);
	}
	if (i)
		fputc('\n', t->f);
}

static bool is_dear(const struct explanation_kinds *k)
{
	return k->sysreg_reads + k->sysreg_writes + k->barriers + k->tlb_maintenance +
		       k->cache_maintenance + k->vm_insns >
	       0;
}

void explain_text_kinds(const struct explain_text *t, const struct explanation *e)
{
	size_t i;

	fprintf(t->f, "\n%-36s %7s %5s %5s %5s %5s %5s %5s %6s %6s\n", "function",
		"insns", "sysrd", "syswr", "barr", "maint", "mem", "taken", "code",
		"data");
	for (i = 0; i < e->n_functions; i++) {
		const struct explanation_function *f = &e->functions[i];

		if (!is_dear(&f->kinds))
			continue;
		print_kinds(t, f->name, f->insns, &f->kinds);
		print_registers(t, f);
	}
	print_kinds(t, "all functions, also those not shown", e->total + e->clock_insns,
		    &e->kinds);
	fputs("sysrd, syswr: system registers read and written; barr: barriers; maint: "
	      "TLB "
	      "and cache\nmaintenance, and instructions of the virtualization itself; "
	      "mem: "
	      "loads and stores; taken:\nbranches; code, data: different lines of 64 "
	      "bytes. Functions without any of the first\nfour are not shown.\n",
	      t->f);
}

void explain_text_kinds_diff(const struct explain_text *t, const struct explanation *base,
			     const struct explanation *e)
{
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
		{ "of the virtualization itself", a->vm_insns, b->vm_insns },
		{ "loads", a->loads, b->loads },
		{ "stores", a->stores, b->stores },
		{ "branches taken", a->branches_taken, b->branches_taken },
		{ "lines of code, 64 bytes", a->code_lines, b->code_lines },
		{ "lines of data, 64 bytes", a->data_lines, b->data_lines },
	};

	fprintf(t->f, "\n%-36s %9s %9s %9s\n", "kind of instruction", "base", "now",
		"change");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(t->f, "%-36s %9lld %9lld %+9lld\n", rows[i].name,
			(long long)rows[i].base, (long long)rows[i].now,
			(long long)(rows[i].now - rows[i].base));
}
