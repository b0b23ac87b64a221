/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history: the figures of many runs as series, and the changes of each series.
 *
 * A series is one metric of one benchmark under one config at one place. A place is a
 * target and the machine that its figures depend on, by fingerprint. Figures of an exact
 * target do not depend on the machine but on the emulator: there, a place is a target and
 * the minor version of the emulator.
 *
 * Runs are in the order of the file. The figures of an exact target do not depend on
 * time: a run that measures a subject again with the same program is moved to the first
 * run of the subject.
 */
#ifndef WS_HISTORY_HISTORY_H
#define WS_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/compare/compare.h"
#include "host/history/row.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/stats/changepoint.h"

struct table;

struct history_place {
	const char *target;
	const char *what; /* fingerprint, or emulator and minor version; NULL */
	bool exact;
	size_t n_runs;
};

struct history_run {
	const char *id, *time;
	const char *kernel, *label, *commit; /* NULL: unknown */
	const char *emulator, *tool;
	size_t place;	 /* in history.places */
	size_t subject;	 /* the first run of the subject; else the run itself */
	size_t at_place; /* number at its place, from 0 */
};

struct history_point {
	size_t run; /* in history.runs */
	double value;
	double lo, hi; /* NAN: no interval */
	uint32_t boots;
	uint32_t order; /* in the file */
	double quantum; /* step of the figure; 0: unknown */
	struct result_class class;
	/* ROW_QUANTILES, NAN: equal to the value; NULL: the row has none. Read them by
	 * history_quantile(). */
	const double *quantiles;
	bool outlier; /* set by history_judge(): of a noisy series, and set aside */
};

/* A quantile of the events of the run; NAN: the row has none. */
double history_quantile(const struct history_point *p, enum row_quantile q);

/* How a series is judged. */
enum history_method {
	HISTORY_TOO_FEW, /* too few points */
	HISTORY_STEPS,	 /* exact: each change of the value or range */
	HISTORY_NOISE,	 /* change points in noise */
};

struct history_series {
	size_t place;
	const char *benchmark, *config, *metric, *unit;
	bool lower_is_better;
	double bodies;	/* result_bodies(); of an exact series 1 */
	double quantum; /* step of the figures: median over the points */
	struct history_point *points;
	size_t n_points;
	/* Set by history_judge(). */
	enum history_method method;
	struct changepoint *changes;
	size_t n_changes;
	/*
	 * Changes that are as significant and as large as the others, but of less than
	 * two steps of the clock: it does not show how large they are. Of noisy series.
	 */
	struct changepoint *hidden;
	size_t n_hidden;
	bool ignores_class; /* judged by the rules of Apache Otava */
};

struct history {
	struct history_place *places;
	struct history_run *runs; /* in order */
	struct history_series *series;
	size_t n_places, n_runs, n_series;
	size_t duplicates; /* figures that the file has twice, and that count once */
	size_t torn;	   /* bytes of a torn last line, which is ignored */
	/* Figures with a quantum beyond RESULT_RESOLUTION_MAX, and the first of their
	 * runs: not used. */
	size_t invalid;
	const char *invalid_run;
	struct row_names *names;
	struct history_quantiles *quantiles; /* of the points */
	struct changepoint_rules rules;	     /* of history_judge() */
};

/* Figures that a file has twice, with different values. */
enum history_twice {
	HISTORY_REFUSE,
	HISTORY_FIRST,
	HISTORY_LAST,
};

/*
 * Reads a history file. 0; -EEXIST with `err`: a figure has two values, which `twice`
 * does not accept; or a negative errno with `err`. history_free() after success.
 */
int history_read(const char *path, enum history_twice twice, struct history *h,
		 struct error *err);
void history_free(struct history *h);

/* Whether a run on `emulator` (NULL: none) can be at the place; not exact: always. */
bool history_on_emulator(const struct history_place *place, const char *emulator);

/* The default rules for noisy series. */
extern const struct changepoint_rules history_rules;

