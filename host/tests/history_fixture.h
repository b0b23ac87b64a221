/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of a history: a file to which rows are added. */
#ifndef WS_TESTS_HISTORY_FIXTURE_H
#define WS_TESTS_HISTORY_FIXTURE_H

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/history/history.h"

static const struct changepoint_rules rules = {
	.window = 50,
	.pvalue = 1e-4,
	.magnitude = 0.01,
	.quanta = 2,
};

static char path[] = "/tmp/unit_history.XXXXXX";
static struct row next;

static inline void begin(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	next = (struct row){
		.schema = ROW_SCHEMA,
		.version = ROW_VERSION,
		.time = "2026-11-21T09:05:17Z",
		.target = "lab:x86_64-svm",
		.emulator = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
		.machine = "m",
		.exact = true,
		.tool = "t",
		.benchmark = "b",
		.config = "default",
		.metric = "round_trip",
		.unit = "insns",
		.better = "lower",
		.quantum = 1,
		.boots = 2,
		.exits = NAN,
		.quantiles = { NAN, NAN, NAN, NAN, NAN, NAN },
	};
}

static inline void end(void)
{
	unlink(path);
}

/* Adds a figure of `run` on `kernel`, with the members of `next`. */
static inline void put_kernel(const char *run, const char *kernel, double value)
{
	FILE *f = fopen(path, "a");
	char *line;

	next.run = run;
	next.kernel = kernel;
	next.value = value;
	/* A range that a test has set stays. */
	if (!(next.lo < next.hi))
		next.lo = next.hi = value;
	line = row_dump(&next);
	fputs(line, f);
	free(line);
	fclose(f);
}

static inline void put(const char *run, double value)
{
	put_kernel(run, run, value);
}

static inline void read_all(struct history *h)
{
	struct error err;

	cr_assert_eq(history_read(path, HISTORY_REFUSE, h, &err), 0, "%s", err.text);
	cr_assert_eq(history_judge(h, &rules), 0);
}

#endif
