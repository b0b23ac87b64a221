/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a boot proves what its row claims: exits, exceptions, the CPU's frequency; and
 * what the guest's own PMC counted of an event, and what it did not.
 */
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/figures.h"
#include "host/stats/summary.h"

static const struct config_effect *effect_of(const char *config, const struct bench *row)
{
	const struct config_effect *e;

	for (e = config_effect_table; e->config; e++)
		if (!strcmp(e->config, config) && !fnmatch(e->rows, row->id, 0))
			return e;
	return NULL;
}

/* `parameters`: "NAME=VALUE ...". Before it was a bool, `npt` was a number. */
static bool has_shadow_paging(const char *parameters)
{
	return strstr(parameters, " ept=N") || strstr(parameters, " npt=N") ||
	       strstr(parameters, " ept=0") || strstr(parameters, " npt=0");
}

struct bench judge_row(const struct bench *row, const struct config *config,
		       const struct result *r, const char **skip)
{
	const struct config_effect *e = effect_of(config->name, row);
	struct bench under = *row;
	const char *parameters = "";

	for (size_t i = 0; i < r->n_checks; i++)
		if (!strcmp(r->checks[i].id, "kvm_parameters") && r->checks[i].value)
			parameters = r->checks[i].value;
	if (!e && has_shadow_paging(parameters))
		e = effect_of("nested-paging-off", row);
	*skip = e ? e->skip : NULL;
	if (!e && row->needs & RAISES && !strcmp(row->group, "msr") &&
	    strstr(parameters, "ignore_msrs=Y"))
		*skip = "KVM has the parameter ignore_msrs=1, and raises no #GP";
	if (e && !e->skip) {
		under.handled_by = e->handled_by;
		under.exits = e->exits;
		/* Without the exits, no exceptions either. */
		if (e->handled_by == HANDLED_NONE)
			under.needs &= ~RAISES;
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
	int64_t fewest = row->needs & SEQUENCE_EXITS ? most - 2 * events : 0;

	if (row->handled_by != HANDLED_AT_MOST || c->user || least > most)
		return false;
	if (own > most)
		own = most;
	if (!least && own < most && !subject)
		own = 0;
	out->handled_by = own ? HANDLED_KERNEL : HANDLED_NONE;
	out->expected = out->observed = own;
	out->proven = own >= fewest;
	if (!out->proven) {
		out->expected = fewest;
		snprintf(
			out->reason, sizeof(out->reason),
			"expected %lld exits or more of the counted sequence, observed %lld exits, %lld host interrupts",
			(long long)fewest, (long long)c->exits, (long long)interrupts);
	}
	return true;
}

/*
 * NEEDS_NESTED: how many exits to L0 an event costs depends on the kernel. The row claims
 * the least number, and every event must cost as many as the others.
 */
static void judge_nested(const struct bench *row, int64_t events,
			 const struct boot_counts *c, struct judgement *out)
{
	int64_t interrupts = c->interrupts > 0 ? c->interrupts : 0;
	int64_t own = c->interrupts_exact ? c->exits - interrupts : c->exits;
	int64_t user = row->handled_by == HANDLED_USER ? events : 0;
	int64_t rest, slack = c->interrupts_exact ? 0 : interrupts;
	int64_t least = row->handled_by == HANDLED_VARIES ? 0 : row->exits;

	out->traps = own > 0 && events ? own / events : 0;
	rest = own - out->traps * events;
	out->handled_by = c->user      ? HANDLED_USER
			  : out->traps ? HANDLED_KERNEL
				       : HANDLED_NONE;
	out->expected = out->observed = out->traps * events;
	out->proven = rest >= 0 && rest <= slack && slack < (events ? events : 1) &&
		      c->user == user && out->traps >= least &&
		      (row->handled_by != HANDLED_NONE || !out->traps);
	if (out->proven)
		return;
	out->handled_by = HANDLED_UNKNOWN;
	out->expected = events * row->exits;
	out->observed = own;
	out->traps = -1;
	snprintf(
		out->reason, sizeof(out->reason),
		"expected %s, %u or more exits to L0, as many of each of %lld events: observed %lld exits (%lld to user space), %lld host interrupts",
		handler_text(row->handled_by), row->exits, (long long)events,
		(long long)c->exits, (long long)c->user, (long long)c->interrupts);
}

void judge_l1(const struct bench *row, const char *phase, uint64_t bodies,
	      uint64_t l1_exits, struct judgement *out)
{
	uint64_t expected = row->needs & EXITS_TO_L1 ? bodies : 0;

	if (!(row->needs & NEEDS_NESTED) || !out->proven || l1_exits == expected)
		return;
	out->proven = false;
	snprintf(out->reason, sizeof(out->reason),
		 "expected %llu exits of L2 to L1 in the %s phase, L1 counted %llu",
		 (unsigned long long)expected, phase, (unsigned long long)l1_exits);
}

void judge_deliveries(const struct bench *row, const char *phase, uint64_t bodies,
		      uint64_t deliveries, struct judgement *out)
{
	if (!(row->needs & COUNTS_DELIVERIES) || !out->proven || deliveries == bodies)
		return;
	out->proven = false;
	snprintf(
		out->reason, sizeof(out->reason),
		"expected %llu interrupts in the %s phase, the guest's handler counted %llu",
		(unsigned long long)bodies, phase, (unsigned long long)deliveries);
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
	/*
	 * The exit of an interrupt was an event where the guest cannot tell them apart.
	 * Few of them do not move the median.
	 */
	if (row->needs & NEEDS_LENGTH && c->interrupts_exact && c->interrupts > 0 &&
	    c->interrupts <= (int64_t)events / 4) {
		int64_t expected = (int64_t)events * row->exits + c->interrupts;

		if (own.exits < expected && own.exits >= expected - c->interrupts)
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
	out->traps = out->statistic_expected = out->statistic_counted = -1;
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
	} else if (row->needs & NEEDS_NESTED) {
		judge_nested(row, (int64_t)events, &own, out);
	} else if (!judge_at_most(row, (int64_t)events, &own, out)) {
		judge_all(row, (int64_t)events, &own, out);
	}
}

/* The doorbells of the phase that are in the counts: the closing one, and reloads. */
static int64_t doorbells_of(const struct bench *row, uint64_t events)
{
	return 1 + (row->needs & NEEDS_RELOAD ? (int64_t)events : 0);
}

void judge_statistic(const struct bench *row, const struct bench_claim *claim,
		     enum judge_trust trust, uint64_t events, const struct boot_counts *c,
		     struct judgement *out)
{
	const struct bench_statistic *s =
		claim ? &bench_statistic_table[claim->statistic] : NULL;
	int64_t all, least, missing, counted, spare = 0;

	if (!claim || trust != JUDGE_ALL || c->exits < 0 || c->statistic < 0)
		return;
	all = (int64_t)events * claim->times;
	missing = (int64_t)events * row->exits - out->observed;
	least = missing <= 0 ? all : missing < all ? all - missing : 0;
	all = out->observed < all ? out->observed : all;
	counted = c->statistic;
	if (s->doorbell == DOORBELL_ALWAYS)
		counted -= doorbells_of(row, events);
	if (s->doorbell == DOORBELL_PERHAPS)
		spare = doorbells_of(row, events);
	if (row->needs & NEEDS_SLACK)
		spare += (int64_t)events;
	if (counted > all && counted <= all + spare)
		counted = all;
	out->statistic_counted = counted < 0 ? 0 : counted;
	out->statistic_expected = counted > all ? all : counted < least ? least : counted;
	if (!out->proven || out->statistic_expected == counted)
		return;
	out->proven = false;
	snprintf(out->reason, sizeof(out->reason),
		 "expected %lld %s in %lld events, KVM counted %lld (%s): %lld exits",
		 (long long)out->statistic_expected, s->what, (long long)events,
		 (long long)out->statistic_counted, s->name, (long long)out->observed);
}

/* RAISES: what a machine without KVM raises in place of an exit is not known. */
static void judge_raises(const struct bench *row, enum judge_trust trust, uint64_t events,
			 uint64_t faults, struct judgement *out)
{
	const uint64_t expected = events * (row->exits ? row->exits : 1);

	if (!(row->needs & RAISES) || !out->proven || faults == expected ||
	    (row->exits && trust != JUDGE_ALL))
		return;
	out->proven = false;
	snprintf(out->reason, sizeof(out->reason),
		 "expected %llu exceptions in %llu events, the guest took %llu",
		 (unsigned long long)expected, (unsigned long long)events,
		 (unsigned long long)faults);
}

void judge_faults(const struct bench *row, enum judge_trust trust, uint64_t events,
		  uint64_t faults, struct judgement *out)
{
	judge_raises(row, trust, events, faults, out);
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

/* Two rates that differ by more are not one rate: the CPU's frequency has moved. */
#define RATE_DRIFT 0.01

static double median_of(const uint64_t *series, size_t n)
{
	struct stats_summary s;

	if (!n || stats_summarize((const int64_t *)series, n, &s))
		return NAN;
	return s.p50;
}

void judge_twin(const struct bench *row, const struct boot_report *rep,
		struct judgement *out)
{
	const uint64_t *n = rep->guest.samples;
	double event, twin;

	if (!(row->needs & MORE_THAN_TWIN) || !out->proven)
		return;
	event = median_of(rep->series[ABI_PHASE_EVENT], n[ABI_PHASE_EVENT]);
	twin = median_of(rep->series[ABI_PHASE_TWIN], n[ABI_PHASE_TWIN]);
	if (event > twin)
		return;
	out->proven = false;
	snprintf(
		out->reason, sizeof(out->reason),
		"expected a trap that KVM does not count, but an event costs %.9g and its twin, which does not trap, %.9g",
		event, twin);
}

double visible_rate(const uint64_t *counted, const uint64_t *ticks, size_t n, char *why,
		    size_t why_bytes)
{
	size_t half = n / 2;
	double before = NAN, after = NAN;

	if (n) {
		before = median_of(counted, half) / median_of(ticks, half);
		after = median_of(counted + half, n - half) /
			median_of(ticks + half, n - half);
	}
	if (!isfinite(before) || !isfinite(after) || before <= 0 || after <= 0) {
		snprintf(
			why, why_bytes,
			"PMC and clock cannot be compared: one of them does not move in a loop that does not exit");
		return NAN;
	}
	if (fabs(after / before - 1) > RATE_DRIFT) {
		snprintf(
			why, why_bytes,
			"PMC and clock cannot be compared: the PMC counted %.4f per tick before the events and %.4f after",
			before, after);
		return NAN;
	}
	return (before + after) / 2;
}

/* Counts and samples of a guest or a lab can have any value: these do not overflow. */
static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

/*
 * Of the exits of the PMC phase those that reading the PMC causes are in the empty one,
 * too. Each host interrupt of either may have added one, unless KVM knows which did.
 */
static struct boot_counts own_exits(const struct boot_report *rep)
{
	const struct boot_counts *all = &rep->counts[ABI_PHASE_PMC];
	const struct boot_counts *looks = &rep->counts[ABI_PHASE_PMC_NULL];
	struct boot_counts own = *all;

	own.user = minus(all->user, looks->user);
	if (all->exits < 0 || looks->exits < 0 || all->interrupts < 0 ||
	    looks->interrupts < 0) {
		own.exits = -1;
		return own;
	}
	if (all->interrupts_exact && looks->interrupts_exact) {
		own.exits = minus(minus(all->exits, all->interrupts),
				  minus(looks->exits, looks->interrupts));
		own.interrupts = 0;
		return own;
	}
	own.interrupts = plus(all->interrupts, looks->interrupts);
	own.exits = plus(minus(all->exits, looks->exits), looks->interrupts);
	/* Both phases' are then taken away for certain, not by as many as need be. */
	if (all->interrupts_exact && looks->interrupts_exact)
		own.exits = plus(own.exits, looks->interrupts);
	own.interrupts_exact = all->interrupts_exact && looks->interrupts_exact;
	return own;
}

static void prove(const struct bench *row, enum judge_trust trust,
		  const struct boot_report *rep, struct visible *v)
{
	const struct boot_counts own = own_exits(rep);
	struct judgement j;

	judge_exits(row, trust, v->n, &own, &j);
	v->proven = j.proven;
	if (!j.proven)
		snprintf(v->reason, sizeof(v->reason), "with the PMC read: %s", j.reason);
}

static double rate_of(bool exact, const struct boot_report *rep, struct visible *v)
{
	if (exact)
		return 1;
	return visible_rate(
		rep->series[ABI_PHASE_SPIN], rep->series[ABI_PHASE_SPIN_CLOCK],
		rep->guest.samples[ABI_PHASE_SPIN], v->reason, sizeof(v->reason));
}

int visible_compute(const struct bench *row, enum judge_trust trust, bool exact,
		    const struct boot_report *rep, struct visible *out)
{
	size_t n = rep->guest.samples[ABI_PHASE_PMC], i;
	double looks, empty, rate;

	memset(out, 0, sizeof(*out));
	/* What the guest claims need not go together. */
	if (!n || rep->guest.samples[ABI_PHASE_PMC_CLOCK] != n ||
	    rep->guest.samples[ABI_PHASE_PMC_NULL] != n ||
	    rep->guest.samples[ABI_PHASE_PMC_NULL_CLOCK] != n ||
	    rep->guest.samples[ABI_PHASE_SPIN] !=
		    rep->guest.samples[ABI_PHASE_SPIN_CLOCK])
		return 0;
	out->visible = calloc(n, sizeof(*out->visible));
	if (!out->visible)
		return -ENOMEM;
	out->n = n;
	looks = median_of(rep->series[ABI_PHASE_PMC_NULL], n);
	empty = median_of(rep->series[ABI_PHASE_PMC_NULL_CLOCK], n);
	for (i = 0; i < n; i++)
		out->visible[i] =
			minus((int64_t)rep->series[ABI_PHASE_PMC][i], llround(looks));
	prove(row, trust, rep, out);
	if (!out->proven)
		return 0;
	rate = rate_of(exact, rep, out);
	if (isnan(rate))
		return 0;
	out->hidden = calloc(n, sizeof(*out->hidden));
	if (!out->hidden)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		out->hidden[i] = llround((double)rep->series[ABI_PHASE_PMC_CLOCK][i] -
					 empty - (double)out->visible[i] / rate);
	return 0;
}

void visible_free(struct visible *v)
{
	free(v->visible);
	free(v->hidden);
	memset(v, 0, sizeof(*v));
}
