/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a boot proves what its row claims: exits, exceptions, the CPU's frequency; and
 * of each event's round trip, the part that the guest's own PMC counted (visible) and the
 * part that it did not (hidden).
 */
#ifndef WS_MEASURE_JUDGE_H
#define WS_MEASURE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/targets/target.h"

/* How far the counters of a target are reliable. */
enum judge_trust {
	JUDGE_NO_HYPERVISOR, /* the guest does not exit: no counts */
	JUDGE_USER_ONLY,     /* software KVM: only returns of KVM_RUN are reliable */
	JUDGE_ALL,
	JUDGE_HOST_TIMED, /* the row's function checks what it saw and fails itself */
};

struct judgement {
	enum bench_handler handled_by; /* as observed */
	int64_t expected, observed;    /* exits; -1: not counted */
	int64_t traps; /* NEEDS_NESTED: exits to L0 of each event; -1: not counted */
	bool proven;
	char reason[256]; /* if not proven */
};

/*
 * Judges the EVENT phase of one boot: `events` bodies of `row`. Each host interrupt
 * during the phase may have added one exit (KVM on x86 counts those that did); any other
 * surplus, and every deficit, disproves the row.
 */
void judge_exits(const struct bench *row, enum judge_trust trust, uint64_t events,
		 const struct boot_counts *counts, struct judgement *out);

/*
 * After judge_exits(): disproves a HANDLED_OBSERVED row if some events raised an
 * exception in the guest and others did not.
 */
void judge_faults(const struct bench *row, uint64_t events, uint64_t faults,
		  struct judgement *out);

/*
 * After judge_exits(): disproves a row that NEEDS_NESTED if its guest did not exit to the
 * payload as often as the row says. `l1_exits` is the payload's own count.
 */
void judge_l1(const struct bench *row, uint64_t events, uint64_t l1_exits,
	      struct judgement *out);

/*
 * The row as it is to be proven under `config` (bench/effects.def). `skip`: why the row
 * cannot run under `config`, or NULL.
 */
struct bench judge_row(const struct bench *row, const struct config *config,
		       const char **skip);

/*
 * The fastest of 20 pace loops varies by 0.1 % while the CPU keeps its frequency. A
 * change of the frequency is a step: 2.6, 5.3, 7.9, 11 or 14 % on one machine (no guest,
 * three looks 100 ms apart, other work on both CPUs), where 24 of 100 boots had no step,
 * 41 had one, and 35 had more. One step is common on a machine that is not tuned, and the
 * interval over the boots includes its effect; a boot with more is rejected.
 */
#define JUDGE_PACE_TOLERANCE 0.04

/*
 * How much longer the slowest pace loop of a boot took than the fastest, less 1: the
 * CPU's frequency changed against the guest's clock (DVFS, turbo, throttling). NAN if
 * fewer than two loops ran.
 */
double judge_pace(const struct abi_report *guest);

struct visible {
	size_t n;	  /* events; 0: the guest has no PMC */
	int64_t *visible; /* in the PMC's unit */
	int64_t *hidden;  /* in the clock's; NULL: not known, `reason` says why */
	char reason[320]; /* also where the figures prove nothing: see `proven` */
	bool proven;	  /* the events exited as often as the timed ones do */
};

/*
 * From the PMC's series of a boot that ended as BOOT_DONE. On an exact target the PMC
 * counts the clock's own unit. Elsewhere the two are compared over loops that do not
 * exit, before and after the events. 0 or -ENOMEM. visible_free() it.
 */
int visible_compute(const struct bench *row, enum judge_trust trust, bool exact,
		    const struct boot_report *rep, struct visible *out);
void visible_free(struct visible *v);

/* PMC counts per tick of the clock over `n` spins. NAN with `why` if undefined. */
double visible_rate(const uint64_t *counted, const uint64_t *ticks, size_t n, char *why,
		    size_t why_bytes);

#endif
