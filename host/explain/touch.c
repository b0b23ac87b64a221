/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event touches: the simulated caches and branch predictors, and events through
 * them. */
#include "host/explain/touch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------ the model ------------------------------ */

/* Tags are line numbers with the address space above; 0: an empty way. */
#define SPACE_SHIFT    60
#define LINE_BYTES_MIN 16
#define LINE_BYTES_MAX 4096
#define CACHE_MAX      (1ll << 30)
#define WAYS_MAX       64

struct cache {
	uint64_t *tags; /* of each set, the most recently used first */
	size_t sets, ways;
	unsigned int line_shift;
};

#define ADDRESS_BITS 7
#define HISTORY_BITS 7
#define TARGET_BITS  9

#define MASK(bits) ((1u << (bits)) - 1)

struct touch_model {
	struct cache i1, d1, ll;
	unsigned int insn_shift; /* bits of an instruction's address that are zero */
	uint32_t history;	 /* outcomes, the last in bit 0 */
	uint8_t counters[1u << (ADDRESS_BITS + HISTORY_BITS)];
	uint64_t targets[1u << TARGET_BITS];
	struct touch_counts counts;
};

static bool is_power(int64_t n)
{
	return n > 0 && !(n & (n - 1));
}

int touch_cache_parse(const char *text, struct touch_cache *c, const char **why)
{
	int64_t *const to[] = { &c->bytes, &c->ways, &c->line_bytes };
	char *end = (char *)text;

	for (size_t i = 0; i < 3; i++) {
		const char *from = end + (i > 0);

		errno = 0;
		*to[i] = strtoll(from, &end, 10);
		if (end == from || *from < '0' || *from > '9' || errno ||
		    *end != (i < 2 ? ',' : '\0')) {
			*why = "is not BYTES,WAYS,LINE, such as 32768,8,64";
			return -EINVAL;
		}
	}
	*why = NULL;
	if (!is_power(c->line_bytes) || c->line_bytes < LINE_BYTES_MIN ||
	    c->line_bytes > LINE_BYTES_MAX)
		*why = "the line is not a power of two from 16 to 4096";
	else if (c->ways < 1 || c->ways > WAYS_MAX)
		*why = "the number of ways is not 1 to 64";
	else if (c->bytes < 1 || c->bytes > CACHE_MAX ||
		 c->bytes % (c->ways * c->line_bytes) ||
		 !is_power(c->bytes / (c->ways * c->line_bytes)))
		*why = "the number of sets, bytes / ways / line, is not a power of two";
	return *why ? -EINVAL : 0;
}

static void *allocate(size_t n, size_t bytes)
{
	void *array = calloc(n, bytes);

	if (!array)
		abort();
	return array;
}

static void cache_init(struct cache *c, const struct touch_cache *size)
{
	c->sets = (size_t)(size->bytes / (size->ways * size->line_bytes));
	c->ways = (size_t)size->ways;
	while (1ll << c->line_shift < size->line_bytes)
		c->line_shift++;
	c->tags = allocate(c->sets * c->ways, sizeof(*c->tags));
}

static void cache_copy(struct cache *to, const struct cache *from)
{
	*to = *from;
	to->tags = allocate(from->sets * from->ways, sizeof(*to->tags));
	memcpy(to->tags, from->tags, from->sets * from->ways * sizeof(*to->tags));
}

/* Whether the line was not there. Afterwards it is the most recently used of its set. */
static bool misses_line(struct cache *c, uint64_t tag)
{
	uint64_t *set = c->tags + (tag & (c->sets - 1)) * c->ways;
	size_t at = 0;
	bool miss;

	while (at < c->ways - 1 && set[at] != tag)
		at++;
	miss = set[at] != tag;
	memmove(set + 1, set, at * sizeof(*set));
	set[0] = tag;
	return miss;
}

static bool misses(struct cache *c, enum touch_space space, uint64_t vaddr,
		   unsigned int bytes)
{
	uint64_t line = vaddr >> c->line_shift;
	uint64_t last = (vaddr + (bytes ? bytes - 1 : 0)) >> c->line_shift;
	bool miss = false;

	for (; line <= last; line++)
		miss |= misses_line(c, line | (uint64_t)space << SPACE_SHIFT);
	return miss;
}

