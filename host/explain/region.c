/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the timed events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/explain/region.h"

/*
 * Rows that the host times read the shared clock in an order of their own: 'h' is the
 * host's read, 'g' the guest's. An event is one such group, and what is timed lies
 * between two of its reads.
 */
struct order {
	const char *id;
	const char *reads; /* NULL: not to be explained, because ... */
	unsigned int from, to;
	const char *why;
};

#define A_DIFFERENCE "its figure is the difference of two runs"
#define A_BUDGET     "its figure is time beyond a budget"

static const struct order orders[] = {
	{ "irq_inject", "hgg", 0, 1, NULL },
	{ "irq_inject_eoi", "hgg", 0, 2, NULL },
	{ "irqfd_inject", "hgg", 0, 1, NULL },
	{ "exit_out", "ghhg", 0, 1, NULL },
	{ "exit_in", "ghhg", 2, 3, NULL },
	{ "kvm_run_immediate_exit", "hh", 0, 1, NULL },
	{ "vm_create", "hh", 0, 1, NULL },
	{ "first_exit", "hh", 0, 1, NULL },
	{ "checkpoint_save", "hh", 0, 1, NULL },
	{ "checkpoint_restore", "hhhh", 2, 3, NULL },
	{ "kick_signal", NULL, 0, 0, "two threads take turns in it" },
	{ "kick_immediate_exit", NULL, 0, 0, "two threads take turns in it" },
	{ "vmm_overhead", NULL, 0, 0, A_DIFFERENCE },
	{ "state_get_all", NULL, 0, 0, A_DIFFERENCE },
	{ "state_sync_lazy", NULL, 0, 0, A_DIFFERENCE },
	{ "state_sync_always", NULL, 0, 0, A_DIFFERENCE },
	{ "state_sync_regs", NULL, 0, 0, A_DIFFERENCE },
	{ "timer_overshoot_posix", NULL, 0, 0, A_BUDGET },
	{ "timer_overshoot_perf", NULL, 0, 0, A_BUDGET },
	{ "insn_stop_skid", NULL, 0, 0, A_BUDGET },
	{ "timer_expiry", NULL, 0, 0, "it is timed from a deadline, not from a place" },
};

static const struct order *order_of(const char *id)
{
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (!strcmp(orders[i].id, id))
			return &orders[i];
	return NULL;
}

const char *regions_refusal(const char *id)
{
	const struct order *order = order_of(id);

	return order ? order->why : NULL;
}

/* The longest group of reads. */
#define READS_MAX 8

struct read {
	size_t step;
	uint64_t count, path;
};

struct search {
	const struct order *order; /* NULL: the payload marks both ends itself */
	struct regions *out;
	size_t room;
	uint64_t phase; /* MARK_PHASE_BEGIN() of the one that goes on, or 0 */
	size_t recording;
	unsigned int boot;
	uint64_t count, path; /* so far */
	struct read reads[READS_MAX];
	unsigned int n_reads;
	int err;
};

static void add(struct search *s, const struct read *from, const struct read *to)
{
	struct regions *r = s->out;

	if (r->n == s->room) {
		size_t room = 2 * s->room + 1024;
		struct region *grown = realloc(r->list, room * sizeof(*grown));

		if (!grown) {
			s->err = -ENOMEM;
			return;
		}
		r->list = grown;
		s->room = room;
	}
	r->list[r->n++] = (struct region){
		.begin = from->step,
		.end = to->step,
		.recording = s->recording,
		.count = to->count - from->count,
		.path = to->path - from->path,
		.boot = s->boot,
		.shared = s->order != NULL,
		.empty = s->phase == MARK_PHASE_BEGIN(ABI_PHASE_NULL),
	};
}

/* A read of the row's own: its place in the group, or the group begins anew. */
static void take_ordered(struct search *s, char who, const struct read *read)
{
	const char *reads = s->order->reads;
	unsigned int from = s->order->from, to = s->order->to;

	/* Before and beside the events, the host looks at the clock twice in a row. */
	if (s->phase == MARK_PHASE_BEGIN(ABI_PHASE_NULL)) {
		reads = "hh";
		from = 0;
		to = 1;
	}
	if (reads[s->n_reads] != who)
		s->n_reads = 0;
	if (reads[s->n_reads] != who)
		return;
	s->reads[s->n_reads++] = *read;
	if (reads[s->n_reads])
		return;
	add(s, &s->reads[from], &s->reads[to]);
	s->n_reads = 0;
}

static void take_mark(struct search *s, uint64_t kind, bool guest, size_t step)
{
	const struct read read = { step, s->count, s->path };

	switch (kind) {
	case MARK_CLOCK_START:
		s->reads[0] = read;
		s->n_reads = !s->order;
		break;
	case MARK_CLOCK_STOP:
		if (!s->order && s->n_reads && s->phase)
			add(s, &s->reads[0], &read);
		s->n_reads = 0;
		break;
	case MARK_CLOCK_SHARED:
		if (s->order && s->phase)
			take_ordered(s, guest ? 'g' : 'h', &read);
		break;
	default:
		s->n_reads = 0;
		s->phase = kind < MARK_PHASE_END(0) ? kind : 0;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct image_mark *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* For each instruction, the mark that it carries: MARK_*, or 0. */
static uint16_t *marks_of_insns(const struct trace *t, const struct region_marks *marks)
{
	uint16_t *kinds = calloc(t->n_insns + 1, sizeof(*kinds));
	size_t i;

	if (!kinds)
		return NULL;
	qsort(marks->list, marks->n, sizeof(*marks->list), by_address);
	for (i = 0; i < t->n_insns; i++) {
		const struct image_mark key = { .vaddr = t->insns[i].vaddr };
		const struct image_mark *found =
			bsearch(&key, marks->list, marks->n, sizeof(key), by_address);

		if (found)
			kinds[i] = (uint16_t)found->kind;
	}
	return kinds;
}

/* Digests add up, so that that of a stretch is a difference. */
static uint64_t digest(const struct trace_step *s)
{
	return (s->insn->vaddr + 1) * 0x9e3779b97f4a7c15ull;
}

int regions_find(const struct trace *t, const struct region_marks *marks, const char *id,
		 struct regions *out, const char **why)
{
	struct search s = { .order = order_of(id), .out = out, .boot = ~0u };
	struct trace_cursor c = { 0 };
	struct trace_step step;
	uint16_t *kinds;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (s.order && !s.order->reads) {
		*why = s.order->why;
		return -ENOTSUP;
	}
	kinds = marks_of_insns(t, marks);
	if (!kinds)
		return -ENOMEM;
	for (n = 0; !s.err && trace_next(t, &c, &step); n++) {
		uint64_t kind = kinds[step.insn - t->insns];

		if (step.begins) {
			s.recording = n;
			s.boot++;
			/* The switch itself was executed just before. */
			s.phase = MARK_PHASE_BEGIN(ABI_PHASE_NULL);
			s.n_reads = 0;
		}
		if (kind)
			take_mark(&s, kind, step.insn->space == SPACE_GUEST, n);
		s.count += step.count;
		s.path += digest(&step);
	}
	free(kinds);
	return s.err;
}

void regions_free(struct regions *r)
{
	free(r->list);
	memset(r, 0, sizeof(*r));
}
