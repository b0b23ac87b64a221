/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines by argp, with errors of one line that name the nearest option; names of
 * the tables on the command line; the options that several commands have.
 *
 * A command describes its options in a `struct argp` whose children hold
 * options_common. The parser of the command passes the common part to the child and
 * returns ARGP_ERR_UNKNOWN for every unknown key:
 *
 *	case ARGP_KEY_INIT:
 *		state->child_inputs[0] = &mine->common;
 *		return 0;
 *
 * A parser that rejects a value returns options_error(state, ...).
 */
#ifndef WS_CLI_OPTIONS_H
#define WS_CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/cli/cli.h"
#include "host/explain/touch.h"
#include "host/lib/error.h"
#include "host/targets/target.h"

/* ------------------------------ names ------------------------------ */

/*
 * Names on the command line are matched against the tables: comma lists, globs, and the
 * nearest name where nothing matches.
 */

/* Pointers to names of the tables. The array belongs to the list: names_free(). */
struct names_list {
	const char **names;
	size_t n;
};
void names_free(struct names_list *list);

/*
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions,
 * substitutions and swaps of neighbours.
 */
size_t names_distance(const char *a, const char *b);

/*
 * Of `n` names the first that begins with `word`, which has at least two letters; else
 * the first with the smallest distance, if the distance is at most max(1, length of word
 * / 3). Else NULL.
 */
const char *names_nearest(const char *word, const char *const *names, size_t n);

/*
 * "'a', 'b'": at most three names that begin with the word, else that contain it, else
 * the nearest one; empty: none is near.
 */
#define NAMES_NEAR_BYTES 256
void names_near(const char *word, const char *const *names, size_t n,
		char text[NAMES_NEAR_BYTES]);

/*
 * Resolve a comma list of names and fnmatch(3) globs to names of bench_table,
 * config_table or target_table, each once, in the order of the list (matches of a glob in
 * the order of the table). 0, or -EINVAL with `err` where an entry is empty or matches
 * nothing. Clear `list` first; after success the caller frees the list. In a list of
 * benchmarks the word "core" selects those of BENCH_CORE.
 */
int names_match_benches(const char *patterns, struct names_list *list, struct error *err);
int names_match_configs(const char *patterns, struct names_list *list, struct error *err);
/* "all" and patterns do not select a target that is `named_only`. */
int names_match_targets(const char *patterns, struct names_list *list, struct error *err);

/* Whether `name` is an entry of the list, not only a match of a pattern. */
bool names_is_listed(const char *patterns, const char *name);

/* The row of a name, or NULL. */
const struct target *names_target(const char *name);

/* ------------------------------ options ------------------------------ */

/* The options of every command: --quiet, --no-color, --help. */
struct options_common {
	bool quiet; /* no progress, no message_info() */
};

/*
 * A child for `struct argp.children`; its input is a struct options_common.
 * --no-color sets NO_COLOR in the environment, which message_color() reads.
 */
extern const struct argp options_common;

enum options_next {
	OPTIONS_RUN,  /* parsed: continue */
	OPTIONS_HELP, /* the help was printed to stdout: return CLI_OK */
	OPTIONS_BAD,  /* an error line was printed: return CLI_USAGE */
};

/*
 * Parses argv[1..]; argv[0] is ignored, `command` ("wsbench run") begins every
 * message. Options may be anywhere before "--"; long names must be exact.
 * Arguments reach the parser as ARGP_KEY_ARG; an argument for which the parser
 * returns ARGP_ERR_UNKNOWN is reported as unexpected.
 */
enum options_next options_parse(const struct argp *argp, const char *command, int argc,
				char **argv, void *input);

/*
 * As options_parse(). True: continue; false: return `*code`, which is CLI_OK after the
 * help and CLI_USAGE after an error line. `*code` is CLI_OK where it continues.
 */
bool options_go(const struct argp *argp, const char *command, int argc, char **argv,
		void *input, enum cli_exit *code);

/*
 * The names that an option's value selects, in place of those of an earlier one. `match`
 * is names_match_targets() or one like it.
 */
error_t options_names(const struct argp_state *state, const char *arg,
		      int (*match)(const char *patterns, struct names_list *list,
				   struct error *err),
		      struct names_list *list);

/* Prints "COMMAND: ..." and returns EINVAL, for a parser to return. */
error_t options_error(const struct argp_state *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * An option that chooses one of several forms, such as "--json": EINVAL after the error
 * line if another one was chosen. `*form` is NULL at first.
 */
error_t options_form(const struct argp_state *state, const char *option,
		     const char **form);

/*
 * A whole decimal (or 0x...) number in [min, max] for option `name` ("--boots").
 * 0, or EINVAL after the error line.
 */
error_t options_number(const struct argp_state *state, const char *name, const char *arg,
		       uint64_t min, uint64_t max, uint64_t *out);

/* ------------------------------ labs ------------------------------ */

/*
 * A child for `struct argp.children` whose input is a struct job: --kernel, --modules,
 * --append, --emulator and --lab-timeout.
 */
extern const struct argp options_lab;
#define OPTIONS_LAB "labs:"

/* The options of `--touch`, of `wsbench run` and `wsbench explain`. */
struct touch_options {
	bool wanted;
	bool caches_given;
	struct touch_caches caches;
};

/* A child; its input is a struct touch_options. */
extern const struct argp touch_argp;
#define TOUCH_OPTIONS "simulated caches, in labs:"
void touch_options_init(struct touch_options *o);
/* Why the options contradict each other; NULL: they do not. */
const char *touch_options_wrong(const struct touch_options *o);

/* Why the target cannot record; NULL: it can. */
const char *touch_refusal(const struct target *t);

/* Why `wsbench explain` cannot explain a benchmark (NULL: an unknown one); NULL: it can.
 */
const char *row_refusal(const struct bench *bench);

#endif
