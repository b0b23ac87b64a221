/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `wsbench history` was asked for. For history*.c. */
#ifndef WS_CLI_HISTORY_H
#define WS_CLI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/history/history.h"
#include "host/cli/cmd.h"
#include "host/cli/gate.h"
#include "host/cli/options.h"

struct history_args {
	struct options_common common;
	struct gate gate;
	const char *command; /* "add", "check", "show" */
	const char *db;
	char **files; /* room for all of argv */
	size_t n_files;
	/* Comma lists of globs; NULL: all. */
	const char *targets, *benches, *configs, *metrics;
	uint64_t last; /* 0: all */
	bool confirm, json;
	bool all; /* a line for each change, however small and alike */
	struct changepoint_rules rules;
	const char *kernel, *modules; /* for --confirm */
	uint64_t boots;
};

/* Whether a series is among those asked for. */
bool history_wanted(const struct history_args *args, const struct history *h,
		    const struct history_series *s);

/* Splits a comma list in place, to a NULL. free() the array. */
const char **history_split(char *list);

/* How a run's subject is called: label, commit, kernel. */
#define HISTORY_NAME_BYTES 160
void history_name(const struct history_run *run, char name[HISTORY_NAME_BYTES]);

/* "hypercall", "pmccntr [pmu-off]", "hypercall [default] round_trip_batch" */
void history_label(const struct history_series *s, char label[HISTORY_NAME_BYTES]);

/* "lab:x86_64-svm on QEMU emulator version 7.2" */
void history_where(const struct history_place *place, char text[HISTORY_NAME_BYTES]);

/* A change that check speaks of. */
struct history_alarm {
	const struct history_series *series;
	size_t k; /* its change */
	enum history_kind kind;
	bool recent;
	const struct threshold *let_pass; /* of what is worse; NULL: it counts */
	enum history_confirmed {
		HISTORY_UNTRIED,
		HISTORY_CONFIRMED,
		HISTORY_REFUTED,   /* fresh boots do not show it */
		HISTORY_UNDECIDED, /* could not be tried */
	} confirmed;
	char reason[160]; /* what fresh boots gave, or why there are none */
};

/* All change points of what is wanted, by place, run and size. free() it. */
struct history_alarm *history_alarms(const struct history_args *args,
				     const struct history *h, size_t *n);

const struct changepoint *history_change(const struct history_alarm *a);

/* (after - before) / before; NAN where it came from nothing. */
double history_relative(const struct changepoint *c);

struct history_tally {
	size_t series, unjudged; /* what is wanted */
	size_t gone;		 /* not in the newest run */
	size_t worse, better, changed, old;
	size_t let_pass; /* worse, and not in `worse` */
};
struct history_tally history_tally(const struct history_args *args,
				   const struct history *h,
				   const struct history_alarm *alarms, size_t n);

/* Prints them, and what was judged. */
void history_check_print(const struct history_args *args, const struct history *h,
			 const struct history_alarm *alarms, size_t n);
void history_check_json(const struct history_args *args, const struct history *h,
			const struct history_alarm *alarms, size_t n);

/* Boots anew what got worse, of both runs where it can, and fills in `confirmed`. */
void history_confirm(const struct history_args *args, const struct history *h,
		     struct history_alarm *alarms, size_t n);

/* Warns of a torn last line, unless `bytes` is 0. */
void history_tell_torn(const struct history_args *args, size_t bytes, bool moved);

enum cli_exit history_add_files(const struct history_args *args);
enum cli_exit history_check(const struct history_args *args, struct history *h);
enum cli_exit history_show(const struct history_args *args, struct history *h);

#endif
