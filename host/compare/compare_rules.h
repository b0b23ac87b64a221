/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a comparison, shared by the files of this folder. */
#ifndef WS_COMPARE_COMPARE_RULES_H
#define WS_COMPARE_COMPARE_RULES_H

#include "host/compare/compare.h"

/* A p is significant up to here, after Holm's correction. */
#define COMPARE_ALPHA	    0.01
/*
 * The band of differences that do not matter: share of the figure, or clock steps; of
 * figures in percent, this part of the whole.
 */
#define COMPARE_BAND_SHARE  0.01
#define COMPARE_BAND_QUANTA 2
#define COMPARE_BAND_POINTS 0.1

/* Of the intervals of noisy rows. */
#define COMPARE_LEVEL 0.95

/*
 * Whether two documents can be compared; whether the runs of both sides are different
 * runs; whether options name rows, and units are equal;
 * whether threshold patterns match. 0, or -EINVAL with `err`.
 */
int compare_check_kind(const struct result *base, const struct result *new,
		       const struct compare_options *o, struct error *err);
int compare_check_runs(const struct runs *runs, struct error *err);
int compare_check_rows(const struct compare *c, const struct compare_options *o,
		       struct error *err);
int compare_check_thresholds(const struct compare *c, const struct compare_options *o,
			     struct error *err);

/* Judges a row of an exact target. */
void compare_judge_exact(struct compare_row *row);

/*
 * Noisy rows in two steps: first the interval and p of each row; then, when all rows have
 * p, Holm's correction and the verdicts. `row->step` is set.
 */
void compare_measure_noisy(const struct compare *c, struct compare_row *row);
void compare_judge_noisy(struct compare *c);

/* Whether two steps of the clock are more than the share of the figure. */
bool compare_band_of_clock(const struct compare_row *row);

/* What the test of a row does not see of its own dependence; one run a side, or pairs. */
struct drift_between compare_own_drift(const struct compare *c,
				       const struct compare_row *row);

/* Why a row is inconclusive, and how many boots or runs would decide it. */
void compare_advise(const struct compare *c, struct compare_row *row);

/* Several runs of a side. First what all rows tell about runs, then each row.
 * `configs`: of the sides, NULL: each with itself. */
bool compare_has_runs(const struct compare *c);
void runs_learn(struct runs *runs, const char *const configs[2]);
/* The moderated variance of a row's own part of a run. False: too few runs have it. */
bool runs_noise(const struct runs *runs, const char *name, const char *config,
		struct stats_prior *out);
void runs_free(struct runs *runs);
void compare_measure_runs(const struct compare *c, struct compare_row *row);

/* The boot with an index, usually at position `at`; NULL: none. */
const struct result_boot *compare_boot_at(const struct result_metric *m, uint32_t index,
					  size_t at);

/* Sets `difference` and `ratio` from the two figures. */
void compare_set_difference(struct compare_row *row);

/* COMPARE_WORSE or COMPARE_BETTER for a change up or down. */
enum compare_verdict compare_moved(const struct compare_row *row, bool up);

/* Without colour, a sign marks what is worse and better. `o` NULL: Markdown, no sign. */
struct table_options;
const char *compare_verdict_sign(enum compare_verdict v, const struct table_options *o);

/* "1 worse, 2 better, 30 same, 3 not compared", without the rows within their threshold.
 */
void compare_print_summary(FILE *f, const struct compare *c);

/* Fills in c->notes. */
void compare_note(struct compare *c);

#endif
