/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of records: a tape of executed instructions. */
#ifndef WS_TESTS_TRACE_FIXTURE_H
#define WS_TESTS_TRACE_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/mark.h"
#include "host/explain/explain.h"
#include "host/explain/profile.h"
#include "host/explain/record.h"
#include "host/explain/trace.h"
#include "host/explain/symbols.h"
#include "host/targets/rows.h"
#include "host/targets/target.h"

#define KERNEL	0xffff800008000000ull
#define VECTORS 0xffff800008010800ull
#define GUEST	0x40200000ull

#define NOP	0xd503201fu
#define LDR	0xf9400020u
#define BL_40	0x94000010u /* bl .+0x40 */
#define RET	0xd65f03c0u
#define B_8	0x14000002u
#define HVC	0xd4000002u
#define ERET	0xd69f03e0u
#define MRS_PMC 0xd53b9d00u

static const struct image_range guest_range = { GUEST, GUEST + 0x10000 };

struct tape {
	uint32_t words[4096];
	size_t n;
	uint32_t n_insns;
};

static inline void put(struct tape *t, uint32_t word)
{
	cr_assert_lt(t->n, sizeof(t->words) / sizeof(t->words[0]));
	t->words[t->n++] = word;
}

static inline void put_wide(struct tape *t, uint64_t value)
{
	put(t, (uint32_t)value);
	put(t, (uint32_t)(value >> 32));
}

/* Describes and executes an instruction; `after` instructions follow in its block. */
static inline void run_after(struct tape *t, uint64_t vaddr, uint32_t insn,
			     unsigned int after)
{
	put(t, RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(4, after)));
	put_wide(t, vaddr);
	put(t, insn);
	put(t, 0);
	put(t, 0);
	put(t, 0);
	put(t, RECORD_WORD(RECORD_EXEC, t->n_insns++));
}

static inline void run(struct tape *t, uint64_t vaddr, uint32_t insn)
{
	run_after(t, vaddr, insn, 0);
}

static inline void access_memory(struct tape *t, enum record_kind kind, uint64_t vaddr)
{
	put(t, RECORD_WORD(kind, 3));
	put_wide(t, vaddr);
}

/* All steps of a tape. */
static inline size_t steps_of(struct trace *t, const struct tape *tape,
			      struct trace_step *steps, size_t most)
{
	struct trace_cursor c = { 0 };
	size_t n = 0;

	cr_assert_eq(
		trace_open(t, ARCH_AARCH64, guest_range, tape->words, tape->n, false), 0);
	while (n < most && trace_next(t, &c, &steps[n]))
		n++;
	return n;
}

static inline void expect_symbol(const struct symbols *s, enum trace_space space,
				 uint64_t vaddr, const char *name)
{
	const struct symbol *found = symbols_find(s, space, vaddr);

	if (name)
		cr_expect(found && !strcmp(found->name, name), "%lx: %s, not %s", vaddr,
			  found ? found->name : "nothing", name);
	else
		cr_expect_null(found, "%lx: %s", vaddr, found->name);
}

#endif