/*
 * Finds the changes of all series. A series of an exact place changes at each step: its
 * figures are the ranges over all boots of a subject, as boots differ where a kernel
 * depends on the addresses of its data, and ranges that overlap are equal. All series
 * change with the class of their figures, and are judged separately before and after.
 * `rules->quantum` is ignored: each series has its own. With `rules->otava`, all series
 * are judged by the rules of Apache Otava, without classes. 0 or -ENOMEM.
 */
int history_judge(struct history *h, const struct changepoint_rules *rules);

/*
 * The changes of a judged series without the newest `last` runs of its place, by the
 * rules of history_judge(); the indices are those of the series. free() the array. Aborts
 * if memory runs out.
 */
struct changepoint *history_changes_before(const struct history *h,
					   const struct history_series *s, size_t last,
					   size_t *n);

/* The same of the changes that the clock hides. */
struct changepoint *history_hidden_before(const struct history *h,
					  const struct history_series *s, size_t last,
					  size_t *n);

enum history_kind {
	HISTORY_WORSE,
	HISTORY_BETTER,
	/* The class or the distribution changed: neither worse nor better. */
	HISTORY_CHANGED,
};

/* The kind of the k-th change of a series, and its name: "worse", "better", "changed". */
enum history_kind history_kind(const struct history_series *s, size_t k);
const char *history_kind_name(enum history_kind kind);

/* For a change of class: "handled by kernel, now by fault"; else "". */
void history_class_change(const struct history_series *s, size_t k, char *text,
			  size_t bytes);

/*
 * Finds the changes of distribution of the points [start, end) of a series, between which
 * neither the class nor the figure changes. `out` has room for a change per point. 0 or
 * -ENOMEM.
 */
int history_judge_distribution(const struct history *h, const struct history_series *s,
			       const struct changepoint_rules *rules, size_t start,
			       size_t end, struct changepoint *out, size_t *n_out);

/*
 * For a change of distribution: "p90 1,200 -> 2,400, figure 1,101 -> 1,103", or, of the
 * figures of runs, "p25 10 -> 20 (of the runs)". For a change of the figure: the
 * quantiles that move otherwise than the figure, "p90 1,200 -> 2,400"; or "".
 */
void history_distribution_change(const struct history_series *s, size_t k, char *text,
				 size_t bytes);
/* A quantile of the events before and after the k-th change: medians over the nearest 200
 * runs. */
void history_quantiles_of(const struct history_series *s, size_t k, enum row_quantile q,
			  double *before, double *after);
/* The quantile that moves most. */
enum row_quantile history_largest_quantile(const struct history_series *s, size_t k,
					   double *before, double *after);

/*
 * Whether a change is between ranges over boots, not between values. *boots: the smaller
 * number of boots of the two figures.
 */
bool history_is_of_ranges(const struct history_series *s, size_t k, uint32_t *boots);

/* The first run after the k-th change, and the last run before. */
const struct history_run *history_new_run(const struct history *h,
					  const struct history_series *s, size_t k);
const struct history_run *history_old_run(const struct history *h,
					  const struct history_series *s, size_t k);

/* Whether a run is one of the newest `last` runs of its place; 0: all are. */
bool history_is_recent(const struct history *h, const struct history_run *run,
		       size_t last);

/* The points [start, end) between change k - 1 and change k, 0 <= k <= n_changes. */
struct history_stretch {
	size_t start, end;
	size_t outliers; /* set aside */
	double mean;	 /* without outliers */
	double lo, hi;	 /* exact series: range over all boots; NAN */
};
struct history_stretch history_stretch(const struct history_series *s, size_t k);

/* Whether the newest run of the place has a figure of the series. */
bool history_is_current(const struct history *h, const struct history_series *s);

struct history_added {
	size_t rows;  /* added figures */
	size_t known; /* figures that the file has already */
	size_t other; /* of these: with another value */
	size_t empty; /* documents without a figure of `metrics` */
	size_t torn;  /* bytes of a torn last line, moved to FILE.torn */
};

/*
 * Adds the figures of documents whose metric matches one of `metrics`, fnmatch(3)
 * patterns that end with NULL. A figure that the file has already, by run, target,
 * benchmark, config and metric, is not added; if its value differs, HISTORY_REFUSE is an
 * error and HISTORY_LAST adds it. 0; -EEXIST; or a negative errno with `err`: then
 * nothing was added.
 */
