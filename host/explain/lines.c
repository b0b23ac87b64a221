/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of a profile, with their lines of source, for the document. */
#include "host/explain/explain.h"

#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"

void explain_kinds(struct explanation_kinds *k, const struct profile_counts *c)
{
	*k = (struct explanation_kinds){
		.sysreg_reads = (int64_t)c->kinds[KIND_SYSREG_READ],
		.sysreg_writes = (int64_t)c->kinds[KIND_SYSREG_WRITE],
		.barriers = (int64_t)c->kinds[KIND_BARRIER],
		.tlb_maintenance = (int64_t)c->kinds[KIND_TLB],
		.cache_maintenance = (int64_t)c->kinds[KIND_CACHE],
		.vm_insns = (int64_t)(c->kinds[KIND_VM] + c->kinds[KIND_VMCS_READ] +
				      c->kinds[KIND_VMCS_WRITE]),
		.loads = (int64_t)c->loads,
		.stores = (int64_t)c->stores,
		.branches_taken = (int64_t)c->branches_taken,
		.code_lines = -1,
		.data_lines = -1,
	};
}

struct lines {
	struct explanation *e;
	const struct trace *trace;
	const struct symbols *symbols;
	struct debuginfo_code *code; /* of each location */
	size_t n;
	size_t *location_of; /* number + 1, by the number of the instruction; 0: none */
};

static void add_location(struct lines *l, const struct trace_insn *insn)
{
	size_t *known = &l->location_of[insn - l->trace->insns];
	const struct symbol *symbol;

	if (*known)
		return;
	symbol = symbols_find(l->symbols, insn->space, insn->vaddr);
	l->code[l->n] = (struct debuginfo_code){
		.vaddr = insn->vaddr,
		.bytes = insn->code,
		.n_bytes = insn->bytes,
		.space = insn->space,
		.function_vaddr = symbol ? symbol->vaddr : 0,
		.function = symbols_name(symbol, insn->space),
		.module = symbol ? symbol->module : NULL,
	};
	*known = ++l->n;
}

/* Instructions of the clock that were subtracted have no counts left. */
static bool is_empty(const struct profile_counts *c)
{
	return !c->insns && !c->loads && !c->stores && !c->branches_taken;
}

/* The locations of all instructions, then of all calls. */
static void add_locations(struct lines *l, const struct profile *p)
{
	for (size_t i = 1; i < p->n_insns; i++)
		if (!is_empty(&p->insns[i].own))
			add_location(l, p->insns[i].insn);
	for (size_t i = 1; i < p->n_nodes; i++)
		if (p->nodes[i].site)
			add_location(l, p->nodes[i].site);
}

static void describe_location(struct explanation *e, struct debuginfo *d,
			      const struct debuginfo_code *code)
{
	struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX];
	size_t n = debuginfo_find(d, code, frames);
	struct explanation_location *l = explanation_add_location(e);

	l->name = explanation_string(e, code->function);
	l->space = symbols_space_name(code->space);
	l->module = explanation_string(e, code->module);
	l->offset = code->vaddr - code->function_vaddr;
	for (size_t i = 0; i < n; i++) {
		struct explanation_source *s = explanation_add_source(e, l);
		/* The symbol's name, also where the compiler has made it a part. */
		const char *name =
			i && frames[i].function ? frames[i].function : code->function;

		s->function = explanation_string(e, name);
		s->file = explanation_string(e, frames[i].file);
		s->line = frames[i].line;
	}
}

static void add_insns(struct lines *l, struct explanation_stack *s,
		      const struct profile *p, size_t node, bool kinds)
{
	for (size_t i = 1; i < p->n_insns; i++) {
		const struct profile_insn *from = &p->insns[i];
		struct explanation_insn *to;

		if (from->node != node || is_empty(&from->own) ||
		    (!kinds && !from->own.insns))
			continue;
		to = explanation_add_insn(l->e, s);
		to->location = l->location_of[from->insn - l->trace->insns] - 1;
		to->insns = from->own.insns;
		if (kinds)
			explain_kinds(&to->kinds, &from->own);
	}
}

/* A site is in the caller; where a jump left the caller meanwhile, it is not. */
static void add_sites(struct lines *l, struct explanation_stack *s,
		      const struct profile *p, size_t node)
{
	explanation_add_sites(l->e, s);
	for (size_t i = s->n_sites; i > 0; i--) {
		const struct trace_insn *site = p->nodes[node].site;
		const struct profile_function *caller;
		size_t number;

		node = p->nodes[node].parent;
		caller = &p->functions[p->nodes[node].function];
		if (!site ||
		    symbols_find(l->symbols, site->space, site->vaddr) != caller->symbol)
			continue;
		number = l->location_of[site - l->trace->insns] - 1;
		s->sites[i - 1].location = (int64_t)number;
	}
}

int lines_fill(struct explanation *e, const struct profile *p, const struct trace *t,
	       const struct symbols *symbols, struct debuginfo *d, bool kinds,
	       struct error *err)
{
	struct lines l = { .e = e, .trace = t, .symbols = symbols };
	size_t stack = 0;
	int rc;

	l.code = store_check(calloc(p->n_insns + p->n_nodes + 1, sizeof(*l.code)));
	l.location_of = store_check(calloc(t->n_insns + 1, sizeof(*l.location_of)));
	add_locations(&l, p);
	rc = debuginfo_bind(d, e->subject.kernel, l.code, l.n, err);
	for (size_t i = 0; i < l.n && !rc; i++)
		describe_location(e, d, &l.code[i]);
	for (size_t i = 1; i < p->n_nodes && !rc; i++) {
		if (!p->nodes[i].own.insns)
			continue;
		add_insns(&l, &e->stacks[stack], p, i, kinds);
		add_sites(&l, &e->stacks[stack], p, i);
		stack++;
	}
	free(l.code);
	free(l.location_of);
	return rc;
}
