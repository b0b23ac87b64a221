/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help of a command, and its options as a table for the manual page and the completions:
 * both from the argp tables, so that they cannot differ.
 */
#ifndef WS_CLI_HELP_H
#define WS_CLI_HELP_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

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
