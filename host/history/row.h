/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history file: one row per figure of a run, one JSON object per line.
 *
 *	{"schema":"worldswitch.history","version":1,"run":"...",...,"boots":2,
 *	 "handled_by":"kernel","exits":1}
 *
 * Members without a value are omitted. Readers ignore members that they do not know.
 */
#ifndef WS_HISTORY_ROW_H
#define WS_HISTORY_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/result/result.h"

#define ROW_SCHEMA  "worldswitch.history"
#define ROW_VERSION 1

/*
 * The distribution of the events of a run: of all boots, or, on an exact target, of the
 * first. A row with a mean has quantiles: one that equals the figure, or has too few
 * events beyond it, is omitted.
 */
enum row_quantile {
	ROW_P5,
	ROW_P25,
	ROW_P75,
	ROW_P90,
	ROW_P99,
	ROW_MEAN, /* of the events between the first and the last hundredth */
	ROW_QUANTILES,
};
const char *row_quantile_name(enum row_quantile q); /* "p5", ..., "mean" */

/* Strings are NULL if unknown. */
struct row {
	const char *schema;
	uint32_t version;
	/* The run. */
	const char *run, *time; /* id; start, RFC 3339 in UTC */
	const char *kernel, *label, *commit;
	const char *target, *emulator;
	const char *machine; /* fingerprint */
	bool exact;
	const char *tool; /* version, "-", commit, "-dirty" */
	/* The figure. */
	const char *benchmark, *config, *metric;
	const char *unit, *better;
	double value;
	double lo, hi;	  /* interval; NAN: none */
	uint64_t quantum; /* step of the samples in units; 0: unknown, or none */
	uint32_t boots;	  /* valid boots */
	/* The class of the figure: struct result_class. */
	const char *handled_by;
	double exits;			 /* per event; NAN: not counted */
	double quantiles[ROW_QUANTILES]; /* NAN: omitted */
};

/* The quantiles of a metric; all NAN: it has no histograms. */
void row_distribution(const struct result_metric *m, bool exact,
		      double out[ROW_QUANTILES]);

/* The row of a metric; `r` owns the strings. False: the metric has no figure. */
bool row_of(struct result *r, const struct result_benchmark *b,
	    const struct result_metric *m, struct row *out);

/* The line, with its newline, for free(). */
char *row_dump(const struct row *row);

/* Interned strings: equal strings have equal pointers, valid until row_names_free(). */
struct row_names;
struct row_names *row_names_new(void);
void row_names_free(struct row_names *names);
const char *row_names_get(struct row_names *names, const char *text, size_t bytes);
/* The number of a string or key of bytes; a new one gets the next number, from 0. */
size_t row_names_number(struct row_names *names, const char *key, size_t bytes);

/*
 * Parses lines, without their newline; `names` owns the strings. 0, or -EINVAL with
 * `err`. A line in the form of row_dump() is parsed without the JSON library.
 */
struct row_scan;
struct row_scan *row_scan_new(struct row_names *names);
void row_scan_free(struct row_scan *scan);
int row_scan_line(struct row_scan *scan, const char *line, size_t bytes, struct row *out,
		  struct error *err);

/* Parses a line by the JSON library: members in any order, unknown members. */
int row_parse(struct row_names *names, const char *line, size_t bytes, struct row *out,
	      struct error *err);

/*
 * A history file, to which lines are only appended.
 *
 * A writer holds an exclusive flock(), a reader a shared one: a reader never sees a part
 * of an addition. An addition is one write and one fsync(); a failed addition is
 * truncated. After a crash, the last line can be torn: readers ignore a torn line, and
 * the next writer moves it to FILE.torn.
 */
struct row_file;

/*
 * Opens and locks a file; blocks while another process holds the lock. `add`: opens for
 * writing, and creates the file if needed. 0, or a negative errno with `err`.
 */
int row_file_open(const char *path, bool add, struct row_file **out, struct error *err);

/* Removes a file that row_file_open() created and to which nothing was added. */
void row_file_close(struct row_file *f);

/* Bytes of a torn last line. */
size_t row_file_torn(const struct row_file *f);

/*
 * Calls fn() for each line in order, until fn() returns a value other than 0. `names`
 * owns the strings. That value, or 0, or -EINVAL with `err`, which names the line.
 */
int row_file_read(const struct row_file *f, struct row_names *names,
		  int (*fn)(void *ctx, const struct row *row), void *ctx,
		  struct error *err);

/* Appends lines and syncs: all lines, or none and a negative errno with `err`. */
int row_file_add(struct row_file *f, const char *lines, size_t bytes, struct error *err);

#endif