int history_add(const char *path, enum history_twice twice, struct result *const *docs,
		size_t n_docs, const char *const *metrics, struct history_added *out,
		struct error *err);

/* Which series are checked or shown, and what a check ignores. */
struct history_query {
	/* Comma-separated lists of patterns; NULL: all. */
	const char *targets, *benches, *configs, *metrics;
	/* Only changes that are not found without the newest runs of each place; 0: all
	 */
	uint64_t last;
	const struct threshold *thresholds;
	size_t n_thresholds;
	bool all;   /* text: a line per change, also for many small and equal changes */
	bool quiet; /* no messages */
};

bool history_selects_row(const struct history_query *q, const char *target,
			 const char *benchmark, const char *config);
bool history_selects(const struct history_query *q, const struct history *h,
		     const struct history_series *s);

/* Splits a comma-separated list in place; the array ends with NULL. free() the array. */
const char **history_split(char *list);

/* A change that a check reports. */
struct history_alarm {
	const struct history_series *series;
	size_t k; /* number of the change */
	enum history_kind kind;
	bool recent; /* not found without the newest runs of the query */
	const struct threshold *let_pass; /* covers a change for worse; NULL: it counts */
	enum history_confirmed {
		HISTORY_UNTRIED,
		HISTORY_CONFIRMED,
		HISTORY_REFUTED,   /* fresh boots do not show the change */
		HISTORY_UNDECIDED, /* not measured again, or within steps of the clock */
	} confirmed;
	char reason[160]; /* figures of the fresh boots, or why there are none */
};

/*
 * Checks that each threshold pattern matches a benchmark of the catalogue or of the
 * history. 0, or -EINVAL with `err`.
 */
int history_check_thresholds(const struct history_query *q, const struct history *h,
			     struct error *err);

/* All changes of the selected series, by place, run and magnitude. free() the array. */
struct history_alarm *history_alarms(const struct history_query *q,
				     const struct history *h, size_t *n);

const struct changepoint *history_change(const struct history_alarm *a);

/*
 * Whether a change is of the newest run alone and not confirmed: an outlier, or a change
 * that the next run will show.
 */
bool history_is_open(const struct history_alarm *a);

/*
 * What the figure of fresh boots, with steps of `step`, says of a noisy series' change
 * for worse. HISTORY_CONFIRMED: it is worse than the stretch before the change by as much
 * as a change must be; HISTORY_REFUTED; HISTORY_UNDECIDED: it is worse by less than
 * `rules->quanta` steps of its clock or of that of the stretch.
 */
enum history_confirmed history_confirm_noise(const struct history_alarm *a, double fresh,
					     double step,
					     const struct changepoint_rules *rules);

/* (after - before) / before; NAN if `before` is 0. */
double history_relative(const struct changepoint *c);

/* A change of less than two steps of the clock: not a verdict, and not "the same". */
struct history_hidden {
	const struct history_series *series;
	const struct changepoint *change;
	bool worse;
	bool has_batch; /* the history has round_trip_batch of the row, or this is it */
	const struct threshold *let_pass; /* covers a change for worse; NULL: it counts */
};

/* The recent ones of the selected series. free() the array. */
struct history_hidden *history_hidden(const struct history_query *q,
				      const struct history *h, size_t *n);

struct history_tally {
	size_t series, unjudged; /* selected series; with too few points */
	size_t gone;		 /* not in the newest run */
	size_t worse, better, changed, old;
	size_t distribution; /* changes of distribution, not counted in `changed` */
	size_t let_pass;     /* worse, not counted in `worse` */
	size_t single; /* of the newest run alone, not counted in `worse`, `better` */
	size_t hidden; /* by the clock, not counted either */
	size_t hidden_worse; /* of these: for worse, beyond a threshold */
	size_t outliers;     /* figures that were set aside */
};
struct history_tally history_tally(const struct history_query *q, const struct history *h,
				   const struct history_alarm *alarms, size_t n);

