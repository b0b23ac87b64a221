/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines by argp, with errors of one line that name the nearest option.
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
#include <stdint.h>

#include "host/cli/cmd.h"
#include "host/cli/names.h"
#include "host/lib/error.h"

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

#endif
