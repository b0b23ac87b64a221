/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the timed events in a trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/explain/trace.h"
#include "host/targets/rows.h"

const char *regions_refusal(const char *id)
{
	const struct host_row *row = host_row_find(id);

	return row ? row->not_explained : NULL;
}

/* The longest group of reads. */
#define READS_MAX 8

struct read {
	size_t step;
	uint64_t count, path;
};

struct search {
	const struct host_row
		*row; /* timed by the host; NULL: the payload marks both ends */
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
		.shared = s->row != NULL,
		.empty = s->phase == MARK_PHASE_BEGIN(ABI_PHASE_NULL),
	};
}

/*
 * A read of the shared clock: the next of its group, or the first of a new group. Reads
 * of other kinds are ignored.
 */
static void take_ordered(struct search *s, char who, const struct read *read)
{
	const char *reads = s->row->reads;
	unsigned int from = s->row->from, to = s->row->to;

	/* In phase NULL the host reads the clock twice in a row. */
	if (s->phase == MARK_PHASE_BEGIN(ABI_PHASE_NULL)) {
		reads = "hh";
		from = 0;
		to = 1;
	}
	if (!strchr(reads, who))
		return;
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
		s->n_reads = !s->row;
		break;
	case MARK_CLOCK_STOP:
		if (!s->row && s->n_reads && s->phase)
			add(s, &s->reads[0], &read);
		s->n_reads = 0;
		break;
	case MARK_CLOCK_AGAIN:
		if (s->out->n && s->out->list[s->out->n - 1].boot == s->boot)
			s->out->n--;
		break;
	case MARK_CLOCK_SHARED:
		if (s->row && s->phase)
			take_ordered(s, guest ? 'g' : 'h', &read);
		break;
	case MARK_CLOCK_RUN:
	case MARK_CLOCK_RAN:
		if (s->row && s->phase)
			take_ordered(s, kind == MARK_CLOCK_RUN ? 'b' : 'e', &read);
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

/* The mark of each instruction: MARK_*, or 0. */
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

/* Digests are sums: the digest of a part is a difference. */
static uint64_t digest(const struct trace_step *s)
{
	return (s->insn->vaddr + 1) * 0x9e3779b97f4a7c15ull;
}

int regions_find(const struct trace *t, const struct region_marks *marks, const char *id,
		 struct regions *out, const char **why)
{
	struct search s = { .out = out, .boot = ~0u };
	struct trace_cursor c = { 0 };
	struct trace_step step;
	uint16_t *kinds;
	size_t n;

	memset(out, 0, sizeof(*out));
	s.row = host_row_find(id);
	if (s.row && s.row->not_explained) {
		*why = s.row->not_explained;
		return -ENOTSUP;
	}
	if (s.row && !s.row->reads)
		s.row = NULL;
	kinds = marks_of_insns(t, marks);
	if (!kinds)
		return -ENOMEM;
	for (n = 0; !s.err && trace_next(t, &c, &step); n++) {
		uint64_t kind = kinds[step.insn - t->insns];

		if (step.begins) {
			s.recording = n;
			s.boot++;
			/* The switch was executed just before. */
			s.phase = MARK_PHASE_BEGIN(ABI_PHASE_NULL);
			s.n_reads = 0;
		}
		if (kind && step.insn->space != SPACE_L0)
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
