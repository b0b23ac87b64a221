/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines: every option is checked against the argp tables, then argp parses.
 *
 * The check exists because argp prints errors of two lines, accepts abbreviations and
 * ends the process.
 */
#include "host/cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/cli/cli.h"

#define KEY_QUIET    0x7001
#define KEY_NO_COLOR 0x7002

#define TEXT_MAX      512
#define ALL_NAMES_MAX 64

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct options_common *common = state->input;

	(void)arg;
	switch (key) {
	case KEY_QUIET:
		if (common)
			common->quiet = true;
		return 0;
	case KEY_NO_COLOR:
		return setenv("NO_COLOR", "1", 1) ? errno : 0;
	case 'h': /* options_parse() has handled the option */
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option common_options[] = {
	{ "quiet", KEY_QUIET, NULL, 0,
	  "Print no progress and no remarks; of run and show, the table alone", -1 },
	{ "no-color", KEY_NO_COLOR, NULL, 0, "Print without colour, as with NO_COLOR",
	  -1 },
	{ "help", 'h', NULL, 0, "Print this help", -1 },
	{ 0 },
};

const struct argp options_common = { common_options, parse_common, NULL, NULL,
				     NULL,	     NULL,	   NULL };

/* A search in the tables for one option, and what the walk has collected so far. */
struct search {
	const char *name; /* of a long option, not ended by NUL; NULL: look for `key` */
	size_t len;
	int key;
	const struct argp_option *found; /* the row that says whether there is a value */
	const char *all[ALL_NAMES_MAX];	 /* every long name, for the suggestion */
	size_t n_all;
};

static void search_tree(const struct argp *argp, struct search *s)
{
	const struct argp_option *real = NULL; /* the option that an alias belongs to */

	for (const struct argp_option *o = argp->options; o && !options_end(o); o++) {
		if (o->flags & OPTION_DOC)
			continue;
		if (!(o->flags & OPTION_ALIAS))
			real = o;
		if (o->name && s->n_all < ALL_NAMES_MAX)
			s->all[s->n_all++] = o->name;
		if (s->name ? o->name && strlen(o->name) == s->len &&
				      !strncmp(o->name, s->name, s->len)
			    : o->key == s->key)
			s->found = real;
	}
	for (const struct argp_child *c = argp->children; c && c->argp; c++)
		search_tree(c->argp, s);
}

static int unknown_long(const char *command, const struct search *s)
{
	char typed[TEXT_MAX];
	const char *nearest;

	snprintf(typed, sizeof(typed), "%.*s", (int)s->len, s->name);
	nearest = names_nearest(typed, s->all, s->n_all);
	if (nearest)
		message_usage(command, "unknown option '--%s': did you mean '--%s'?",
			      typed, nearest);
	else
		message_usage(command,
			      "unknown option '--%s': '%s --help' lists the options",
			      typed, command);
	return -EINVAL;
}

/* Whether the next word is the value of the option `word`: 0 or 1, or -EINVAL. */
static int check_long(const struct argp *argp, const char *command, const char *word)
{
	const char *value = strchr(word, '=');
	struct search s = { .name = word + 2 };

	s.len = value ? (size_t)(value - s.name) : strlen(s.name);
	search_tree(argp, &s);
	if (!s.found)
		return unknown_long(command, &s);
	if (value && !s.found->arg) {
		message_usage(command, "option '--%s' takes no value", s.found->name);
		return -EINVAL;
	}
	return s.found->arg && !value && !(s.found->flags & OPTION_ARG_OPTIONAL);
}

/* check_long() for a word of short options: "-o", "-oFILE". */
static int check_short(const struct argp *argp, const char *command, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		struct search s = { .key = (unsigned char)*c };

		search_tree(argp, &s);
		if (!s.found) {
			message_usage(
				command,
				"unknown option '-%c': '%s --help' lists the options", *c,
				command);
			return -EINVAL;
		}
		if (s.found->arg)
			return !c[1] && !(s.found->flags & OPTION_ARG_OPTIONAL);
	}
	return 0;
}

/*
 * OPTIONS_RUN if argp will accept every option. -h and --help count wherever they are,
 * --dump-options only as the first word.
 */
