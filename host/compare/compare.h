/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparison of two documents, or of two configs of one document: verdicts, text, JSON.
 *
 * Boots are compared, not events. The boots of two configs of one document were
 * interleaved and are pairs (signed ranks of ln ratios); the boots of two documents are
 * not (Mann-Whitney, Hodges-Lehmann). An exact target has no noise: each difference is a
 * verdict. If boots of an exact target differ, the ranges over the boots are compared.
 */
#ifndef WS_COMPARE_COMPARE_H
#define WS_COMPARE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/stats/summary.h"

struct compare_plan;
struct json_list;

/* ------------------------------ thresholds ------------------------------ */

/*
 * Thresholds: changes for worse that do not count.
 *
 *	1%	20insns	mmio_*=2%	hypercall=0insns
 *
 * A share of the base figure, or an amount in a unit, which applies only to figures in
 * that unit; optionally for the benchmarks of an fnmatch(3) pattern.
 */

struct threshold {
	const char *text;  /* of the command line; not copied */
	char pattern[128]; /* of benchmarks; "": benchmarks that match no other pattern */
	double amount;	   /* percent, or in `unit`; >= 0 */
	const char *unit;  /* "insns", "ticks", "ns", "cycles", "counts", "traps"; NULL:
			      percent */
};

/* 0, or -EINVAL with `err`: the cause, without the text. */
int threshold_parse(struct threshold *t, const char *text, struct error *err);

/*
 * The threshold for a figure of a benchmark in a unit; NULL: none. A threshold with a
 * pattern has priority over one without; of several, the last.
 */
const struct threshold *threshold_find(const struct threshold *list, size_t n,
				       const char *benchmark, const char *unit);

/* Whether a difference from a base figure is at most the threshold. */
bool threshold_covers(const struct threshold *t, double difference, double base);

/* Whether the pattern matches a benchmark; whether it matches one of the catalogue. */
bool threshold_names(const struct threshold *t, const char *benchmark);
bool threshold_names_any(const struct threshold *t);

/* ------------------------------ comparisons ------------------------------ */

/* In the order of the output. */
enum compare_verdict {
	COMPARE_WORSE,
	COMPARE_BETTER,
	COMPARE_CHANGED,     /* different classes: different operations */
	COMPARE_WORSE_MAYBE, /* these two runs differ, which runs of one kernel can */
	COMPARE_BETTER_MAYBE,
	COMPARE_INCONCLUSIVE,	/* too few boots; see boots_needed */
	COMPARE_NONE,		/* a side has no figure; see `reason` */
	COMPARE_SAME_PLACEMENT, /* exact: the ranges over the boots overlap */
	COMPARE_SAME,
	COMPARE_VERDICTS,
};

/* Differences that are accepted, though figures are then hard to compare. */
#define COMPARE_ACROSS_MACHINES (1u << 0) /* fingerprints */
#define COMPARE_ACROSS_TARGETS	(1u << 1) /* target names, and fingerprints */
#define COMPARE_ACROSS_UNITS	(1u << 2)

struct compare_options {
	/* Two configs; NULL: those of the documents of `run --against`, or each config
	 * with itself. */
	const char *config[2];
	const char *const *benches; /* words of result_bench_matches(); none: all */
	size_t n_benches;
	const char *const *metrics; /* names; none: round_trip */
	size_t n_metrics;
	unsigned int across; /* COMPARE_ACROSS_* */
	bool paired;	     /* boots with one index are a pair, in two documents */
	/* The texts of the thresholds must outlive the comparison. */
	const struct threshold *thresholds;
	size_t n_thresholds;
};

/*
 * Noise within a run, of ln(boot), in two parts.
 *
 * A run boots each row once per round. What all rows of a round have in common comes from
 * the machine: clock rate, neighbours, temperature (drift). The rest is a row's own. Each
 * part can depend on the round before; its mean over the boots then varies more than that
 * of independent boots, and more boots help less or not at all.
 */
