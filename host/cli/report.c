/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench report: one HTML page of result documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/history/history.h"
#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/lib/error.h"
#include "host/cli/options.h"
#include "host/lib/file.h"
#include "host/result/result.h"
#include "host/report/report.h"

#define PAGE "report.html"

struct report_args {
	struct options_common common;
	const char *output;
	const char *history;
	const char **paths;
	size_t n_paths;
};

#define OPTION_HISTORY 0x100

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case OPTION_HISTORY:
		args->history = arg;
		return 0;
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->n_paths && !args->history)
			return options_error(state, "no result document was given");
		if (!args->output)
			return options_error(state,
					     "no output folder: -o DIR, or -o FILE.html");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* -o is the page itself if it ends in .html and is not a folder. */
static bool is_page(const char *output)
{
	const char *dot = strrchr(output, '.');
	struct stat st;

	return dot && (!strcmp(dot, ".html") || !strcmp(dot, ".htm")) &&
	       (stat(output, &st) || !S_ISDIR(st.st_mode));
}

static int save(const char *output, const char *page, size_t bytes)
{
	bool single = is_page(output);
	char *path;
	int code = CLI_OK, err = single ? 0 : file_make_folders(output);

	if (err) {
		message_error("cannot make folder %s: %s", output, strerror(-err));
		return CLI_FAILED;
	}
	if (asprintf(&path, "%s%s", output, single ? "" : "/" PAGE) < 0)
		abort();
	err = file_replace(path, page, bytes);
	if (err) {
		message_error("cannot write %s: %s", path, strerror(-err));
		code = CLI_FAILED;
	} else {
		puts(path);
	}
	free(path);
	return code;
}

struct inputs {
	struct documents docs;
	struct explanations explanations;
};

static int write_page(const struct report_args *args, const struct inputs *in,
		      const struct history *history)
{
	struct report report;
	size_t bytes = 0;
	char *page;
	int code;

	report_build(&report, (const struct result *const *)in->docs.docs, in->docs.n,
		     history);
	if (*report.failed.text)
		message_warn("the report has no pictures: %s", report.failed.text);
	report.explanations = in->explanations.docs;
	report.n_explanations = in->explanations.n;
	page = report_page(&report, &bytes);
	code = save(args->output, page, bytes);
	free(page);
	report_free(&report);
	return code;
}

static int write_report(struct report_args *args)
{
	struct inputs in;
	struct history history;
	int code = CLI_USAGE;

	if (!documents_explanations(&in.explanations, args->paths, &args->n_paths))
		return CLI_USAGE;
	if (!documents_read(&in.docs, args->paths, args->n_paths)) {
		documents_explanations_free(&in.explanations);
		return CLI_USAGE;
	}
	documents_order(&in.docs);
	if (!args->history) {
		code = write_page(args, &in, NULL);
	} else if (documents_history(&history, args->history)) {
		code = write_page(args, &in, &history);
		history_free(&history);
	}
	documents_free(&in.docs);
	documents_explanations_free(&in.explanations);
	return code;
}

static const struct argp_option options[] = {
	{ "output", 'o', "DIR|FILE.html", 0,
	  "Write " PAGE
	  " to DIR, which is created if necessary; or the page to FILE.html",
	  0 },
	{ "history", OPTION_HISTORY, "FILE.jsonl", 0,
	  "Add the changes of this history (see wsbench history); --db does the same",
	  0 },
	{ "db", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR...]",
	.doc = "Writes a page and prints its path: figures, pictures, what is "
	       "missing and why, on one page that needs no other file.\v"
	       "Documents of one target are compared with the first of them. Explanations "
	       "(wsbench explain -o) can be among the files.",
	.children = children,
};

int cmd_report(int argc, char **argv)
{
	struct report_args args = { 0 };
	enum cli_exit code;

	args.paths = calloc((size_t)argc + 1, sizeof(*args.paths));
	if (!args.paths)
		abort();
	if (options_go(&argp, "wsbench report", argc, argv, &args, &code)) {
		code = write_report(&args);
	}
	free(args.paths);
	return code;
}
