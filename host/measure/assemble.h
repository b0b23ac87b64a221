/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the samples of boots to the metrics of a benchmark. */
#ifndef WS_MEASURE_ASSEMBLE_H
#define WS_MEASURE_ASSEMBLE_H

#include "host/measure/estimate.h"
#include "host/measure/judge.h"
#include "host/result/result.h"
#include "host/targets/target.h"

/* Takes one benchmark from its first boot to its estimates. */
struct assembly {
	struct result *result;
	size_t index;	    /* of the benchmark in `result`: its address may change */
	struct bench under; /* judge_row() of the row and its config */
	const struct bench *row;
	const struct abi_params *params;
	enum judge_trust trust;
	bool exact;
	const char *unit;
	uint64_t seed;		  /* of the bootstrap */
	struct estimate estimate; /* of the round trip; assemble_end() frees its events */
	double pace_spread;	  /* judge_pace() of the current boot */
};

/* Adds the benchmark to `a->result`; sets `row`; the other members are the caller's. */
void assemble_begin(struct assembly *a, const struct bench *row,
		    const struct config *config);

/*
 * Adds a boot whose outcome is BOOT_DONE. A boot that does not prove the row, or that the
 * host disturbed, is kept as invalid. A boot with impossible values ends the row
 * (RESULT_FAIL).
 */
int assemble_boot(struct assembly *a, uint32_t index, const struct boot_report *rep);

/* Ends the row without figures. */
void assemble_stop(struct assembly *a, enum result_status status, const char *reason);

/* Estimates over the valid boots; the row fails if there are none. */
void assemble_end(struct assembly *a);

#endif
