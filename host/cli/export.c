/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench export` and `wsbench validate`: documents for other programs, and from them.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/explain/explanation.h"
#include "host/lib/error.h"
#include "host/result/export.h"
#include "host/result/result.h"

/* ------------------------------ export ------------------------------ */

#define FORMATS_MAX 32

struct export_args {
	struct options_common common;
	const struct export_format *format;
	const char *form; /* its name; NULL */
	char *metrics;
	const char **paths; /* room for all of argv */
	size_t n_paths;
};

enum key { OPTION_FORMAT = 0x100, OPTION_METRIC };

static const struct argp_option options[] = {
	{ "format", OPTION_FORMAT, "FORMAT", 0, "Print this format (see below)", 0 },
	{ "metric", OPTION_METRIC, "GLOB,...", 0,
	  "Print these metrics (default: round_trip; csv: all)", 0 },
	{ 0 },
};

static error_t parse_format(struct export_args *args, const char *name,
			    const struct argp_state *state)
{
	const char *names[FORMATS_MAX], *nearest;

	args->format = export_find(name);
	if (args->format)
		return options_form(state, args->format->name, &args->form);
	for (size_t i = 0; i < export_table_n; i++)
		names[i] = export_table[i].name;
	nearest = names_nearest(name, names, export_table_n);
	if (nearest)
		return options_error(state, "no format '%s': did you mean '%s'?", name,
				     nearest);
	return options_error(state, "no format '%s': 'wsbench export --help' lists them",
			     name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct export_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPTION_FORMAT:
		return parse_format(args, arg, state);
	case OPTION_METRIC:
		args->metrics = arg;
		return 0;
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->format)
			return options_error(
				state,
				"no format: give --format FORMAT ('wsbench export --help' lists them)");
		if (!args->n_paths)
			return options_error(
				state,
				"no documents: 'wsbench export --format FORMAT FILE|DIR...'");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void print_formats(FILE *f)
{
	for (size_t i = 0; i < export_table_n; i++)
		fprintf(f, "  %-12s %s\n", export_table[i].name,
			export_table[i].consumer);
}

static char *help_filter(int key, const char *text, void *input)
{
	(void)input;
	return help_with_formats(key, text, print_formats);
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIR...",
	.doc = "Prints the figures of result documents in another tool's "
	       "format.\vThe exit code is 2 if the format cannot hold the figures.",
	.children = children,
	.help_filter = help_filter,
};

/* Whether a document has a metric that matches; also true if no row has any metric. */
static bool has_metric(const struct documents *d, const char *pattern)
{
	bool any = false;

	for (size_t i = 0; i < d->n; i++) {
		for (size_t k = 0; k < d->docs[i]->n_benchmarks; k++) {
			const struct result_benchmark *b = &d->docs[i]->benchmarks[k];

			for (size_t m = 0; m < b->n_metrics; m++)
				if (!fnmatch(pattern, b->metrics[m].name, 0))
					return true;
			any |= b->n_metrics > 0;
		}
	}
	return !any;
}

/* Whether the documents have each metric of --metric. */
static bool check_metrics(const char *const *metrics, const struct documents *d)
{
	for (const char *const *p = metrics; *p; p++) {
		if (!**p) {
			message_error("--metric: empty name in the list");
			return false;
		}
		if (has_metric(d, *p))
			continue;
		message_error("--metric %s: no document has this metric", *p);
		return false;
	}
	return true;
}

static enum cli_exit write_all(const struct export_args *args, const struct documents *d)
{
	const char *all = args->metrics ? args->metrics : args->format->metrics;
	char *list = strdup(all), *rest = list;
	const char **metrics = calloc(strlen(all) + 2, sizeof(*metrics));
	struct export_request rq = { (const struct result *const *)d->docs, d->n,
				     metrics };
	struct error err = { "" };
	int rc = -EINVAL;

	if (!list || !metrics)
		abort();
	for (size_t n = 0; rest; n++)
		metrics[n] = strsep(&rest, ",");
	if (!args->metrics || check_metrics(metrics, d))
		rc = export_write(args->format, &rq, stdout, &err);
	if (rc && *err.text)
		message_error("%s", err.text);
	free(metrics);
	free(list);
	return rc ? CLI_USAGE : CLI_OK;
}

int cmd_export(int argc, char **argv)
{
	struct export_args args = {
		.paths = calloc((size_t)argc + 1, sizeof(*args.paths)),
	};
	enum cli_exit code = CLI_OK;
	enum options_next next;
	struct documents d;

	if (!args.paths)
		abort();
	next = options_parse(&argp, "wsbench export", argc, argv, &args);
	if (next == OPTIONS_BAD)
		code = CLI_USAGE;
	if (next == OPTIONS_RUN) {
		code = CLI_USAGE;
		if (documents_read(&d, args.paths, args.n_paths)) {
			code = write_all(&args, &d);
			documents_free(&d);
		}
	}
	free(args.paths);
	return code;
}

/* ------------------------------ validate ------------------------------ */

struct validate {
	struct options_common common;
	char **files; /* room for all of argv */
	size_t n_files;
};

static error_t parse_validate(int key, char *arg, struct argp_state *state)
{
	struct validate *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &v->common;
		return 0;
	case ARGP_KEY_ARG:
		v->files[v->n_files++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return options_error(state, "no file: 'wsbench validate FILE.json...'");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child validate_children[] = { { &options_common, 0, NULL, 0 },
						       { 0 } };

static const struct argp validate_argp = {
	.parser = parse_validate,
	.args_doc = "FILE.json...",
	.doc = "Checks results and explanations against the rules of results/schema.json "
	       "and results/explanation.schema.json.\v"
	       "Prints 'FILE: ok' for each valid file, and the position of the first "
	       "error "
	       "for each invalid file. The exit code is 2 if a file is invalid.",
	.children = validate_children,
};

static bool validate_file(const char *path)
{
	struct error err;

	if (explanation_or_result_check(path, &err)) {
		message_usage("wsbench validate", "%s", err.text);
		return false;
	}
	printf("%s: ok\n", path);
	return true;
}

int cmd_validate(int argc, char **argv)
{
	struct validate v = { .files = calloc((size_t)argc + 1, sizeof(char *)) };
	enum cli_exit code = CLI_OK;
	enum options_next next;

	if (!v.files)
		abort();
	next = options_parse(&validate_argp, "wsbench validate", argc, argv, &v);
	if (next == OPTIONS_BAD)
		code = CLI_USAGE;
	else if (next == OPTIONS_RUN)
		for (size_t i = 0; i < v.n_files; i++)
			if (!validate_file(v.files[i]))
				code = CLI_USAGE;
	free(v.files);
	return code;
}
