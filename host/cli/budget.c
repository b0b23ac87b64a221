/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench budget`: what the exits of a real workload cost, by figures of documents. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/budget/budget.h"
#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/lib/process.h"
#include "host/result/result.h"
#include "host/targets/target.h"

#define COMMAND	    "wsbench budget"
#define SECONDS_MIN 1e-6
#define SECONDS_MAX 1e9

struct budget_args {
	struct options_common common;
	const char *exits[2]; /* files; two snapshots of counters */
	const char *kernels[BUDGET_SIDES];
	const char **paths; /* of documents */
	size_t n_exits, n_kernels, n_paths;
	const struct target *on;	   /* NULL: documents are given */
	struct budget_override *overrides; /* the texts are of the struct */
	struct budget_options options;
	void (*print)(FILE *f, const struct budget *b);
	const char *form; /* the option that chose `print`; NULL */
};

enum key {
	OPTION_EXITS = 0x100,
	OPTION_ON,
	OPTION_KERNEL,
	OPTION_CONFIG,
	OPTION_MAP,
	OPTION_SECONDS,
	OPTION_MARKDOWN,
	OPTION_CSV,
	OPTION_JSON,
};

static const struct argp_option options[] = {
	{ "exits", OPTION_EXITS, "FILE", 0,
	  "The exits of the workload: what 'perf kvm stat report' or 'live' printed, or "
	  "kvm_stat with -1 or -l, or the counters of /sys/kernel/debug/kvm as "
	  "PATH:VALUE. Two snapshots of counters are subtracted: in one file, or give the "
	  "option twice",
	  0 },
	{ "seconds", OPTION_SECONDS, "N", 0,
	  "The exits were counted in N seconds, where the file does not say so", 0 },
	{ "on", OPTION_ON, "TARGET", 0,
	  "Measure the rows that the exits need on TARGET, instead of documents", 0 },
	{ "kernel", OPTION_KERNEL, "KERNEL", 0,
	  "With --on: boot this image or release; twice: first the base, then the new one",
	  0 },
	{ "config", OPTION_CONFIG, "NAME", 0,
	  "Use the rows of this counter config (default: the first config of each row)",
	  0 },
	{ "map", OPTION_MAP, "EXIT=ROW", 0,
	  "Use this benchmark for an exit; can be given several times", 0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0, "Print Markdown", 0 },
	{ "csv", OPTION_CSV, NULL, 0, "Print CSV, a line for each exit", 0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static error_t parse_on(struct budget_args *args, const char *arg,
			struct argp_state *state)
{
	struct names_list targets = { 0 };

	if (options_names(state, arg, names_match_targets, &targets))
		return EINVAL;
	if (targets.n == 1)
		args->on = names_target(targets.names[0]);
	names_free(&targets);
	return args->on ? 0 : options_error(state, "--on: '%s' is not one target", arg);
}

/* "NAME=ROW"; names of exits have no '='. */
static error_t parse_map(struct budget_args *args, const char *arg,
			 struct argp_state *state)
{
	const char *equals = strchr(arg, '=');
	const struct bench *row = equals ? result_find_bench(equals + 1) : NULL;
	size_t n = args->options.n_overrides;
	char *name;

	if (!equals || equals == arg)
		return options_error(state, "--map takes EXIT=ROW, not '%s'", arg);
	if (!row)
		return options_error(state,
				     "--map: '%s' is not a benchmark ('wsbench list')",
				     equals + 1);
	args->overrides = realloc(args->overrides, (n + 1) * sizeof(*args->overrides));
	name = strndup(arg, (size_t)(equals - arg));
	if (!args->overrides || !name)
		abort();
	args->overrides[n] = (struct budget_override){ name, row->id };
	args->options.overrides = args->overrides;
	args->options.n_overrides = n + 1;
	return 0;
}

static error_t parse_seconds(struct budget_args *args, const char *arg,
			     struct argp_state *state)
{
	char *end;
	double seconds = strtod(arg, &end);

	if (end == arg || *end || !(seconds >= SECONDS_MIN) || seconds > SECONDS_MAX)
		return options_error(state,
				     "--seconds: '%s' is not a number from %g to %g", arg,
				     SECONDS_MIN, SECONDS_MAX);
	args->options.seconds = seconds;
	return 0;
}

static error_t check(const struct budget_args *args, struct argp_state *state)
{
	if (!args->n_exits)
		return options_error(
			state,
			"--exits FILE is missing: what perf kvm stat, kvm_stat or debugfs printed");
	if (args->n_exits > 2)
		return options_error(state, "--exits: more than two snapshots");
	if (args->on && args->n_paths)
		return options_error(state, "either --on TARGET or documents, not both");
	if (!args->on && !args->n_paths)
		return options_error(
			state, "the figures are missing: --on TARGET, or a document");
	if (args->n_kernels && !args->on)
		return options_error(state, "--kernel needs --on TARGET");
	if (args->n_kernels > BUDGET_SIDES)
		return options_error(state, "--kernel: more than a base and a new one");
	if (args->n_kernels && strcmp(args->on->ops->kind, "lab") != 0)
		return options_error(
			state, "'%s' is not a lab: only labs boot the kernel of --kernel",
			args->on->name);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct budget_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPTION_EXITS:
		if (args->n_exits++ < 2)
			args->exits[args->n_exits - 1] = arg;
		return 0;
	case OPTION_ON:
		return parse_on(args, arg, state);
	case OPTION_KERNEL:
		if (args->n_kernels++ < BUDGET_SIDES)
			args->kernels[args->n_kernels - 1] = arg;
		return 0;
	case OPTION_CONFIG:
		if (!result_find_config(arg))
			return options_error(
				state,
				"--config: '%s' is not a config ('wsbench list configs')",
				arg);
		args->options.config = arg;
		return 0;
	case OPTION_MAP:
		return parse_map(args, arg, state);
	case OPTION_SECONDS:
		return parse_seconds(args, arg, state);
	case OPTION_MARKDOWN:
		args->print = budget_markdown;
		return options_form(state, "--markdown", &args->form);
	case OPTION_CSV:
		args->print = budget_csv;
		return options_form(state, "--csv", &args->form);
	case OPTION_JSON:
		args->print = budget_json;
		return options_form(state, "--json", &args->form);
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		return check(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

/* ------------------------------ reading and measuring ------------------------------ */

static bool read_exits(const char *path, struct exits *e)
{
	struct error err;
	char *text = NULL;
	long bytes = file_read(path, EXITS_FILE_MAX, &text);
	int rc;

	if (bytes < 0) {
		file_error(&err, "read", path, (int)bytes);
		message_error("%s", err.text);
		free(text);
		return false;
	}
	rc = exits_parse(text, (size_t)bytes, e, &err);
	free(text);
	if (rc)
		message_error("%s: %s", file_tail(path), err.text);
	return !rc;
}

static bool read_all_exits(const struct budget_args *args, struct exits *e)
{
	struct exits earlier = { 0 };
	struct error err;
	int rc;

	if (args->n_exits == 1)
		return read_exits(args->exits[0], e);
	if (!read_exits(args->exits[0], &earlier))
		return false;
	if (!read_exits(args->exits[1], e)) {
		exits_free(&earlier);
		return false;
	}
	rc = exits_subtract(e, &earlier, &err);
	if (rc) {
		message_error("%s: %s", file_tail(args->exits[1]), err.text);
		exits_free(e);
	}
	exits_free(&earlier);
	return !rc;
}

/* Rows that the target's architecture has; those that are measured only on request
 * disturb a real machine. */
static size_t select_rows(const struct budget_args *args, const char **rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct bench *b = result_find_bench(rows[i]);
		bool opt_in = (b->needs & OPT_IN) && strcmp(args->on->ops->kind, "lab");

		if ((b->archs & (1u << args->on->arch)) && !opt_in)
			rows[kept++] = rows[i];
	}
	return kept;
}

/* The document's command line is that of a run which measures these rows. */
static enum cli_exit measure(const struct budget_args *args, const char *kernel,
			     const char *const *rows, size_t n, struct result **out)
{
	const char *words[10] = { "run", "--on", args->on->name };
	enum cli_exit code;
	size_t n_words = 3, bytes;
	struct run run;
	char *list;
	FILE *f = open_memstream(&list, &bytes);

	if (!f)
		abort();
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "," : "", rows[i]);
	if (fclose(f))
		abort();
	words[n_words++] = "--bench";
	words[n_words++] = list;
	if (kernel) {
		words[n_words++] = "--kernel";
		words[n_words++] = kernel;
	}
	if (args->options.config) {
		words[n_words++] = "--config";
		words[n_words++] = args->options.config;
	}
	run_init(&run);
	run.common = args->common;
	run.argc = (int)n_words;
	run.argv = (char **)words;
	run.job.kernel = kernel;
	run.job.fetch = args->common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	run.job.benches = (const char **)rows;
	run.job.n_benches = n;
	if (args->options.config) {
		run.job.configs = (const char **)&args->options.config;
		run.job.n_configs = 1;
	}
	code = run_target(&run, args->on, out);
	run_free(&run);
	free(list);
	return code;
}

static enum cli_exit measure_all(const struct budget_args *args, const struct exits *e,
				 struct documents *d)
{
	const size_t sides = args->n_kernels ? args->n_kernels : 1;
	enum cli_exit code = CLI_OK;
	size_t n;
	const char **rows = budget_rows(e, 1u << args->on->arch, &args->options, &n);

	n = select_rows(args, rows, n);
	*d = (struct documents){ .docs = calloc(sides, sizeof(*d->docs)) };
	if (!d->docs)
		abort();
	if (!n) {
		message_error("%s: none of the exits has a row that %s can measure",
			      file_tail(args->exits[0]), args->on->name);
		code = CLI_USAGE;
	}
	while (code == CLI_OK && d->n < sides && !interrupted) {
		code = measure(args, args->n_kernels ? args->kernels[d->n] : NULL, rows,
			       n, &d->docs[d->n]);
		if (d->docs[d->n])
			d->n++;
		else if (code == CLI_OK)
			code = CLI_FAILED;
	}
	free(rows);
	return interrupted ? CLI_FAILED : code;
}

/* The file of the last of the documents; NULL: they were measured, or are of a folder. */
static const char *document_of(const struct budget_args *args, const struct documents *d)
{
	return args->n_paths && args->n_paths == d->n ? args->paths[d->n - 1] : NULL;
}

static enum cli_exit print(const struct budget_args *args, const struct exits *e,
			   const struct documents *d)
{
	const struct result *const *docs = (const struct result *const *)d->docs;
	enum cli_exit code = CLI_OK;
	const char *file;
	struct budget b;
	struct error err;
	int rc;

	if (d->n > BUDGET_SIDES) {
		message_usage(COMMAND, "%zu documents: give one, or a base and a new one",
			      d->n);
		return CLI_USAGE;
	}
	rc = budget_build(e, docs, d->n, &args->options, &b, &err);
	if (rc) {
		file = rc == -EBADMSG ? document_of(args, d)
				      : args->exits[args->n_exits - 1];
		message_error("%s%s%s", file ? file_tail(file) : "", file ? ": " : "",
			      err.text);
		return CLI_USAGE;
	}
	if (b.warning && args->print == budget_csv)
		message_warn("%s", b.warning); /* the other forms have it */
	args->print(stdout, &b);
	if (!b.n_costed)
		code = CLI_UNTRUSTED;
	budget_free(&b);
	return code;
}

/* Options that contradict the exits, or name what is not among them. */
static bool fits(const struct budget_args *args, const struct exits *e)
{
	const char *unused = budget_unused_override(e, &args->options);

	if (!isnan(args->options.seconds) && !isnan(e->seconds)) {
		message_usage(COMMAND, "--seconds: %s has the time already: %g s",
			      file_tail(args->exits[args->n_exits - 1]), e->seconds);
		return false;
	}
	if (unused) {
		message_usage(COMMAND, "--map: '%s' is not among the exits of %s", unused,
			      file_tail(args->exits[args->n_exits - 1]));
		return false;
	}
	return true;
}

static enum cli_exit budget(const struct budget_args *args)
{
	struct documents d = { 0 };
	enum cli_exit code;
	struct exits e;

	if (!read_all_exits(args, &e))
		return CLI_USAGE;
	if (!fits(args, &e))
		code = CLI_USAGE;
	else if (args->on)
		code = measure_all(args, &e, &d);
	else
		code = documents_read(&d, args->paths, args->n_paths) ? CLI_OK
								      : CLI_USAGE;
	/* If the second kernel failed, the figures of the first are worth printing. */
	if (code == CLI_OK || (d.n && !interrupted)) {
		enum cli_exit printed = print(args, &e, &d);

		code = printed > code ? printed : code;
	}
	documents_free(&d);
	exits_free(&e);
	return code;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE.json [NEW.json]]",
	.doc = "Multiplies the exits of a real workload, as other tools counted them, by "
	       "the figures of a result document: what the workload spends on exits, by "
	       "reason. With two documents, of two kernels for example: what the workload "
	       "would pay more. Exits without a figure are listed with the cause.\v"
	       "Exit code 0: done; 2: wrong usage, or a file that is not what a tool "
	       "printed; 3: none of the exits has a figure; 4: a target failed.",
	.children = children,
};

int cmd_budget(int argc, char **argv)
{
	struct budget_args args = {
		.paths = calloc((size_t)argc + 1, sizeof(*args.paths)),
		.options = { .seconds = NAN },
		.print = budget_print,
	};
	enum cli_exit code;

	if (!args.paths)
		abort();
	if (options_go(&argp, COMMAND, argc, argv, &args, &code)) {
		target_catch_signals();
		code = budget(&args);
	}
	for (size_t i = 0; i < args.options.n_overrides; i++)
		free((char *)args.overrides[i].name);
	free(args.overrides);
	free(args.paths);
	interrupt_pass_on();
	return code;
}