static enum options_next check(const struct argp *argp, const char *command, int argc,
			       char **argv)
{
	bool help = false;

	if (argc > 1 && !strcmp(argv[1], "--dump-options")) {
		help_dump(argp, &options_common);
		return OPTIONS_HELP;
	}
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		const char *word = argv[i];
		int takes;

		if (word[0] != '-' || !word[1])
			continue;
		if (word[1] == '-')
			takes = check_long(argp, command, word);
		else
			takes = check_short(argp, command, word);
		if (takes < 0)
			return OPTIONS_BAD;
		if (takes && i + 1 == argc) {
			message_usage(command, "option '%s' needs a value", word);
			return OPTIONS_BAD;
		}
		if (!strcmp(word, "--help") || !strcmp(word, "-h"))
			help = true;
		i += takes;
	}
	if (!help)
		return OPTIONS_RUN;
	help_print(argp, &options_common, command);
	return OPTIONS_HELP;
}

/* A benchmark or a target without its option, where the command has that option. */
static void unexpected(const struct argp *argp, const char *command, const char *word)
{
	const char *option = result_find_bench(word) ? "bench"
			     : names_target(word)    ? "on"
						     : NULL;
	struct search s = { .name = option };

	if (option) {
		s.len = strlen(option);
		search_tree(argp, &s);
	}
	if (s.found)
		message_usage(command, "unexpected argument '%s': give --%s %s", word,
			      option, word);
	else
		message_usage(command, "unexpected argument '%s'", word);
}

enum options_next options_parse(const struct argp *argp, const char *command, int argc,
				char **argv, void *input)
{
	enum options_next next = check(argp, command, argc, argv);
	char name[TEXT_MAX], **words;
	int end = argc;
	error_t err;

	if (next != OPTIONS_RUN)
		return next;

	words = calloc((size_t)argc + 2, sizeof(*words));
	if (!words)
		abort();
	snprintf(name, sizeof(name), "%s", command);
	words[0] = name; /* argp passes argv[0] to the parsers as state->name */
	for (int i = 1; i < argc; i++)
		words[i] = argv[i];
	/* In order: POSIXLY_CORRECT must not change the meaning of the words. */
	err = argp_parse(argp, argc > 0 ? argc : 1, words,
			 ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_IN_ORDER, &end,
			 input);
	if (err == ARGP_ERR_UNKNOWN || (!err && end < argc))
		unexpected(argp, command, words[end]);
	else if (err && err != EINVAL) /* EINVAL: options_error() has printed the line */
		message_usage(command, "%s", strerror(err));
	free(words);
	return err || end < argc ? OPTIONS_BAD : OPTIONS_RUN;
}

bool options_go(const struct argp *argp, const char *command, int argc, char **argv,
		void *input, enum cli_exit *code)
{
	enum options_next next = options_parse(argp, command, argc, argv, input);

	*code = next == OPTIONS_BAD ? CLI_USAGE : CLI_OK;
	return next == OPTIONS_RUN;
}

error_t options_names(const struct argp_state *state, const char *arg,
		      int (*match)(const char *patterns, struct names_list *list,
				   struct error *err),
		      struct names_list *list)
{
	struct error why;

	names_free(list);
	return match(arg, list, &why) ? options_error(state, "%s", why.text) : 0;
}

error_t options_error(const struct argp_state *state, const char *fmt, ...)
{
	char text[2 * TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message_usage(state->name, "%s", text);
	return EINVAL;
}

error_t options_form(const struct argp_state *state, const char *option,
		     const char **form)
{
	if (*form && strcmp(*form, option) != 0)
		return options_error(state,
				     "%s and %s: one form at a time (give one of them)",
				     *form, option);
	*form = option;
	return 0;
}

error_t options_number(const struct argp_state *state, const char *name, const char *arg,
		       uint64_t min, uint64_t max, uint64_t *out)
{
	bool hex = arg[0] == '0' && (arg[1] == 'x' || arg[1] == 'X');
	const char *digits = arg + (hex ? 2 : 0);
	unsigned long long value;
	char *end;

	/* strtoull() alone would accept blanks, signs and octal. */
	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") !=
				strlen(digits))
		return options_error(state, "%s: '%s' is not a whole number", name, arg);
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || value < min || value > max)
		return options_error(state, "%s: %s is out of range: %llu to %llu", name,
				     arg, (unsigned long long)min,
				     (unsigned long long)max);
	*out = value;
	return 0;
}
