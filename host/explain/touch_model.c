/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated caches and branch predictors. */
#include "host/explain/touch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
