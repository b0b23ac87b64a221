/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench plot: pictures of result documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cmd.h"
#include "host/cli/documents.h"
#include "host/cli/message.h"
#include "host/cli/names.h"
#include "host/cli/options.h"
#include "host/result/result.h"
#include "host/view/plots.h"

struct plot_args {
	struct options_common common;
	const char *dir;
	const char **paths;
	size_t n_paths;
	const char **kinds; /* 0 of them: all */
	size_t n_kinds;
	const char **benches;
	size_t n_benches;
	const char **configs;
	size_t n_configs;
};

enum key {
	OPTION_KIND = 0x100,
	OPTION_BENCH,
	OPTION_CONFIG,
};

static error_t check_kind(const struct argp_state *state, const char *word)
{
	const char *names[16], *nearest;
	size_t n = 0;

	for (; plot_kinds[n].id; n++) {
		if (!strcmp(plot_kinds[n].id, word))
			return 0;
		names[n] = plot_kinds[n].id;
	}
	nearest = names_nearest(word, names, n);
	if (nearest)
		return options_error(state, "no picture '%s': did you mean '%s'?", word,
				     nearest);
	return options_error(state, "no picture '%s': 'wsbench plot --help' lists them",
			     word);
}

static error_t check(struct plot_args *args, const struct argp_state *state)
{
	if (!args->n_paths)
		return options_error(state, "no result document was given");
	if (!args->dir)
		return options_error(state, "-o DIR says where to: it is missing");
	if (args->configs && args->n_configs != 2)
		return options_error(state, "--config needs two configs: A,B");
	for (size_t i = 0; i < args->n_kinds; i++) {
		error_t err = check_kind(state, args->kinds[i]);

		if (err)
			return err;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct plot_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case 'o':
		args->dir = arg;
		return 0;
	case OPTION_KIND:
		free(args->kinds);
		args->kinds = documents_words(arg, &args->n_kinds);
		return 0;
	case OPTION_BENCH:
		free(args->benches);
		args->benches = documents_words(arg, &args->n_benches);
		return 0;
	case OPTION_CONFIG:
		free(args->configs);
		args->configs = documents_words(arg, &args->n_configs);
		return 0;
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		return check(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

static bool is_asked(const struct plot_args *args, const char *kind)
{
	for (size_t i = 0; i < args->n_kinds; i++)
		if (!strcmp(args->kinds[i], kind))
			return true;
	return !args->n_kinds;
}

/* Says in one line what the documents cannot show, and why. */
static void plan(const struct plot_args *args, const struct documents *docs,
		 struct picture_list *list)
{
	struct plot_input in = {
		.docs = (const struct result *const *)docs->docs,
		.n_docs = docs->n,
		.benches = args->benches,
		.n_benches = args->n_benches,
	};
	char missing[1024] = "";
	size_t at = 0;

	if (args->n_configs == 2)
		memcpy(in.config, args->configs, sizeof(in.config));
	for (const struct plot_kind *kind = plot_kinds; kind->id; kind++) {
		struct plot_reason why = { "" };

		if (!is_asked(args, kind->id))
			continue;
		kind->plan(&in, list, &why);
		if (*why.text && at < sizeof(missing))
			at += (size_t)snprintf(missing + at, sizeof(missing) - at,
					       "%s%s (%s)", at ? ", " : "", kind->id,
					       why.text);
	}
	if (!list->n)
		message_error("nothing to draw: %s", missing);
	else if (*missing)
		message_info(&args->common, "not drawn: %s", missing);
}

static int draw(const struct plot_args *args, const struct documents *docs)
{
	struct picture_list list = { 0 };
	struct picture_files files = { 0 };
	struct picture_error err;
	int code = CLI_USAGE;

	plan(args, docs, &list);
	if (list.n) {
		code = picture_save(&list, args->dir, &files, &err) ? CLI_FAILED : CLI_OK;
		for (size_t i = 0; i < files.n; i++)
			puts(files.paths[i]);
		if (code)
			message_error("%s", err.text);
	}
	picture_files_free(&files);
	picture_list_free(&list);
	return code;
}

/* The kinds there are, for --help; argp frees what is not `text`. */
static char *help_filter(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t bytes;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&help, &bytes);
	if (!f)
		abort();
	fputs("Pictures:\n", f);
	for (const struct plot_kind *kind = plot_kinds; kind->id; kind++)
		fprintf(f, "  %-13s %s\n", kind->id, kind->summary);
	if (fclose(f))
		abort();
	return help;
}

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0, "folder for the pictures; made if need be", 0 },
	{ "kind", OPTION_KIND, "NAME,...", 0,
	  "draw these pictures only (default: all that the documents allow)", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "of these benchmarks only; 'core' for the few that say most", 0 },
	{ "config", OPTION_CONFIG, "A,B", 0,
	  "compare these two counter configs (default: whichever there are)", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE.json...",
	.doc = "Draws pictures of result documents, SVG and PNG, and prints the paths "
	       "written. Says in one line what the documents cannot show.\v",
	.children = children,
	.help_filter = help_filter,
};

int cmd_plot(int argc, char **argv)
{
	struct plot_args args = { 0 };
	struct documents docs;
	int code = CLI_OK;

	args.paths = calloc((size_t)argc + 1, sizeof(*args.paths));
	if (!args.paths)
		abort();
	switch (options_parse(&argp, "wsbench plot", argc, argv, &args)) {
	case OPTIONS_HELP:
		break;
	case OPTIONS_BAD:
		code = CLI_USAGE;
		break;
	case OPTIONS_RUN:
		code = CLI_USAGE;
		if (documents_read(&docs, args.paths, args.n_paths)) {
			code = draw(&args, &docs);
			documents_free(&docs);
		}
		break;
	}
	free(args.paths);
	free(args.kinds);
	free(args.benches);
	free(args.configs);
	return code;
}
