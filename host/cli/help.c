/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help of a command, and its options as a table, from the argp tables; and the version. A
 * new commit rebuilds no other file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <version.h> /* generated into the build folder */

#include "host/cli/cli.h"
#include "host/lib/text.h"

#define COLUMNS 80 /* of a terminal */
#define INDENT	26 /* column in which the descriptions of options begin */

/* Callbacks for the options of a tree, in printing order. */
struct visitor {
	void (*group)(const char *heading);
	void (*option)(const struct argp_option *o, char short_name);
	const struct argp *common; /* the options of every command */
};

static void visit(const struct argp *argp, const struct visitor *v)
{
	const struct argp_child *common = NULL;
	bool groups = false;

	for (const struct argp_option *o = argp->options; o && !options_end(o); o++) {
		char short_name = o->key > ' ' && o->key < 0x7f ? (char)o->key : '\0';

		if (o->name && !(o->flags & (OPTION_ALIAS | OPTION_HIDDEN | OPTION_DOC)))
			v->option(o, short_name);
	}
	for (const struct argp_child *c = argp->children; c && c->argp; c++) {
		if (c->argp == v->common) {
			common = c;
			continue;
		}
		if (c->header)
			v->group(c->header);
		groups = groups || c->header;
		visit(c->argp, v);
	}
	if (common && groups)
		v->group("every command:");
	if (common)
		visit(common->argp, v);
}

/* The text before the options; the caller frees it. */
static char *text_before(const struct argp *argp)
{
	const char *doc = argp->doc ? argp->doc : "";
	char *text = strndup(doc, strcspn(doc, "\v"));

	if (!text)
		abort();
	return text;
}

/* The text after the options, which a command may make itself; the caller frees it. */
static char *text_after(const struct argp *argp)
{
	const char *after = argp->doc ? strchr(argp->doc, '\v') : NULL;
	char *text = strdup(after ? after + 1 : ""), *made = text;
	size_t n;

	if (!text)
		abort();
	if (argp->help_filter)
		made = argp->help_filter(ARGP_KEY_HELP_POST_DOC, text, NULL);
	if (made != text)
		free(text);
	for (n = strlen(made); n && made[n - 1] == '\n'; n--)
		made[n - 1] = '\0';
	return made;
}

/* ---- for the reader ------------------------------------------------------------- */

static void print_group(const char *heading)
{
	printf("\n%s\n", heading);
}

static void print_option(const struct argp_option *o, char short_name)
{
	int at = short_name ? printf("  -%c, --%s", short_name, o->name)
			    : printf("      --%s", o->name);

	if (o->arg)
		at += printf(o->flags & OPTION_ARG_OPTIONAL ? "[=%s]" : " %s", o->arg);
	if (at + 2 > INDENT) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", INDENT - at, "");
	text_wrap(stdout, o->doc, INDENT, INDENT, COLUMNS);
}

void help_print(const struct argp *argp, const struct argp *common, const char *command)
{
	const struct visitor print = { print_group, print_option, common };
	const char *args = argp->args_doc ? argp->args_doc : "", *what = "Usage:";
	char *text = text_before(argp), *rest, *line;

	do { /* a line for each form of the command */
		int n = (int)strcspn(args, "\n");

		printf("%s %s [OPTION...]%s%.*s\n", what, command, n ? " " : "", n, args);
		args += n + (args[n] == '\n');
		what = "      ";
	} while (*args);
	text_wrap(stdout, text, 0, 0, COLUMNS);
	putchar('\n');
	free(text);

	visit(argp, &print);

	rest = text = text_after(argp);
	if (*text)
		putchar('\n');
	while (*text && (line = strsep(&rest, "\n"))) {
		/* A line that fits may belong to a table: its blanks count. */
		if (text_width(line) < COLUMNS)
			puts(line);
		else
			text_wrap(stdout, line, 0, 0, COLUMNS);
	}
	free(text);
}

/* ---- for the manual pages and the completions ----------------------------------- */

static void dump_lines(const char *key, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		printf("%s\t%s\n", key, line);
}

static void dump_group(const char *heading)
{
	printf("group\t%s\n", heading);
}

static void dump_option(const struct argp_option *o, char short_name)
{
	const char short_option[] = { short_name ? '-' : '\0', short_name, '\0' };

	printf("option\t--%s\t%s\t%s%s%s\t%s\n", o->name, short_option,
	       o->flags & OPTION_ARG_OPTIONAL ? "[=" : "", o->arg ? o->arg : "",
	       o->flags & OPTION_ARG_OPTIONAL ? "]" : "", o->doc);
}

void help_dump(const struct argp *argp, const struct argp *common)
{
	const struct visitor dump = { dump_group, dump_option, common };
	char *args = strdup(argp->args_doc ? argp->args_doc : ""), *text;

	if (!args)
		abort();
	dump_lines("args", args);
	free(args);
	text = text_before(argp);
	dump_lines("doc", text);
	free(text);
	visit(argp, &dump);
	text = text_after(argp);
	if (*text)
		dump_lines("after", text);
	free(text);
}

char *help_with_formats(int key, const char *text, void (*rows)(FILE *f))
{
	char *out;
	size_t bytes;
	FILE *f;

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&out, &bytes);
	if (!f)
		return (char *)text;
	fprintf(f, "%s\n\nFormats:\n", text);
	rows(f);
	return fclose(f) ? (char *)text : out;
}

/* ------------------------------ the version ------------------------------ */

const char *version_text(void)
{
	return WS_VERSION;
}

const char *version_commit(void)
{
	return WS_COMMIT;
}

bool version_dirty(void)
{
	return WS_DIRTY;
}
