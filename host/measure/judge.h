/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the exits that were counted prove what a row claims to measure. */
#ifndef WS_MEASURE_JUDGE_H
#define WS_MEASURE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/targets/target.h"

/* How far a target's counters can be believed. */
enum judge_trust {
	JUDGE_NO_HYPERVISOR, /* nothing exits: nothing is counted */
	JUDGE_USER_ONLY,     /* software KVM: only returns of KVM_RUN are certain */
	JUDGE_ALL,
	JUDGE_DRIVER, /* the row's driver ends in failure unless it saw what it should */
};

struct judgement {
	enum bench_handler handled_by; /* as observed */
	int64_t expected, observed;    /* exits; -1: nobody counted */
	bool proven;
	char reason[256]; /* where it is not */
};

/*
 * One boot's EVENT phase: `events` bodies of `row`.
 *
 * Each host interrupt in the meantime may have added one exit (x86 counts
 * exactly those that did); any other surplus, and every deficit, disproves.
 */
void judge_exits(const struct bench *row, enum judge_trust trust, uint64_t events,
		 const struct boot_counts *counts, struct judgement *out);

/*
 * After it: disproves a row that only says what it sees (HANDLED_OBSERVED) if some of
 * its events raised an exception in the guest and others did not.
 */
void judge_faults(const struct bench *row, uint64_t events, uint64_t faults,
		  struct judgement *out);

#endif