struct touch_model *touch_model_new(const struct touch_caches *caches, enum arch arch)
{
	struct touch_model *m = allocate(1, sizeof(*m));

	cache_init(&m->i1, &caches->i1);
	cache_init(&m->d1, &caches->d1);
	cache_init(&m->ll, &caches->ll);
	m->insn_shift = arch == ARCH_AARCH64 ? 2 : 0;
	return m;
}

struct touch_model *touch_model_copy(const struct touch_model *from)
{
	struct touch_model *m = allocate(1, sizeof(*m));

	*m = *from;
	cache_copy(&m->i1, &from->i1);
	cache_copy(&m->d1, &from->d1);
	cache_copy(&m->ll, &from->ll);
	memset(&m->counts, 0, sizeof(m->counts));
	return m;
}

void touch_model_free(struct touch_model *m)
{
	if (!m)
		return;
	free(m->i1.tags);
	free(m->d1.tags);
	free(m->ll.tags);
	free(m);
}

void touch_fetch(struct touch_model *m, enum touch_space space, uint64_t vaddr,
		 unsigned int bytes)
{
	if (!misses(&m->i1, space, vaddr, bytes))
		return;
	m->counts.l1i_misses++;
	m->counts.ll_misses += misses(&m->ll, space, vaddr, bytes);
}

void touch_data(struct touch_model *m, enum touch_space space, uint64_t vaddr,
		unsigned int bytes)
{
	if (!misses(&m->d1, space, vaddr, bytes))
		return;
	m->counts.l1d_misses++;
	m->counts.ll_misses += misses(&m->ll, space, vaddr, bytes);
}

void touch_branch(struct touch_model *m, uint64_t vaddr, bool taken)
{
	uint32_t address = (uint32_t)(vaddr >> m->insn_shift) & MASK(ADDRESS_BITS);
	uint32_t history = m->history & MASK(HISTORY_BITS);
	uint8_t *counter = &m->counters[history << ADDRESS_BITS | address];

	m->counts.mispredicts += taken != (*counter >= 2);
	if (taken && *counter < 3)
		++*counter;
	else if (!taken && *counter > 0)
		--*counter;
	m->history = m->history << 1 | taken;
}

void touch_indirect(struct touch_model *m, uint64_t vaddr, uint64_t target)
{
	uint64_t *last = &m->targets[vaddr >> m->insn_shift & MASK(TARGET_BITS)];

	m->counts.indirect_mispredicts += *last != target;
	*last = target;
}

const struct touch_counts *touch_model_counts(const struct touch_model *m)
{
	return &m->counts;
}

void touch_work(struct touch_model *m, uint64_t bytes)
{
	uint64_t i1 = 1ull << m->i1.line_shift, d1 = 1ull << m->d1.line_shift;
	uint64_t at;

	for (at = 0; at < bytes / 2; at += i1)
		touch_fetch(m, TOUCH_WORK, at, 1);
	for (at = bytes / 2; at < bytes; at += d1)
		touch_data(m, TOUCH_WORK, at, 1);
}

static int64_t work_lines(const struct cache *c)
{
	int64_t n = 0;

	for (size_t i = 0; i < c->sets * c->ways; i++)
		n += c->tags[i] >> SPACE_SHIFT == TOUCH_WORK;
	return n;
}

struct touch_lines touch_work_lines(const struct touch_model *m)
{
	return (struct touch_lines){ work_lines(&m->i1), work_lines(&m->d1),
				     work_lines(&m->ll) };
}

/* ------------------------------ events ------------------------------ */

#define PAGE_SHIFT 12

/* The smallest working set of the curve. */
#define WORK_KIB 8

static enum touch_space model_space(enum trace_space space)
{
	switch (space) {
	case SPACE_GUEST:
		return TOUCH_GUEST;
	case SPACE_HYP:
		return TOUCH_HYP;
	case SPACE_L0:
		return TOUCH_L0;
	case SPACE_USER:
	case SPACE_KERNEL:
	case SPACES:
		break;
	}
	return TOUCH_HOST;
}

