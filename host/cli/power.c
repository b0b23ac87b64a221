/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench power`: what a change must be to be found, from the noise of the data. */
#include <errno.h>
#include <stdlib.h>

#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/history/history.h"
#include "host/lib/error.h"

struct power_args {
	struct options_common common;
	const char **files; /* room for all of argv */
	size_t n_files;
	const char *db; /* NULL: documents */
	struct history_query select;
	struct power_query query;
	bool json;
};

enum key {
	OPTION_DB = 0x100,
	OPTION_ON,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_RUNS,
	OPTION_BOOTS,
	OPTION_JSON,
};

static const struct argp_option options[] = {
	{ "db", OPTION_DB, "FILE.jsonl", 0, "Use the runs of this history", 0 },
	{ "on", OPTION_ON, "GLOB,...", 0, "Select these targets (--db)", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Select these benchmarks; 'core' selects the core benchmarks", 0 },
	{ "config", OPTION_CONFIG, "GLOB,...", 0, "Select these configs", 0 },
	{ "runs", OPTION_RUNS, "N", 0,
	  "Plan N runs a side (default: the number of documents), or after a step "
	  "(--db, default: 5)",
	  0 },
	{ "boots", OPTION_BOOTS, "N", 0,
	  "Plan N boots a run (default: as in the documents)", 0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct power_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case ARGP_KEY_ARG:
		args->files[args->n_files++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->db == !args->n_files)
			return options_error(
				state,
				"needs documents, or a history: 'wsbench power RUN.json...' or 'wsbench power --db FILE.jsonl'");
		if (args->db && args->query.boots)
			return options_error(state, "--boots: only for documents");
		if (!args->db && args->select.targets)
			return options_error(state, "--on: only with --db");
		if (args->n_files == 1 && args->query.runs > 1)
			return options_error(
				state,
				"--runs: one document does not show what differs from run to run");
		return 0;
	case OPTION_DB:
		args->db = arg;
		return 0;
	case OPTION_ON:
		args->select.targets = arg;
		return 0;
	case OPTION_BENCH:
		args->select.benches = arg;
		return 0;
	case OPTION_CONFIG:
		args->select.configs = arg;
		return 0;
	case OPTION_RUNS:
		return options_number(state, "--runs", arg, 2, POWER_RUNS_MAX,
				      &args->query.runs);
	case OPTION_BOOTS:
		return options_number(state, "--boots", arg, 2, POWER_RUNS_MAX,
				      &args->query.boots);
	case OPTION_JSON:
		args->json = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIR...\n--db FILE.jsonl",
	.doc = "For each row, prints the noise, split into event, boot and run; the least "
	       "change that is found with this many boots and runs; and how many boots or "
	       "runs find a change of 1, 2 and 5 %. From documents, several runs of one "
	       "kernel on one machine: what 'compare' finds. From a history: what 'history "
	       "check' finds, by the runs since the last change.",
	.children = children,
};

static enum cli_exit print(const struct power_args *args, struct power_page *page, int rc,
			   const struct error *err)
{
	struct error why;

	if (rc == -ENODATA && !documents_know_names(&args->select, &why)) {
		message_error("%s: %s", err->text, why.text);
		return CLI_USAGE;
	}
	if (rc) {
		message_error("%s", err->text);
		return CLI_USAGE;
	}
	if (args->json)
		power_json(page);
	else
		power_print(page);
	power_free(page);
	return CLI_OK;
}

static enum cli_exit power(struct power_args *args)
{
	struct power_page page;
	enum cli_exit code;
	struct error err;

	args->query.select = &args->select;
	if (args->db) {
		struct history h;

		if (!documents_history(&h, args->db))
			return CLI_USAGE;
		code = print(args, &page, power_of_history(&h, &args->query, &page, &err),
			     &err);
		history_free(&h);
	} else {
		struct documents d;

		if (!documents_read(&d, args->files, args->n_files))
			return CLI_USAGE;
		code = print(args, &page,
			     power_of_documents(d.docs, d.n, &args->query, &page, &err),
			     &err);
		documents_free(&d);
	}
	return code;
}

int cmd_power(int argc, char **argv)
{
	struct power_args args = { .files = calloc((size_t)argc + 1, sizeof(char *)) };
	enum cli_exit code = CLI_OK;

	if (!args.files)
		abort();
	switch (options_parse(&argp, "wsbench power", argc, argv, &args)) {
	case OPTIONS_BAD:
		code = CLI_USAGE;
		break;
	case OPTIONS_HELP:
		break;
	case OPTIONS_RUN:
		code = power(&args);
	}
	free(args.files);
	return code;
}
