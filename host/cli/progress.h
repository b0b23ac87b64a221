/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of progress on stderr, drawn over itself; on a terminal only.
 */
#ifndef WS_CLI_PROGRESS_H
#define WS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct options_common;

struct progress {
	bool on;	  /* stderr is a terminal, without --quiet */
	bool drawn;	  /* a line is on the screen */
	uint64_t last_ns; /* when it was drawn, CLOCK_MONOTONIC */
};

void progress_init(struct progress *p, const struct options_common *common);

/*
 * Draws the line, truncated to the terminal's width. Ignores calls within 50 ms of the
 * previous line.
 */
void progress_show(struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Erases the line. Call before other output, and at the end. */
void progress_clear(struct progress *p);

#endif
