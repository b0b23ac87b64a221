/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of wsbench and what their exit codes mean; the version; the help of a
 * command.
 *
 * argv[0] of a command is its name. A command prints results to stdout and everything
 * else to stderr, and returns an enum cli_exit. main() flushes stdout and turns a failed
 * write into CLI_FAILED; commands need not check.
 */
#ifndef WS_CLI_CLI_H
#define WS_CLI_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

enum cli_exit {
	CLI_OK = 0,	   /* done; comparisons: no figure became worse */
	CLI_WORSE = 1,	   /* a regression was found */
	CLI_USAGE = 2,	   /* bad usage or bad input; one line says what and where */
	CLI_UNTRUSTED = 3, /* not trustworthy, no verdict */
	CLI_FAILED = 4,	   /* a target, a kernel or the output failed */
};

int cmd_budget(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_power(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_pmu(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_validate(int argc, char **argv);

/* ------------------------------ the version ------------------------------ */

const char *version_text(void);	  /* "0.2.0" */
const char *version_commit(void); /* abbreviated hash; "" if unknown */
bool version_dirty(void);	  /* built from a tree with uncommitted changes */

/* ------------------------------ help ------------------------------ */

/*
 * Help of a command, and its options as a table for the manual page and the completions:
 * both from the argp tables, so that they cannot differ.
 */

/* Whether `o` is the zeroed row that ends a table. */
static inline bool options_end(const struct argp_option *o)
{
	return !o->name && !o->key && !o->doc && !o->group;
}

/*
 * Prints the help of `command` ("wsbench run") to stdout. Options appear in the order of
 * the tables: those of the command, those of its children, then `common`. Not by
 * argp_help(), which sorts the options by name.
 */
void help_print(const struct argp *argp, const struct argp *common, const char *command);

/*
 * For the help_filter of a command with formats: adds their table, of which `rows` prints
 * the lines, to the text after the options.
 */
char *help_with_formats(int key, const char *text, void (*rows)(FILE *f));

/*
 * Prints a line per item to stdout, for host/man/page.sh and host/man/completion.sh;
 * fields are separated by tabs:
 *
 *	args	[FILE.json...]			one for each form of the command
 *	doc	What the command does.		the text before the options
 *	group	check:				heading of the options that follow
 *	option	--output	-o	FILE|DIR	Write the document to ...
 *	after	A line of the text after the options.
 *
 * Fields 3 and 4 of an option are empty where it has no short form or no value.
 */
void help_dump(const struct argp *argp, const struct argp *common);

#endif