struct drift {
	/*
	 * Of the median over the rows of ln(boot / median of its row): standard
	 * deviation over the rounds. With few rows, it includes their own noise. 0:
	 * unknown.
	 */
	double sd;
	size_t rounds;
	double rounds_lag1; /* their autocorrelation at lag 1; NAN: unknown */
	double *common;	    /* per round; NAN: no row has a boot */
	/*
	 * Of the rows' own parts: autocorrelation at lag 1, of all rows (upper limit) and
	 * the mean of the rows; weight of a row's own one in its estimate; prior of the
	 * variance.
	 */
	double lag1, lag1_mean, lag1_weight;
	struct stats_prior own;
	size_t rows; /* that these are from */
	bool pairs;
};

/* A row of a run, or the pairs of two rows: the ratios of boots with equal indices. */
struct drift_row {
	const struct result_metric *boots, *others; /* others NULL: no pairs */
};

/* drift_free() it. Pairs share the rounds' noise: only their own part is learnt. */
struct drift drift_of(const struct result *r);
struct drift drift_of_pairs(const struct drift_row *rows, size_t n);
void drift_free(struct drift *d);

/*
 * What a test of independent boots does not see: the standard deviation of the difference
 * of two runs (of ln), and the half width of its interval of `level`, by the t
 * distribution.
 */
struct drift_between {
	double sd, df;
};
struct drift_between drift_between(const struct drift *a, const struct drift *b);
double drift_reach(const struct drift_between *d, double level);

/*
 * The variance of the mean of `rounds` other rounds beyond that of independent rounds: an
 * estimate, or what a test will allow for in nine of ten runs.
 */
double drift_excess(const struct drift *d, size_t rounds, bool limit);

/* A row's own part: variance of a boot, degrees of freedom, coefficient of its AR(1). */
struct drift_own {
	double variance, df, ar;
	size_t boots; /* 0: too few */
};
struct drift_own drift_own_of(const struct drift *d, const struct drift_row *row);
/* What a test of other boots will take it for. */
struct drift_own drift_own_again(const struct drift *d, const struct drift_own *own,
				 size_t boots);

/* What a test of independent boots does not see of it. `df` 0: none. */
struct drift_between drift_of_row(const struct drift *d, const struct drift_row *row);

/*
 * Several runs of a side: the runs are the unit, and boots are nested in runs (Kalibera
 * and Jones, Rigorous benchmarking in reasonable time, 2013). The run values of a row
 * vary by a part that all rows of a run have in common, and by a part of the row's own,
 * whose variance is moderated over the rows.
 */
struct runs {
	/* Base, new; NULL after compare_documents(). */
	const struct result *const *docs[2];
	size_t n[2];
	double *common[2]; /* of ln of a run's values, about the mean of the side */
	double variance;   /* of `common` */
	double df;
	struct stats_prior own;
	size_t rows; /* that the estimates are from */
	bool blocks; /* all runs of one side were made before those of the other */
};

/* One of the two sides of a row. */
struct compare_side {
	const struct result_benchmark *benchmark; /* NULL: not in the document */
	const struct result_metric *metric;	  /* NULL: no figure */
	const char *why; /* why a benchmark that is ok has no figure */
	const char *config;
	struct result_class class;
	/* The estimate; if boots are pairs, over the boots of complete pairs. NAN: none.
	 */
	double value;
	double min, max; /* of the medians of valid boots; NAN: none */
	size_t boots;	 /* valid boots, of all runs */
	size_t all_boots;
	size_t runs; /* with a figure */
	bool mixed;  /* the runs have different classes: no figure */
};

