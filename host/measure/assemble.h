/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the samples of boots to the metrics of a benchmark, and from the boots of a metric
 * to its estimate: value, intervals, and warnings about events that are not steady.
 */
#ifndef WS_MEASURE_ASSEMBLE_H
#define WS_MEASURE_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/measure/judge.h"
#include "host/result/result.h"
#include "host/stats/bootstrap.h"
#include "host/targets/target.h"

/* What an estimate depends on beside the boots. */
struct estimate {
	struct result *result;
	bool exact;
	bool repeats;	/* boots of an exact target must agree */
	double quantum; /* the step of the clock, in its unit */
	uint64_t seed;	/* of the bootstrap */
	/* Sorted events of all valid boots of the row, for the bootstrap. */
	struct stats_events *boots;
	size_t n_boots;
};

/*
 * Fills in boot->steady from `events` in the order of time; the boot has its summary.
 * 0 or -ENOMEM.
 */
int estimate_steady(const struct estimate *e, struct result_boot *boot,
		    const int64_t *events, size_t n);

/* Keeps a sorted copy of a valid boot's events. 0 or -ENOMEM. */
int estimate_keep(struct estimate *e, const int64_t *events, size_t n);
void estimate_forget(struct estimate *e);

/* Over the valid boots of `m`, a metric of `b`: value, intervals, warnings. */
void estimate_metric(const struct estimate *e, const struct result_benchmark *b,
		     struct result_metric *m);

/* Warns if the two timing modes disagree: one of them does not measure the row. */
void estimate_modes(const struct estimate *e, const struct result_benchmark *b);

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
	uint64_t seed; /* of the bootstrap */
	struct boot_scale scale;
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

/* For metrics beside those of every row: the metric, and the boot that is added to it. */
struct assemble_metric {
	const char *name, *unit;
	const char *better; /* "lower", "higher" */
};
struct assemble_boot {
	uint32_t index;
	const char *reject; /* why the boot is not valid; NULL */
	const struct boot_counts *counts;
};

/* Each of the `n` values is of `bodies` bodies. Overwrites `values`. 0 or -ENOMEM. */
int assemble_values(struct assembly *a, const struct assemble_metric *metric,
		    const struct assemble_boot *of, int64_t *values, size_t n,
		    double bodies);

/*
 * scale.c: boots with a scale. Whether each vCPU proves the row, with the sum of their
 * counts; what the machine lacks for the scale; and the metrics that other boots do not
 * have.
 */
void scale_judge(const struct assembly *a, const struct boot_lanes *lanes,
		 struct judgement *out, struct boot_counts *c);
void scale_note(struct assembly *a, const struct boot_lanes *lanes);
int scale_metrics(struct assembly *a, const struct boot_report *rep,
		  const struct assemble_boot *of);

/* Ends the row without figures. */
void assemble_stop(struct assembly *a, enum result_status status, const char *reason);

/* Estimates over the valid boots; the row fails if there are none. */
void assemble_end(struct assembly *a);

#endif
