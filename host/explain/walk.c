/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows calls and returns. */
#include <string.h>

#include "host/explain/trace.h"

static struct walk_stack *stack_of(struct walk *w, const struct trace_insn *insn)
{
	if (insn->space == SPACE_L0 && w->below)
		return w->below;
	return insn->space == SPACE_GUEST ? &w->guest : &w->host;
}

/* At the maximum depth, drops the oldest frame. */
static struct walk_frame *push(struct walk_stack *k)
{
	if (k->depth == WALK_DEPTH_MAX) {
		memmove(k->frames, k->frames + 1,
			(WALK_DEPTH_MAX - 1) * sizeof(k->frames[0]));
		k->depth--;
	}
	memset(&k->frames[k->depth], 0, sizeof(k->frames[0]));
	return &k->frames[k->depth++];
}

struct walk_stack *walk_enter(struct walk *w, const struct trace_step *s,
			      uint32_t function)
{
	struct walk_stack *k = stack_of(w, s->insn);
	struct walk_frame *top;

	if (s->begins) {
		w->guest.depth = 0;
		w->host.depth = 0;
		w->below = NULL;
	}
	if (!k->depth)
		push(k)->function = function;
	top = &k->frames[k->depth - 1];
	/* A jump or fall-through: replaces the function of the frame. */
	if (top->function != function) {
		top->function = function;
		top->node = 0;
	}
	return k;
}

static void on_exception(struct walk *w, const struct trace_step *s)
{
	struct walk_stack *k = stack_of(w, s->insn);
	struct walk_frame *frame;

	/* A world switch: the host continues where it entered the guest. */
	if (k != stack_of(w, s->next))
		return;
	frame = push(k);
	frame->trap = true;
	frame->site = s->insn;
	frame->from = s->insn->space;
}

/* From L0's ERET to a trap, the stacks are as they were. */
static void on_level(struct walk *w, const struct trace_step *s)
{
	struct walk_stack *k = stack_of(w, s->insn);
	struct walk_frame *frame;

	if (s->insn->space == SPACE_L0) {
		if (k->depth > w->below_depth)
			k->depth = w->below_depth;
		w->below = NULL;
		return;
	}
	w->below = k;
	w->below_depth = k->depth < WALK_DEPTH_MAX ? k->depth : k->depth - 1;
	frame = push(k);
	frame->trap = true;
	frame->site = s->insn;
	frame->from = s->insn->space;
}

/*
 * A call to an address shortly after the call itself: to read the own address, to push
 * addresses onto the stack, or to fill the return predictor (Linux, nospec-branch.h).
 */
#define FEINT_BYTES 32

static bool is_feint(const struct trace_insn *insn)
{
	uint64_t behind = insn->vaddr + insn->bytes;

	return insn->decode.target > behind && insn->decode.target < behind + FEINT_BYTES;
}

static void on_call(struct walk_stack *k, const struct trace_insn *insn)
{
	if (is_feint(insn)) {
		k->feints++;
		k->feint_depth = k->depth;
	} else {
		struct walk_frame *frame = push(k);

		frame->back = insn->vaddr + insn->bytes;
		frame->site = insn;
	}
}

static void on_return(struct walk *w, struct walk_stack *k, const struct trace_insn *next)
{
	unsigned int i;

	if (w->switcher && k->depth && k->frames[k->depth - 1].function == w->switcher) {
		k->depth = 0;
		return;
	}
	for (i = k->depth; i > 0; i--) {
		if (k->frames[i - 1].back != next->vaddr)
			continue;
		k->depth = i - 1;
		k->feints = 0;
		return;
	}
	/*
	 * A jump, written as a call and a return: to the target in the frame of the call,
	 * also from a function that returns for it (srso_safe_ret).
	 */
	if (k->feints) {
		k->feints--;
		if (k->depth > k->feint_depth)
			k->depth = k->feint_depth;
		return;
	}
	/* A return to a caller from before the recording. */
	if (k->depth > 1 && !k->frames[k->depth - 1].trap)
		k->depth--;
}

static void on_exception_return(struct walk *w, const struct trace_step *s)
{
	struct walk_stack *k = stack_of(w, s->insn);
	const bool l0 = s->insn->space == SPACE_L0 && w->below;
	const unsigned int least = l0 ? w->below_depth + 1 : 0;
	unsigned int i;

	if (k != stack_of(w, s->next))
		return;
	for (i = k->depth; i > least; i--)
		if (k->frames[i - 1].trap && k->frames[i - 1].from == s->next->space) {
			k->depth = i - 1;
			return;
		}
	k->depth = least < k->depth ? least : k->depth;
}

void walk_leave(struct walk *w, const struct trace_step *s)
{
	const struct trace_insn *insn = s->insn;

	if (!s->next)
		return;
	if ((insn->space == SPACE_L0) != (s->next->space == SPACE_L0)) {
		on_level(w, s);
		return;
	}
	if (s->leave == LEAVE_FAULT || s->leave == LEAVE_INTERRUPT) {
		on_exception(w, s);
		return;
	}
	switch (insn->decode.flow) {
	case FLOW_TRAP:
		on_exception(w, s);
		break;
	case FLOW_CALL:
		on_call(stack_of(w, insn), insn);
		break;
	case FLOW_RETURN:
		on_return(w, stack_of(w, insn), s->next);
		break;
	case FLOW_ERET:
		on_exception_return(w, s);
		break;
	case FLOW_NEXT:
	case FLOW_BRANCH:
	case FLOW_JUMP:
	case FLOW_ENTER_GUEST:
		break;
	}
}
