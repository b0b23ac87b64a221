/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a boot proves what its row claims: exits, exceptions, the CPU's frequency. */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/measure/judge.h"

struct bench judge_row(const struct bench *row, const struct config *config,
		       const char **skip)
{
	struct bench under = *row;
	const struct config_effect *e;

	*skip = NULL;
	for (e = config_effect_table; e->config; e++) {
		if (strcmp(e->config, config->name) || fnmatch(e->rows, row->id, 0))
			continue;
		*skip = e->skip;
		if (!e->skip) {
			under.handled_by = e->handled_by;
			under.exits = e->exits;
		}
		break;
	}
	return under;
}

static const char *handler_text(enum bench_handler handler)
{
	static const char *const texts[] = {
		[HANDLED_NONE] = "no exit",
		[HANDLED_HARDWARE] = "no exit",
		[HANDLED_KERNEL] = "an exit to the kernel",
		[HANDLED_USER] = "an exit to user space",
		[HANDLED_UNKNOWN] = "something else",
		[HANDLED_VARIES] = "no exit or one to the kernel",
		[HANDLED_AT_MOST] = "at most so many exits to the kernel",
		[HANDLED_OBSERVED] = "the same of every event",
	};

	return texts[handler];
}

/* Whether `n` exits of the guest, and host interrupts, explain the count. */
static bool explains(int64_t n, const struct boot_counts *c)
{
	int64_t interrupts = c->interrupts > 0 ? c->interrupts : 0;

	if (c->interrupts_exact)
		return c->exits - interrupts == n;
	return c->exits >= n && c->exits - interrupts <= n;
}

/* `expected`: the exits if every event exits as often as its row says. */
static enum bench_handler observe(const struct bench *row, int64_t expected,
				  const struct boot_counts *c)
{
	bool none = explains(0, c), all = explains(expected, c);

	/* Interrupts are the subject of the row: they explain no exit. */
	if (row->needs & NEEDS_INTERRUPT)
		none = !c->exits;

	if (expected && c->user == expected && all)
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
	int64_t expected = row->handled_by == HANDLED_USER ? events * row->exits : 0;

	if (row->handled_by == HANDLED_OBSERVED && c->user)
		expected = events * row->exits;
	out->expected = expected;
	out->observed = c->user;
	out->handled_by = c->user && c->user == expected ? HANDLED_USER : HANDLED_UNKNOWN;
	out->proven = c->user == expected;
	if (!out->proven)
		snprintf(out->reason, sizeof(out->reason),
			 "expected %lld exits to user space, observed %lld",
			 (long long)expected, (long long)c->user);
}

static void judge_all(const struct bench *row, int64_t events,
		      const struct boot_counts *c, struct judgement *out)
{
	int64_t if_all = events * (row->exits ? row->exits : 1);

	out->handled_by = observe(row, if_all, c);
	out->proven = out->handled_by == row->handled_by ||
		      (row->handled_by == HANDLED_VARIES &&
		       (out->handled_by == HANDLED_NONE ||
			out->handled_by == HANDLED_KERNEL)) ||
		      (row->handled_by == HANDLED_OBSERVED &&
		       out->handled_by != HANDLED_UNKNOWN);
	out->expected = (row->handled_by == HANDLED_VARIES ||
			 row->handled_by == HANDLED_OBSERVED) &&
					out->handled_by == HANDLED_NONE
				? 0
				: events * row->exits;
	/* A surplus that interrupts explain is not the guest's. */
	out->observed = explains(out->expected, c) ? out->expected : c->exits;
	if (out->proven)
		return;
	snprintf(
		out->reason, sizeof(out->reason),
		"expected %s, %u per event of %lld, observed %s: %lld exits (%lld to user space), %lld host interrupts",
		handler_text(row->handled_by), row->exits, (long long)events,
		handler_text(out->handled_by), (long long)c->exits, (long long)c->user,
		(long long)c->interrupts);
}