/* Whose memory an instruction accesses: the kernel also copies from and to the VMM. */
static enum trace_space data_space(enum trace_space insn, uint64_t vaddr)
{
	if (insn == SPACE_GUEST || insn == SPACE_HYP || insn == SPACE_L0)
		return insn;
	return vaddr >> 63 ? SPACE_KERNEL : SPACE_USER;
}

static bool is_indirect(const struct decode *d)
{
	return (d->flow == FLOW_JUMP || d->flow == FLOW_CALL) && !d->target;
}

void touch_step(struct touch_model *m, const struct trace *t, const struct trace_step *s)
{
	const struct trace_insn *insn = s->insn;
	size_t at = s->first_access;
	struct trace_access a;

	touch_fetch(m, model_space(insn->space), insn->vaddr, insn->bytes);
	while (trace_access(t, s, &at, &a))
		touch_data(m, model_space(data_space(insn->space, a.vaddr)), a.vaddr,
			   a.bytes);
	/* The outcome of a branch before an interrupt is not recorded. */
	if (s->leave != LEAVE_DONE)
		return;
	if (insn->decode.flow == FLOW_BRANCH)
		touch_branch(m, insn->vaddr, s->next->vaddr != insn->vaddr + insn->bytes);
	else if (is_indirect(&insn->decode))
		touch_indirect(m, insn->vaddr, s->next->vaddr);
}

/* The steps of an event, from a cursor at its beginning. */
struct event {
	const struct trace *trace;
	struct trace_cursor begin;
	size_t steps;
};

static void replay(struct touch_model *m, const struct event *e)
{
	struct trace_cursor c = e->begin;
	struct trace_step s;

	for (size_t n = 0; n < e->steps && trace_next(e->trace, &c, &s); n++)
		touch_step(m, e->trace, &s);
}

/* Finds the event; `m` (or NULL) runs what was recorded before it in its boot. */
static struct event find_event(const struct trace *t, const struct region *r,
			       struct touch_model *m)
{
	struct event e = { .trace = t, .steps = r->end - r->begin };
	struct trace_step s;

	for (size_t n = 0; n < r->begin && trace_next(t, &e.begin, &s); n++)
		if (m && n >= r->recording)
			touch_step(m, t, &s);
	return e;
}

struct page {
	enum trace_space space;
	uint64_t number;
	bool code;
};

struct pages {
	struct page *list;
	size_t n, room;
};

