/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the exits that were counted prove what a row claims to measure. */
#include <stdio.h>
#include <string.h>

#include "host/measure/judge.h"

/* Exits per body, by who handles it. */
static int64_t exits_per_body(enum bench_handler handler)
{
	return handler == HANDLED_KERNEL || handler == HANDLED_USER;
}

static const char *handler_text(enum bench_handler handler)
{
	static const char *const texts[] = {
		[HANDLED_NONE] = "no exit",
		[HANDLED_HARDWARE] = "no exit",
		[HANDLED_KERNEL] = "an exit to the kernel",
		[HANDLED_USER] = "an exit to user space",
		[HANDLED_UNKNOWN] = "something else",
	};

	return texts[handler];
}

/* Whether `n` exits for the guest's sake explain what was counted. */
static bool explains(int64_t n, const struct boot_counts *c)
{
	int64_t interrupts = c->interrupts > 0 ? c->interrupts : 0;

	return c->exits >= n && c->exits - interrupts <= n;
}

static enum bench_handler observe(int64_t events, const struct boot_counts *c)
{
	bool none = explains(0, c), all = explains(events, c);

	if (c->user == events && all)
		return HANDLED_USER;
	if (c->user)
		return HANDLED_UNKNOWN;
	if (none == all)
		return HANDLED_UNKNOWN; /* neither, or too many interrupts to tell */
	return all ? HANDLED_KERNEL : HANDLED_NONE;
}

static void judge_user_only(const struct bench *row, int64_t events,
			    const struct boot_counts *c, struct judgement *out)
{
	int64_t expected = row->handled_by == HANDLED_USER ? events : 0;

	out->expected = expected;
	out->observed = c->user;
	out->handled_by = c->user && c->user == events ? HANDLED_USER : HANDLED_UNKNOWN;
	out->proven = c->user == expected;
	if (!out->proven)
		snprintf(out->reason, sizeof(out->reason),
			 "expected %lld exits to user space, observed %lld",
			 (long long)expected, (long long)c->user);
}

static void judge_all(const struct bench *row, int64_t events,
		      const struct boot_counts *c, struct judgement *out)
{
	out->expected = events * exits_per_body(row->handled_by);
	out->handled_by = observe(events, c);
	out->proven = out->handled_by == row->handled_by;
	/* What interrupts explain is not the guest's doing. */
	out->observed = explains(out->expected, c) ? out->expected : c->exits;
	if (out->proven)
		return;
	snprintf(out->reason, sizeof(out->reason),
		 "expected %s for each of %lld events, observed %s: %lld exits (%lld to "
		 "user "
		 "space), %lld host interrupts",
		 handler_text(row->handled_by), (long long)events,
		 handler_text(out->handled_by), (long long)c->exits, (long long)c->user,
		 (long long)c->interrupts);
}

void judge_exits(const struct bench *row, enum judge_trust trust, uint64_t events,
		 const struct boot_counts *c, struct judgement *out)
{
	memset(out, 0, sizeof(*out));
	if (trust == JUDGE_NO_HYPERVISOR) {
		out->handled_by = HANDLED_NONE;
		out->expected = 0;
		out->observed = -1;
		out->proven = true;
	} else if (trust == JUDGE_USER_ONLY || c->exits < 0) {
		judge_user_only(row, (int64_t)events, c, out);
	} else {
		judge_all(row, (int64_t)events, c, out);
	}
}