struct compare_row {
	const char *name, *metric, *unit;
	struct compare_side base, new;
	enum compare_verdict verdict;
	bool exact; /* exact target, all boots of a side equal */
	/*
	 * new - base and new / base of the figures. For ranges, of their nearest ends:
	 * 0 and 1 if the ranges overlap. NAN: no figure; ratio: a figure is <= 0.
	 */
	double difference, ratio;
	/*
	 * The estimate that decides a noisy row, with its interval: the Hodges-Lehmann
	 * shift of pairs or of two runs, or the shift of the mean of the
	 * runs. Exact rows: `difference`, and the range of
	 * the differences of two boots.
	 */
	double shift, lo, hi;
	double shift_ratio, ratio_lo, ratio_hi;
	double step;  /* of the figure, by the coarsest clock; exact: 0 */
	double band;  /* shifts within +-band do not matter; exact: 0 */
	double level; /* of the interval: 0.95; exact: 1 */
	/* "exact", "range", "signed rank", "Mann-Whitney", "moderated t"; NULL */
	const char *method;
	double df;	     /* of t where that is the test; NAN: of ranks */
	double p, p_holm;    /* NAN: no test; after Holm's correction over all rows */
	size_t pairs;	     /* pairs of boots; 0 if not paired */
	double cliff;	     /* Cliff's delta, > 0 if new is larger; NAN */
	double boots_needed; /* per side, to decide an inconclusive row; NAN: unknown */
	double runs_needed;  /* the same, of runs */
	bool by_clock;	     /* inconclusive: within steps of the clock */
	char reason[256];    /* why inconclusive, changed or NONE, else "" */
	/*
	 * The change for worse that a threshold must cover: the shift of a worse row,
	 * the end of the interval of an inconclusive row. NAN: none.
	 */
	double worst;
	const struct threshold *let_pass; /* covers `worst`; NULL: the row counts */
};

struct compare {
	/* The first runs; one document where configs are compared. */
	const struct result *base, *new;
	const char *config[2]; /* of the options */
	bool paired;	       /* interleaved boots of one run */
	/* Noisy targets, one run a side: drift within and between the runs. Of pairs, the
	 * first of `drifts`. */
	struct drift drifts[2];
	struct drift_between drift;
	struct runs runs;	  /* n of both 1: one run a side */
	size_t family;		  /* tests of noisy rows, for Holm's correction; >= 1 */
	struct compare_row *rows; /* order of base, then rows that only `new` has */
	size_t n_rows;
	size_t count[COMPARE_VERDICTS];	   /* all rows */
	size_t let_pass[COMPARE_VERDICTS]; /* rows with a threshold that covers them */
	size_t n_lost; /* rows that have a figure in base and none in new */
	/* Remarks, a line each: different settings, rejected boots. */
	char **notes;
	size_t n_notes;
};

/*
 * Compares two documents, which must outlive `c`; compare_free() after success. 0, or
 * -EINVAL with `err`: the documents cannot be compared, or no row is selected. Aborts if
 * out of memory.
 */
int compare_documents(const struct result *base, const struct result *new,
		      const struct compare_options *o, struct compare *c,
		      struct error *err);
/*
 * The same for sides of one or more runs: documents of one target each, in any order,
 * which is changed to that of time. The arrays must outlive `c`. With one run a side on a
 * noisy target, no row is worse or better, but at most `worse?` or `better?`: what
 * differs from run to run cannot be seen in one run.
 */
int compare_sides(const struct result *const *base, size_t n_base,
		  const struct result *const *new, size_t n_new,
		  const struct compare_options *o, struct compare *c, struct error *err);
void compare_free(struct compare *c);
/* The least change of a noisy row, in its unit, that is seen in 90 of 100 cases. */
double compare_least_seen(const struct compare *c, const struct compare_row *row);
/* Removes the hint at --across, which other commands do not have, from such a message. */
void compare_drop_hint(char *message);

/*
 * "worse", "better", "changed", "worse?", "better?", "inconclusive", "none", "same
 * (placement)", "same"
 */
const char *compare_verdict_name(enum compare_verdict v);

/*
 * The verdict over all rows that no threshold covers: COMPARE_WORSE if a row is worse;
 * else COMPARE_WORSE_MAYBE if a row is; else COMPARE_INCONCLUSIVE if a row is
 * inconclusive or lost, or no row was compared; else COMPARE_CHANGED, COMPARE_BETTER, or
 * COMPARE_SAME.
 */
enum compare_verdict compare_outcome(const struct compare *c);

/* Names of the two sides in the output: files, or configs. */
struct compare_names {
	const char *base, *new;
};

/* A table for a terminal; `all`: rows that are the same, too. */
void compare_print(FILE *f, const struct compare *c, const struct compare_names *names,
		   bool all);
