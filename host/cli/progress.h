/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress on stderr: on a terminal one line that is drawn over itself; elsewhere, such
 * as in the log of a CI job, a plain line a minute.
 */
#ifndef WS_CLI_PROGRESS_H
#define WS_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options_common;

struct progress {
	bool terminal, log; /* neither: --quiet */
	bool drawn;	    /* a line is on the screen */
	uint64_t last_ns;   /* when it was drawn, or a line was logged; CLOCK_MONOTONIC */
};

void progress_init(struct progress *p, const struct options_common *common);

/*
 * Draws the line, truncated to the terminal's width. Ignores calls within 50 ms of the
 * previous line; in a log, calls within a minute of the previous line or the start.
 */
void progress_show(struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Erases the line. Call before other output, and at the end. */
void progress_clear(struct progress *p);

/*
 * The work of a command that measures several targets in turn, for the time that is left.
 * Times are of CLOCK_MONOTONIC. progress_work_begin() and progress_work_end() enclose a
 * target.
 */
struct progress_work {
	size_t targets; /* all, of the caller */
	size_t ended;	/* measured targets, with their duration in `ended_ns` */
	uint64_t ended_ns, begin_ns;
	uint64_t boots_ns; /* when the first boot of this target began; 0: not yet */
};

void progress_work_begin(struct progress_work *w);
void progress_work_end(struct progress_work *w);

#define PROGRESS_LEFT_BYTES 48

/*
 * ", about 2 min left", by what was measured so far: the other targets are assumed to
 * last as long as those that ended. ", about 2 min left here" while there are others, and
 * none ended. "" if nothing is known: no boot ended, or the first second is not over.
 * `done` of `total` boots of this target are done at `now_ns`.
 */
void progress_left(char text[PROGRESS_LEFT_BYTES], const struct progress_work *w,
		   size_t done, size_t total, uint64_t now_ns);

/*
 * The one line of several targets that are measured at a time. The caller fills in `line`
 * by progress_init(), `parts`, `targets`, `ended` (targets that were measured before) and
 * `at_once`. A part belongs to one thread at a time.
 */
struct progress_part {
	const char *name;
	size_t done, total; /* boots */
	uint64_t begin_ns;  /* 0: not yet */
	uint64_t boots_ns;  /* when the first boot began; 0: not yet */
	uint64_t end_ns;    /* 0: not yet */
};

struct progress_beside {
	struct progress line;
	pthread_mutex_t lock; /* of everything here */
	struct progress_part *parts;
	size_t n;	       /* parts */
	size_t targets, ended; /* of the run, including those outside of `parts` */
	size_t at_once;	       /* parts */
};

void progress_beside_begin(struct progress_beside *b, size_t part, const char *name);
void progress_beside_boots(struct progress_beside *b, size_t part, size_t done,
			   size_t total);
/* `counts`: the part is one of `targets`, and was measured. */
void progress_beside_end(struct progress_beside *b, size_t part, bool counts);

/*
 * The line: "[1/7 done], about 50 s left: lab:x86_64-svm 12 %, lab:aarch64-vhe 40 %".
 * Parts that have not begun, or whose boots have not, are assumed to last as long as the
 * mean of the others.
 */
void progress_beside_text(const struct progress_beside *b, uint64_t now_ns, char *text,
			  size_t bytes);

uint64_t progress_now_ns(void);

#endif
