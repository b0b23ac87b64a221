/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `wsbench explain`. */
#ifndef WS_CLI_EXPLAIN_H
#define WS_CLI_EXPLAIN_H

#include <stdbool.h>

#include "host/cli/run.h"
#include "host/explain/touch.h"
#include "host/explain/explanation.h"
#include "host/explain/formats.h"

struct explain {
	struct run run;	    /* one target; without files, benchmarks of one boot */
	const char *file;   /* show this explanation and run nothing; NULL */
	const char *diff;   /* compare with this one; NULL */
	const char *svg;    /* draw a flame graph there; NULL */
	const char *output; /* NULL: none */
	const struct explain_format *format; /* print this; NULL: tables */
	bool tree, kinds, markdown;
	size_t top;			 /* functions that are shown; SIZE_MAX: all */
	const char *estimate;		 /* weights: a family or a file; NULL */
	struct estimate_weights weights; /* of `estimate` */
	char *debuginfo;      /* files and folders, separated by commas; NULL: none */
	const char *source;   /* the folder of the kernel's source; NULL */
	const char *annotate; /* list this function; NULL */
	uint64_t lines;	      /* print so many lines of source; 0: no table of lines */
	bool across_vendors;  /* `diff` may be of the other x86_64 vendor */
};

/* As run_parse(); explain_free() it in any case. */
enum cli_exit explain_parse(struct explain *x, int argc, char **argv, bool *go);
void explain_free(struct explain *x);

/*
 * Runs the benchmark of `x` in its lab and explains its figure. Without a config, chooses
 * the config that the row is about. CLI_OK with `*out`, or another code after a message:
 * CLI_UNTRUSTED if the figure is not made of instructions.
 */
enum cli_exit explain_record(struct explain *x, struct explanation **out);

/*
 * Explains the benchmarks of `x` in one boot of the lab, and passes each explanation,
 * which then belongs to `take`. A benchmark that cannot be explained is left out; CLI_OK
 * if there is another one.
 */
enum cli_exit explain_record_each(struct explain *x,
				  enum cli_exit (*take)(void *ctx, struct explanation *e),
				  void *ctx);

#endif
