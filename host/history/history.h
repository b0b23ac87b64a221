/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a history's file says, series by series, and where they change.
 *
 * A series is one metric of one benchmark under one config at one place. A place is a
 * target and what its figures depend on beside the subject: the machine, by its
 * fingerprint. An exact target counts instructions, and gives the same figures on any
 * machine; there it is the emulator, down to its minor version, that must be the same.
 *
 * The order of a history is that of its file. But an exact figure does not depend on
 * when it was taken: there, a subject that is measured again by the same program stands
 * where it first stood.
 */
#ifndef WS_CLAIM_HISTORY_H
#define WS_CLAIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/history/row.h"
#include "host/stats/changepoint.h"

struct history_place {
	const char *target;
	const char *what; /* machine's fingerprint, or emulator and version; NULL */
	bool exact;
	size_t n_runs;
};

struct history_run {
	const char *id, *time;
	const char *kernel, *label, *commit; /* NULL: unknown */
	const char *emulator, *tool;
	size_t place;	 /* in history.places */
	size_t subject;	 /* first run that this one only repeats; or itself */
	size_t at_place; /* its number there, from 0 */
};

struct history_point {
	size_t run; /* in history.runs */
	double value;
	double lo, hi; /* NAN: no interval */
	uint32_t boots;
	struct result_class class;
};

/* How a series can be judged. */
enum history_method {
	HISTORY_TOO_FEW, /* not yet */
	HISTORY_STEPS,	 /* every change of value or range is one */
	HISTORY_NOISE,	 /* change points in noise */
};

struct history_series {
	size_t place;
	const char *benchmark, *config, *metric, *unit;
	bool lower_is_better;
	double quantum;
	struct history_point *points;
	size_t n_points;
	/* By history_judge(). */
	enum history_method method;
	struct changepoint *changes;
	size_t n_changes;
	bool ignores_class; /* judged as Apache Otava would */
};

struct history {
	struct history_place *places;
	struct history_run *runs; /* in order */
	struct history_series *series;
	size_t n_places, n_runs, n_series;
	size_t duplicates; /* figures that stood there twice, and were read once */
	size_t torn;	   /* bytes of a torn last line, left out */
	struct row_names *names;
};

/* Aborts on lack of memory. 0, or a negative errno with `err`; then there is none. */
int history_read(const char *path, struct history *h, struct error *err);
void history_free(struct history *h);

/* What is a change in noise, unless somebody says otherwise. */
extern const struct changepoint_rules history_rules;

/*
 * Finds every series' change points. An exact place's series changes at every step. A
 * figure there is the range over all boots of a subject, in all of its runs by one
 * program: boots differ where a kernel decides by where its data lie, and ranges that
 * overlap are no change. Any series changes where its figures' class does, and is
 * judged apart before and after.
 * `rules->quantum` is ignored: each series has its own. With `rules->otava` all series
 * are judged as Apache Otava would, classes ignored. 0 or -ENOMEM.
 */
int history_judge(struct history *h, const struct changepoint_rules *rules);

enum history_kind {
	HISTORY_WORSE,
	HISTORY_BETTER,
	HISTORY_CHANGED, /* the class: neither */
};

/* What the k-th change of a series is; its name: "worse", "better", "changed". */
enum history_kind history_kind(const struct history_series *s, size_t k);
const char *history_kind_name(enum history_kind kind);

/* Of a change of class: "handled by kernel, now by fault"; else "". */
void history_class_change(const struct history_series *s, size_t k, char *text,
			  size_t bytes);

/*
 * Whether a change is between ranges over boots, not between two values; and the least
 * boots that one of the two figures rests on.
 */
bool history_is_of_ranges(const struct history_series *s, size_t k, uint32_t *boots);

/* The run that a change begins with, and the one before it in the series. */
const struct history_run *history_new_run(const struct history *h,
					  const struct history_series *s, size_t k);
const struct history_run *history_old_run(const struct history *h,
					  const struct history_series *s, size_t k);

/* Whether a run is among the newest `last` of its place; 0: all are. */
bool history_is_recent(const struct history *h, const struct history_run *run,
		       size_t last);

/* Whether the newest run of its place has a figure of the series. */
bool history_is_current(const struct history *h, const struct history_series *s);

struct history_added {
	size_t rows, known; /* added; and not, because they were there */
	size_t empty;	    /* documents without a figure that was wanted */
	size_t torn;	    /* bytes of a torn last line, moved to FILE.torn */
};

/*
 * Adds every figure of the documents whose metric fits one of `metrics`, fnmatch(3)
 * patterns to a NULL. What is there already, by run, target, benchmark, config and
 * metric, is not added again. All is added or nothing. 0, or a negative errno.
 */
int history_add(const char *path, struct result *const *docs, size_t n_docs,
		const char *const *metrics, struct history_added *out, struct error *err);

#endif