/* The verdict of a check. */
enum history_outcome {
	HISTORY_PASS,
	HISTORY_REGRESSION,
	HISTORY_UNSURE, /* a regression is not confirmed, is of the newest run alone, or
			   is hidden by the clock, or no series can be judged */
};
enum history_outcome history_outcome(const struct history_alarm *alarms, size_t n,
				     const struct history_tally *t);

/* Names of a run (label, commit, kernel), a series and a place in text output. */
#define HISTORY_NAME_BYTES 160
void history_name(const struct history_run *run, char name[HISTORY_NAME_BYTES]);
void history_label(const struct history_series *s, char label[HISTORY_NAME_BYTES]);
void history_where(const struct history_place *place, char text[HISTORY_NAME_BYTES]);

/*
 * A step: the changes [i, end) of the alarms, from one run to another, and all recent or
 * none. Returns `end`.
 * Printing begins with the two runs, then has a line per change.
 */
size_t history_step_end(const struct history *h, const struct history_alarm *alarms,
			size_t n, size_t i);
/* "6.12.115, after 6.12.113: 3 worse, 1 better" */
void history_step_title(FILE *f, const struct history *h,
			const struct history_alarm *alarms, size_t n);
/* The lines of a step; small changes that are equal are one line. table_free() it. */
void history_step_table(struct table *t, const struct history_query *q,
			const struct history_alarm *alarms, size_t n);
void history_print_step(const struct history_query *q, const struct history *h,
			const struct history_alarm *alarms, size_t n);

/* `history check` and `history show` on stdout, as text and as JSON. */
void history_print_check(const struct history_query *q, const struct history *h,
			 const struct history_alarm *alarms, size_t n);
void history_print_series(const struct history_query *q, const struct history *h);
void history_json_check(const struct history_query *q, const struct history *h,
			const struct history_alarm *alarms, size_t n);
void history_json_series(const struct history_query *q, const struct history *h);

/* ------------------------------ power ------------------------------ */

/*
 * `wsbench power`: the noise of each row, split into event, boot and run, and what a
 * change must be to be found.
 *
 * From documents: what `compare` finds between two sides of such runs. From a history:
 * what `history check` finds after a step.
 */

/* Changes for which the page gives the number of boots or runs. */
#define POWER_CHANGES  3
#define POWER_RUNS_MAX 1000
extern const double power_changes[POWER_CHANGES]; /* 0.01, 0.02, 0.05 */

struct power_row {
	const char *target, *name, *config, *metric, *unit;
	double value; /* median of the runs */
	/* Relative standard deviations; NAN: unknown. */
	double event;	    /* of one event, by the median absolute deviation */
	double boot;	    /* of a boot's median */
	double run;	    /* of what differs from run to run, without the boots */
	size_t runs, boots; /* measured: runs; boots of a run, median */
	double figure;	    /* of a run's figure; of a history */
	double seen;	    /* least relative change that is found; NAN: none */
	double need[POWER_CHANGES]; /* boots, or runs; NAN: none find it */
	double band;		    /* smaller changes are not reported */
};

struct power_page {
	struct power_row *rows;
	size_t n_rows;
	size_t exact; /* rows of exact targets: any change is found */
	size_t few;   /* rows with too few boots or runs to know the noise, or near 0 */
	bool by_runs; /* `need` counts runs, not the boots of one run */
	bool of_history;
	size_t runs, boots; /* of a side; after a step of a history */
	size_t shown;	    /* documents that show the noise */
};

/* 0 of `runs` and `boots`: as measured; of a history: 5 runs. */
struct power_query {
	const struct history_query *select;
	uint64_t runs, boots;
};

/*
 * 0; -EINVAL with `err`: the documents are of different targets or machines; -ENODATA
 * with `err`: no row is selected. power_free() after success.
 */
int power_of_documents(struct result *const *docs, size_t n, const struct power_query *q,
		       struct power_page *page, struct error *err);
int power_of_history(const struct history *h, const struct power_query *q,
		     struct power_page *page, struct error *err);
void power_free(struct power_page *page);

/* On stdout. */
void power_print(const struct power_page *page);
void power_json(const struct power_page *page);

#endif