static int add_page(struct pages *p, enum trace_space space, uint64_t vaddr, bool code)
{
	struct page *grown;

	if (p->n == p->room) {
		p->room = 2 * p->room + 256;
		grown = realloc(p->list, p->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->list = grown;
	}
	p->list[p->n++] = (struct page){ space, vaddr >> PAGE_SHIFT, code };
	return 0;
}

static int by_page(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	if (x->code != y->code)
		return x->code - y->code;
	return (x->number > y->number) - (x->number < y->number);
}

static void fill_pages(struct explanation *e, struct pages *p)
{
	static const char *const names[SPACES] = { "guest", "user", "kernel", "hyp",
						   "l0" };
	struct explanation_pages sums[SPACES] = { { NULL, 0, 0 } };

	if (p->n)
		qsort(p->list, p->n, sizeof(*p->list), by_page);
	for (size_t i = 0; i < p->n; i++)
		if (!i || by_page(&p->list[i - 1], &p->list[i]))
			*(p->list[i].code ? &sums[p->list[i].space].code
					  : &sums[p->list[i].space].data) += 1;
	for (int i = 0; i < SPACES; i++) {
		if (!sums[i].code && !sums[i].data)
			continue;
		sums[i].space = names[i];
		*explanation_add_pages(e) = sums[i];
	}
}

/* What does not depend on the caches: pages, branches, changes of the mode. */
static int count_steps(const struct event *event, struct explanation *e)
{
	struct explanation_touch *touch = &e->touch;
	struct trace_cursor c = event->begin;
	struct pages pages = { NULL, 0, 0 };
	struct trace_access a;
	struct trace_step s;
	int err = 0;

	touch->branches = touch->indirect_branches = touch->returns = 0;
	touch->exceptions = touch->exception_returns = touch->guest_entries = 0;
	for (size_t n = 0; !err && n < event->steps && trace_next(event->trace, &c, &s);
	     n++) {
		const struct trace_insn *insn = s.insn;
		size_t at = s.first_access;

		err = add_page(&pages, insn->space, insn->vaddr, true);
		if (!err)
			err = add_page(&pages, insn->space, insn->vaddr + insn->bytes - 1,
				       true);
		while (!err && trace_access(event->trace, &s, &at, &a)) {
			enum trace_space space = data_space(insn->space, a.vaddr);

			err = add_page(&pages, space, a.vaddr, false);
			if (!err)
				err = add_page(&pages, space, a.vaddr + a.bytes - 1,
					       false);
		}
		touch->branches += insn->decode.flow == FLOW_BRANCH;
		touch->indirect_branches += is_indirect(&insn->decode);
		touch->returns += insn->decode.flow == FLOW_RETURN;
		touch->exceptions += s.leave == LEAVE_FAULT ||
				     s.leave == LEAVE_INTERRUPT ||
				     insn->decode.flow == FLOW_TRAP;
		touch->exception_returns += insn->decode.flow == FLOW_ERET;
		touch->guest_entries += s.next && insn->space != SPACE_GUEST &&
					s.next->space == SPACE_GUEST;
	}
	if (!err)
		fill_pages(e, &pages);
	free(pages.list);
	return err;
}

/*
 * A point of the curve: the guest runs its working set, exits, runs it again, and exits
 * again. The second exit counts: its lines were last used before the working set, as in
 * every later exit of such a guest.
 */
static void add_work(struct explanation *e, const struct event *event,
		     const struct touch_model *warm, uint64_t kib)
{
	struct explanation_work *w = explanation_add_work(e);
	struct touch_model *before = touch_model_copy(warm), *after;
	struct touch_lines left, had;
	const struct touch_counts *c;

	touch_work(before, kib * 1024);
	replay(before, event);
	touch_work(before, kib * 1024);
	had = touch_work_lines(before);
	after = touch_model_copy(before);
	replay(after, event);
	left = touch_work_lines(after);
	c = touch_model_counts(after);
	*w = (struct explanation_work){
		.guest_kib = kib,
		.l1i_misses = (uint64_t)c->l1i_misses,
		.l1d_misses = (uint64_t)c->l1d_misses,
		.ll_misses = (uint64_t)c->ll_misses,
		.l1i_evicted = (uint64_t)(had.l1i - left.l1i),
		.l1d_evicted = (uint64_t)(had.l1d - left.l1d),
		.ll_evicted = (uint64_t)(had.ll - left.ll),
	};
	touch_model_free(before);
	touch_model_free(after);
}

/* The last event of the path. */
static const struct region *last_alike(const struct regions *all, const struct region *r)
{
	for (size_t i = all->n; i > 0; i--) {
		const struct region *other = &all->list[i - 1];

		if (!other->empty && other->path == r->path && other->count == r->count)
			return other;
	}
	return r;
}

static int64_t events_before(const struct regions *all, const struct region *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += !all->list[i].empty && all->list[i].recording == r->recording &&
		     all->list[i].begin < r->begin;
	return n;
}

int touch_build(const struct trace *t, const struct regions *regions,
		const struct region *r, const struct touch_caches *caches,
		struct explanation *e)
{
	const struct region *last = last_alike(regions, r);
	struct touch_model *cold = touch_model_new(caches, t->arch);
	struct touch_model *before = touch_model_new(caches, t->arch), *warm;
	struct event event = find_event(t, last, before);

	e->touch.caches = *caches;
	e->touch.events_before = events_before(regions, last);
	replay(cold, &event);
	e->touch.cold = *touch_model_counts(cold);
	warm = touch_model_copy(before);
	replay(warm, &event);
	e->touch.warm = *touch_model_counts(warm);
	/* Powers of two and the points between them, to twice the last level. */
	for (uint64_t kib = WORK_KIB; kib * 512 <= (uint64_t)caches->ll.bytes; kib *= 2) {
		add_work(e, &event, before, kib);
		if (kib * 512 < (uint64_t)caches->ll.bytes)
			add_work(e, &event, before, kib + kib / 2);
	}
	touch_model_free(cold);
	touch_model_free(before);
	touch_model_free(warm);
	return count_steps(&event, e);
}

bool touch_is_in(const struct explanation *e)
{
	return e->touch.warm.l1i_misses >= 0;
}
