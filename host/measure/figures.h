/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boots of a benchmark to its figures: whether a boot proves its row (judge.c)
 * and counts (accept.c), its samples as metrics (assemble.c), and estimates over the
 * boots (estimate.c).
 */
#ifndef WS_MEASURE_FIGURES_H
#define WS_MEASURE_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/result/result.h"
#include "host/stats/two_sample.h"
#include "host/targets/target.h"

/* ------------------------------ judge ------------------------------ */

/*
 * Whether a boot proves what its row claims: exits, exceptions, the CPU's frequency; and
 * of each event's round trip, the part that the guest's own PMC counted (visible) and the
 * part that it did not (hidden).
 */

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
	/* What the statistic that the row names was to count, and did; -1: not counted.
	 */
	int64_t statistic_expected, statistic_counted;
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
 * After judge_exits(): disproves a row whose exits are not those that it names. `row` is
 * that of the catalogue, whatever the config changes; `claim` its statistic, or NULL.
 *
 * Exits that did not happen, of those that the catalogue has for an event, may be the
 * ones that the statistic counts; all others that it counts must have happened.
 */
void judge_statistic(const struct bench *row, const struct bench_claim *claim,
		     enum judge_trust trust, uint64_t events,
		     const struct boot_counts *counts, struct judgement *out);

/*
 * After judge_exits(): disproves a row with RAISES unless its events raised the
 * exceptions, and a HANDLED_OBSERVED row if some events raised one and others did not.
 */
void judge_faults(const struct bench *row, enum judge_trust trust, uint64_t events,
		  uint64_t faults, struct judgement *out);

/*
 * After judge_exits(): disproves a row that NEEDS_NESTED if in a phase with `bodies`
 * bodies its guest did not exit to the payload as often as the row says. `l1_exits` is
 * the payload's own count.
 */
void judge_l1(const struct bench *row, const char *phase, uint64_t bodies,
	      uint64_t l1_exits, struct judgement *out);

/*
 * After judge_exits(): disproves a row with COUNTS_DELIVERIES if `bodies` bodies of a
 * phase did not deliver one interrupt each, by the count of the payload's handler.
 */
void judge_deliveries(const struct bench *row, const char *phase, uint64_t bodies,
		      uint64_t deliveries, struct judgement *out);

/*
 * After judge_exits(): disproves a row with MORE_THAN_TWIN by the medians of its events
 * and its twins.
 */
void judge_twin(const struct bench *row, const struct boot_report *rep,
		struct judgement *out);

/*
 * The row as it is to be proven under `config` (bench/effects.def) on the machine whose
 * environment `r` has. `skip`: why the row cannot run under `config`, or NULL.
 */
struct bench judge_row(const struct bench *row, const struct config *config,
		       const struct result *r, const char **skip);

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

/* ------------------------------ assemble and estimate ------------------------------ */

/*
 * From the samples of boots to the metrics of a benchmark, and from the boots of a metric
 * to its estimate: value, intervals, and warnings about events that are not steady.
 */

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

/* The modes alone, of `events` in any order. 0 or -ENOMEM. */
int estimate_kinds(const struct estimate *e, struct result_boot *boot,
		   const int64_t *events, size_t n);

/* Keeps a sorted copy of a valid boot's events. 0 or -ENOMEM. */
int estimate_keep(struct estimate *e, const int64_t *events, size_t n);
void estimate_forget(struct estimate *e);

/* Over the valid boots of `m`, a metric of `b`: value, intervals, warnings. */
void estimate_metric(const struct estimate *e, const struct result_benchmark *b,
		     struct result_metric *m);

/* Warns if the two timing modes disagree: one of them does not measure the row. */
void estimate_modes(const struct estimate *e, const struct result_benchmark *b);

/*
 * Warns once of a run on a noisy target whose clock is coarse: how many figures are less
 * than 200 of its steps, and which other metric resolves them.
 */
void estimate_clock(struct result *r);

/* Takes one benchmark from its first boot to its estimates. */
struct assembly {
	struct result *result;
	size_t index; /* of the benchmark in `result`: its address may change */
	const struct bench *bench;	 /* of the catalogue; set by assemble_begin() */
	const struct bench_claim *claim; /* the statistic that it names; NULL: none */
	struct bench under;		 /* judge_row() of the row and its config */
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

/*
 * accept.c: an impossible value of the report, as a text that `a->result` keeps; NULL.
 */
const char *accept_report(const struct assembly *a, const struct boot_report *rep);

/*
 * accept.c: why the boot does not count, as above; NULL: it does. `j` and `c`: what its
 * events prove, and what was counted. `a->pace_spread` is set.
 */
const char *accept_boot(const struct assembly *a, const struct boot_report *rep,
			struct judgement *j, struct boot_counts *c);

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
/*
 * A series of a boot with a scale, less the clock reads: as many samples of each vCPU
 * that has any, so that all have the same weight. The figure of the boot is the median of
 * the vCPUs' medians; on an exact target that of the first vCPU, and `lo` to `hi` are
 * those of all. 0 or -ENOMEM. free() net in any case.
 */
struct scale_pool {
	int64_t *net;
	size_t n;
	double median, lo, hi; /* NAN: no samples */
};
int scale_pool(const struct assembly *a, const struct boot_report *rep,
	       enum abi_phase phase, struct scale_pool *out);
int scale_metrics(struct assembly *a, const struct boot_report *rep,
		  const struct assemble_boot *of);

/* What the guests counted, summed over them. */
void scale_guest_counts(const struct boot_lanes *lanes, uint64_t *faults,
			uint64_t *l1_exits);

/* Ends the row without figures. */
void assemble_stop(struct assembly *a, enum result_status status, const char *reason);

/* Estimates over the valid boots; the row fails if there are none. */
void assemble_end(struct assembly *a);

#endif