/* For a comment on a change: changed rows first, the other rows folded. */
void compare_print_markdown(FILE *f, const struct compare *c,
			    const struct compare_names *names);
/*
 * Of `n` comparisons with one base: value, percent and verdict of each, side by side; as
 * many beside each other as fit, benchmark and base repeated. `names`: of the base, then
 * of the others.
 */
void compare_print_columns(FILE *f, const struct compare *c, size_t n,
			   const char *const *names, bool all, bool markdown);
/* As JSON, to which more members can be added; json_list_free() it. */
struct json_list *compare_json(const struct compare *c,
			       const struct compare_names *names);

/*
 * The resolution of a machine: a run whose boots are pairs without a difference (A/A).
 * Each difference that a comparison finds is wrong, and differences within its intervals
 * cannot be detected on this machine.
 */

/* One of the two ways to compare: pairs of boots of one run, or two runs. */
struct aa_way {
	size_t compared; /* rows with a verdict */
	size_t wrong;	 /* better or worse */
	/*
	 * Upper 95 % limit of the share of wrong rows (Clopper and Pearson, 1934);
	 * approximate, as rows of one run are not independent. NAN: no row.
	 */
	double limit;
};

struct aa_row {
	const char *name, *config, *unit;
	double value;	   /* over all boots */
	double difference; /* from the first to the second half */
	double lo, hi;	   /* 95 % interval; NAN: too few pairs */
	bool wrong_pairs, wrong_runs;
	/*
	 * The least difference that would be detected in 90 of 100 cases, in the unit of
	 * the row. NAN: too few boots.
	 */
	double visible_pairs, visible_runs;
};

struct aa {
	struct aa_row *rows;
	size_t n_rows;
	struct aa_way pairs, runs;
	size_t boots;	     /* pairs, maximum over the rows */
	size_t boots_needed; /* least pairs for a significant difference */
};

/*
 * Splits the pairs of a document (boots 2i and 2i + 1) at random, seeded by the run, and
 * compares the halves in both ways. Rows without figures are omitted. The document must
 * outlive `aa`; aa_free() it. 0; -ENODATA: no row can be compared.
 */
int aa_judge(const struct result *r, struct aa *aa);
void aa_free(struct aa *aa);

/*
 * A plan: what a comparison with sides like these documents would find. One document: one
 * run a side, boot for boot. Several: runs of one kernel, from which more runs are
 * planned. compare_plan_free() it; the documents must outlive it.
 */
struct compare_plan *compare_plan_new(const struct result *const *docs, size_t n);
void compare_plan_free(struct compare_plan *plan);

struct compare_wish {
	size_t runs, boots;    /* of a side, of a run */
	double boots_now;      /* of a run of the documents */
	double boot;	       /* standard deviation of a boot, of ln */
	double band;	       /* of ln */
	double share;	       /* of changes that are found */
	const double *changes; /* of ln */
	size_t n_changes;
};

/* The least change that is found (INFINITY: none); boots or runs per change; NAN: none.
 */
struct compare_found {
	double least;
	double need[4];
};

/*
 * For a row of a comparison of `rows` rows. False: the documents do not show the noise of
 * the row.
 */
bool compare_plan_row(const struct compare_plan *plan, const char *name,
		      const char *config, const struct compare_wish *wish, size_t rows,
		      struct compare_found *out);

/*
 * Whether a run has enough boots: a comparison with a run like it (with several configs
 * of a benchmark: of these, in pairs) would decide all rows in 90 % of cases, with the
 * verdict same where nothing changed, and worse or better where a row changed by the
 * share `change`. The rule sees how much the boots vary, and never the difference of two
 * sides: boots until enough do not make a false verdict more likely than a fixed number
 * of boots. Rows whose figure is not positive are left out. `r` needs no estimates.
 */
struct compare_enough {
	size_t rows, decided;
	size_t boots;	   /* rounds so far */
	bool pairs;	   /* configs in pairs */
	const char *worst; /* the row that needs most; NULL: all are decided */
};
bool compare_is_enough(const struct result *r, double change, struct compare_enough *out);

#endif
