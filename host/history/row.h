/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a history: one figure of one run, with all that is needed to know what
 * it is. A line is a JSON object of its own:
 *
 *	{"schema":"worldswitch.history","version":1,"run":"...",...,"boots":2,
 *	 "handled_by":"kernel","exits":1}
 *
 * Members that are unknown are left out. Readers ignore members they do not know.
 */
#ifndef WS_RESULT_ROW_H
#define WS_RESULT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/result/result.h"

#define ROW_SCHEMA  "worldswitch.history"
#define ROW_VERSION 1

/* Strings are NULL where unknown. */
struct row {
	const char *schema;
	uint32_t version;
	/* Of the run: equal in all of its rows. */
	const char *run, *time; /* id; when it began, RFC 3339 in UTC */
	const char *kernel, *label, *commit;
	const char *target, *emulator;
	const char *machine; /* fingerprint */
	bool exact;
	const char *tool; /* version, "-", commit, "-dirty" */
	/* Of the figure. */
	const char *benchmark, *config, *metric;
	const char *unit, *better;
	double value;
	double lo, hi;	  /* its interval; NAN: none */
	uint64_t quantum; /* the clock's resolution in units; 0: unknown */
	uint32_t boots;	  /* valid ones */
	/* The figure's class: host/result/class.h. */
	const char *handled_by;
	double exits; /* per event; NAN: not counted */
};

/*
 * The row of a metric, its strings borrowed from `r` or made in its store. False
 * where the metric has no figure.
 */
bool row_of(struct result *r, const struct result_benchmark *b,
	    const struct result_metric *m, struct row *out);

/* The line, with its newline. The caller frees it. */
char *row_dump(const struct row *row);

/* Strings that are kept once each, NUL-terminated; equal strings, equal pointers. */
struct row_names;
struct row_names *row_names_new(void);
void row_names_free(struct row_names *names);
const char *row_names_get(struct row_names *names, const char *text, size_t bytes);

/*
 * Reads lines one after the other. Lines as row_dump() writes them take a short way
 * without a JSON library, which alone takes ten times as long.
 */
struct row_scan;
struct row_scan *row_scan_new(struct row_names *names);
void row_scan_free(struct row_scan *scan);

/*
 * One line without its newline. Strings
 * belong to `names`. 0, or -EINVAL with `err`.
 */
int row_scan_line(struct row_scan *scan, const char *line, size_t bytes, struct row *out,
		  struct error *err);

#endif
