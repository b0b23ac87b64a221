/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subtracts the reads of the clock from the instructions of an event. */
#include "host/explain/profile.h"

static void subtract(struct profile_counts *from, const struct profile_counts *off)
{
	from->insns -= off->insns;
	for (int k = 0; k < KINDS; k++)
		from->kinds[k] -= off->kinds[k];
}

static bool subtract_registers(struct profile *p, const struct profile *empty)
{
	size_t i, k;

	for (i = 0; i < empty->n_registers; i++) {
		const struct profile_register *off = &empty->registers[i];

		for (k = 0; k < p->n_registers; k++)
			if (p->registers[k].function == p->first &&
			    p->registers[k].reg == off->reg)
				break;
		if (k == p->n_registers || p->registers[k].reads < off->reads)
			return false;
		p->registers[k].reads -= off->reads;
	}
	return true;
}

/* The next instruction of the node in which the event begins, from `i` on; or n_insns. */
static size_t first_insn(const struct profile *p, size_t i)
{
	while (i < p->n_insns && p->insns[i].node != p->first_node)
		i++;
	return i;
}

/* Subtracts the counts of an instruction from those of an equal one. */
static bool subtract_insn(struct profile_insn *from, const struct profile_insn *off)
{
	const struct trace_insn *a = from->insn, *b = off->insn;

	if (a->bytes != b->bytes || a->decode.kind != b->decode.kind ||
	    a->decode.flow != b->decode.flow || from->own.insns < off->own.insns)
		return false;
	subtract(&from->own, &off->own);
	return true;
}

/*
 * Both events begin and end with equal code, at different addresses: subtracts the equal
 * instructions at the beginning, then from the end on.
 */
static void subtract_insns(struct profile *p, const struct profile *empty)
{
	size_t i = first_insn(p, 1), k = first_insn(empty, 1), back, last;
	uint64_t left = 0;

	while (i < p->n_insns && k < empty->n_insns &&
	       subtract_insn(&p->insns[i], &empty->insns[k])) {
		i = first_insn(p, i + 1);
		k = first_insn(empty, k + 1);
	}
	for (last = empty->n_insns, back = p->n_insns; last-- > k;) {
		if (empty->insns[last].node != empty->first_node)
			continue;
		while (back > i &&
		       (p->insns[back - 1].node != p->first_node ||
			!subtract_insn(&p->insns[back - 1], &empty->insns[last])))
			back--;
		if (back > i)
			back--;
		else
			left += empty->insns[last].own.insns;
	}
	/* The sum holds, whatever the code is. */
	for (back = p->n_insns; left && back-- > 1;) {
		struct profile_counts *own = &p->insns[back].own;
		uint64_t off = own->insns < left ? own->insns : left;

		if (p->insns[back].node != p->first_node)
			continue;
		own->insns -= off;
		left -= off;
	}
}

bool profile_subtract(struct profile *p, const struct profile *empty)
{
	const struct profile_function *off = &empty->functions[empty->first];
	struct profile_function *from = &p->functions[p->first];

	/* An empty event is in one function: the loop that reads the clock. */
	for (size_t i = 1; i < empty->n_functions; i++)
		if (i != empty->first && empty->functions[i].own.insns)
			return false;
	if (off->symbol != from->symbol || off->space != from->space ||
	    from->own.insns < off->own.insns ||
	    p->nodes[p->first_node].own.insns < off->own.insns ||
	    !subtract_registers(p, empty))
		return false;
	subtract(&from->own, &off->own);
	subtract(&p->nodes[p->first_node].own, &off->own);
	if (p->n_insns)
		subtract_insns(p, empty);
	return true;
}
