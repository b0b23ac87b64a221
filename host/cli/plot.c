/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench plot: bar charts of result documents. */
#include <errno.h>
#include <stdlib.h>

#include "host/cli/cmd.h"
#include "host/cli/message.h"
#include "host/cli/options.h"
#include "host/result/result.h"
#include "host/view/chart.h"

struct plot_args {
	struct options_common common;
	const char *dir;
	const char **paths;
	size_t n_paths;
};

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
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->n_paths)
			return options_error(state, "no result document was given");
		if (!args->dir)
			return options_error(state,
					     "-o DIR says where to: it is missing");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int draw(const struct plot_args *args, struct result **docs)
{
	struct chart_files files;
	struct chart_error err;
	int ret = chart_bars((const struct result *const *)docs, args->n_paths, args->dir,
			     &files, &err);

	for (size_t i = 0; i < files.n; i++)
		puts(files.paths[i]);
	chart_files_free(&files);
	if (!ret)
		return CLI_OK;
	message_error("%s", err.text);
	return ret == -ENODATA ? CLI_USAGE : CLI_FAILED;
}

static int plot(const struct plot_args *args)
{
	struct result **docs = calloc(args->n_paths, sizeof(*docs));
	struct result_error err;
	int code = CLI_OK;
	size_t n = 0;

	if (!docs)
		abort();
	for (; n < args->n_paths && code == CLI_OK; n++) {
		if (result_read(args->paths[n], &docs[n], &err)) {
			message_error("%s", err.text);
			code = CLI_USAGE;
			break;
		}
	}
	if (code == CLI_OK)
		code = draw(args, docs);
	while (n)
		result_free(docs[--n]);
	free(docs);
	return code;
}

int cmd_plot(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "output", 'o', "DIR", 0, "Folder for the pictures; made if need be",
		  0 },
		{ 0 },
	};
	static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "FILE.json...",
		.doc = "Draws the round trips of result documents as bar charts, SVG and "
		       "PNG, one chart per unit, and prints the paths written.",
		.children = children,
	};
	struct plot_args args = { 0 };
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
		code = plot(&args);
		break;
	}
	free(args.paths);
	return code;
}
