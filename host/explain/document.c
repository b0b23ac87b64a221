/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile as a document. */
#include <stdio.h>
#include <string.h>

#include "host/explain/document.h"
#include "host/explain/layer.h"
#include "host/explain/walk.h"

static const char *const space_names[SPACES] = {
	[SPACE_GUEST] = "guest",
	[SPACE_USER] = "user",
	[SPACE_KERNEL] = "kernel",
	[SPACE_HYP] = "hyp",
};

/* What no symbol covers is shown as that. */
static const char *const nameless[SPACES] = {
	[SPACE_GUEST] = "[guest]",
	[SPACE_USER] = "[user]",
	[SPACE_KERNEL] = "[kernel]",
	[SPACE_HYP] = "[hyp]",
};

static const char *name_of(const struct profile_function *f)
{
	return f->symbol ? f->symbol->name : nameless[f->space];
}

static void fill_kinds(struct explanation_kinds *k, const struct profile_function *f)
{
	*k = (struct explanation_kinds){
		.sysreg_reads = (int64_t)f->kinds[KIND_SYSREG_READ],
		.sysreg_writes = (int64_t)f->kinds[KIND_SYSREG_WRITE],
		.barriers = (int64_t)f->kinds[KIND_BARRIER],
		.tlb_maintenance = (int64_t)f->kinds[KIND_TLB],
		.cache_maintenance = (int64_t)f->kinds[KIND_CACHE],
		.vm_insns = (int64_t)f->kinds[KIND_VM],
		.loads = (int64_t)f->loads,
		.stores = (int64_t)f->stores,
		.branches_taken = (int64_t)f->branches_taken,
		.code_lines = (int64_t)f->code_lines,
		.data_lines = (int64_t)f->data_lines,
	};
}

static void add_kinds(struct explanation_kinds *sum, const struct explanation_kinds *k)
{
	sum->sysreg_reads += k->sysreg_reads;
	sum->sysreg_writes += k->sysreg_writes;
	sum->barriers += k->barriers;
	sum->tlb_maintenance += k->tlb_maintenance;
	sum->cache_maintenance += k->cache_maintenance;
	sum->vm_insns += k->vm_insns;
	sum->loads += k->loads;
	sum->stores += k->stores;
	sum->branches_taken += k->branches_taken;
}

static void fill_registers(struct explanation *e, struct explanation_function *f,
			   const struct profile *p, uint32_t number, enum arch arch)
{
	char text[DECODE_REGISTER_BYTES];
	size_t i;

	for (i = 0; i < p->n_registers; i++) {
		const struct profile_register *from = &p->registers[i];
		struct explanation_register *to;

		if (from->function != number || !(from->reads + from->writes))
			continue;
		to = explanation_add_register(e, f);
		to->name = explanation_string(e, decode_register(arch, from->reg, text));
		to->reads = from->reads;
		to->writes = from->writes;
	}
}

static void fill_functions(struct explanation *e, const struct profile *p,
			   const struct explain_input *in)
{
	size_t i;

	if (in->kinds)
		memset(&e->kinds, 0, sizeof(e->kinds));
	for (i = 1; i < p->n_functions; i++) {
		const struct profile_function *from = &p->functions[i];
		const char *module = from->symbol ? from->symbol->module : NULL;
		struct explanation_function *to;

		if (!from->insns)
			continue;
		to = explanation_add_function(e);
		to->name = explanation_string(e, name_of(from));
		to->module = explanation_string(e, module);
		to->space = space_names[from->space];
		to->layer = layer_of(in->arch, from->space, module,
				     from->symbol ? from->symbol->name : NULL);
		to->insns = from->insns;
		if (!in->kinds)
			continue;
		fill_kinds(&to->kinds, from);
		add_kinds(&e->kinds, &to->kinds);
		fill_registers(e, to, p, (uint32_t)i, in->arch);
	}
	if (!in->kinds)
		return;
	e->kinds.code_lines = (int64_t)p->code_lines;
	e->kinds.data_lines = (int64_t)p->data_lines;
}

static void fill_stacks(struct explanation *e, const struct profile *p)
{
	size_t i;

	for (i = 1; i < p->n_nodes; i++) {
		struct explanation_stack *to;
		size_t depth = 0;
		uint32_t node;

		if (!p->nodes[i].insns)
			continue;
		for (node = (uint32_t)i; node; node = p->nodes[node].parent)
			depth++;
		to = explanation_add_stack(e, depth);
		for (node = (uint32_t)i; node; node = p->nodes[node].parent)
			to->frames[--depth] = explanation_string(
				e, name_of(&p->functions[p->nodes[node].function]));
		to->insns = p->nodes[i].insns;
	}
}

void document_fill(struct explanation *e, const struct profile *p,
		   const struct explain_input *in, uint64_t count, uint64_t clock_insns)
{
	e->unit = "insns";
	e->round_trip = in->round_trip;
	e->total = count;
	e->clock_insns = clock_insns;
	fill_functions(e, p, in);
	fill_stacks(e, p);
	explanation_sort(e);
}