/*
 * HANDLED_AT_MOST: any number of exits to the kernel up to the row's. Where the host
 * tells only how many interrupts its CPUs took, these include the ones that the row
 * itself sends to the other vCPU's CPU: they explain a few exits, and not one exit of
 * every event.
 */
static bool judge_at_most(const struct bench *row, int64_t events,
			  const struct boot_counts *c, struct judgement *out)
{
	int64_t most = events * row->exits;
	int64_t interrupts = c->interrupts > 0 ? c->interrupts : 0;
	int64_t least = c->exits > interrupts ? c->exits - interrupts : 0;
	/* In a row that NEEDS_INTERRUPT, an exit for one is the row's own. */
	bool subject = row->needs & NEEDS_INTERRUPT;
	int64_t own = c->interrupts_exact && !subject ? least : c->exits;

	if (row->handled_by != HANDLED_AT_MOST || c->user || least > most)
		return false;
	if (own > most)
		own = most;
	if (!least && own < most && !subject)
		own = 0;
	out->handled_by = own ? HANDLED_KERNEL : HANDLED_NONE;
	out->expected = out->observed = own;
	out->proven = true;
	return true;
}

/* The counts without the untimed exit to user space of every event. */
static struct boot_counts own_counts(const struct bench *row, uint64_t events,
				     const struct boot_counts *c)
{
	struct boot_counts own = *c;

	if (row->needs & NEEDS_RELOAD) {
		own.user -= (int64_t)events;
		if (own.exits >= 0)
			own.exits -= (int64_t)events;
	}
	/*
	 * KVM resumes a guest at the instruction whose first use exited. A host interrupt
	 * that comes before the instruction has retired makes it exit once more.
	 */
	if (row->needs & NEEDS_RELOAD && c->interrupts_exact && c->interrupts > 0) {
		int64_t expected = (int64_t)events * row->exits + c->interrupts;

		if (own.exits > expected && own.exits <= expected + c->interrupts)
			own.exits = expected;
	}
	if (row->needs & NEEDS_SLACK && own.exits >= own.user + (int64_t)events)
		own.exits -= (int64_t)events;
	return own;
}

void judge_exits(const struct bench *row, enum judge_trust trust, uint64_t events,
		 const struct boot_counts *c, struct judgement *out)
{
	const struct boot_counts own = own_counts(row, events, c);

	memset(out, 0, sizeof(*out));
	if (trust == JUDGE_NO_HYPERVISOR) {
		out->handled_by = HANDLED_NONE;
		out->expected = 0;
		out->observed = -1;
		out->proven = true;
	} else if (trust == JUDGE_HOST_TIMED) {
		out->handled_by = row->handled_by;
		out->expected = out->observed = -1;
		out->proven = true;
	} else if (trust == JUDGE_USER_ONLY || c->exits < 0) {
		judge_user_only(row, (int64_t)events, &own, out);
	} else if (!judge_at_most(row, (int64_t)events, &own, out)) {
		judge_all(row, (int64_t)events, &own, out);
	}
}

void judge_faults(const struct bench *row, uint64_t events, uint64_t faults,
		  struct judgement *out)
{
	if (row->handled_by != HANDLED_OBSERVED || !out->proven || !faults ||
	    faults == events)
		return;
	out->proven = false;
	snprintf(out->reason, sizeof(out->reason),
		 "%llu of %llu events raised an exception, the others did not",
		 (unsigned long long)faults, (unsigned long long)events);
}

double judge_pace(const struct abi_report *guest)
{
	double least = INFINITY, most = 0;
	unsigned int i, n = 0;

	for (i = 0; i < ABI_PACES; i++) {
		double ticks = (double)guest->pace[i];

		if (!guest->pace[i])
			continue;
		least = fmin(least, ticks);
		most = fmax(most, ticks);
		n++;
	}
	return n < 2 ? NAN : most / least - 1;
}
