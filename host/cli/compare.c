/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare`: the command line, and calls into host/compare. */
#include "host/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "host/cli/cmd.h"
#include "host/cli/compare_why.h"
#include "host/cli/documents.h"
#include "host/cli/gate.h"
#include "host/cli/options.h"
#include "host/lib/error.h"
#include "host/result/json_list.h"

enum form { FORM_TABLE, FORM_JSON, FORM_MARKDOWN };

#define LIST_MAX 64

/* Rows that --explain boots kernels for. */
#define EXPLAIN_ROWS	 8
#define EXPLAIN_ROWS_MAX 1000

/* A comma-separated list, split in place. */
struct words {
	char *copy;
	const char *word[LIST_MAX];
	size_t n;
};

struct args {
	struct options_common common;
	struct gate gate;
	struct compare_options options;
	struct words benches, metrics, configs;
	const char *paths[2];
	size_t n_paths;
	enum form form;
	bool all;
	enum why_rows explain;
	size_t explain_rows; /* 0: EXPLAIN_ROWS */
	const char *base_kernel;
};

enum key {
	OPTION_CONFIG = 0x100,
	OPTION_BENCH,
	OPTION_METRIC,
	OPTION_ACROSS,
	OPTION_ALL,
	OPTION_JSON,
	OPTION_MARKDOWN,
	OPTION_EXPLAIN,
	OPTION_EXPLAIN_ROWS,
	OPTION_BASE_KERNEL,
};

static const struct argp_option options[] = {
	{ "config", OPTION_CONFIG, "A,B", 0,
	  "Compare config B with config A; of one file, boot by boot", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Compare only these benchmarks; 'core' selects the core benchmarks", 0 },
	{ "metric", OPTION_METRIC, "NAME,...", 0,
	  "Compare these metrics: round_trip (default), twin, l1i_misses, ...", 0 },
	{ "across", OPTION_ACROSS, "KIND,...", 0,
	  "Compare although these differ: machines, targets, units", 0 },
	{ "all", OPTION_ALL, NULL, 0, "Print also rows that are the same", 0 },
	{ "explain", OPTION_EXPLAIN, "worse|all", OPTION_ARG_OPTIONAL,
	  "Boot the kernels of both documents, and print the layers and functions behind "
	  "the rows that got worse, or behind all rows that differ; labs only",
	  0 },
	{ "explain-rows", OPTION_EXPLAIN_ROWS, "N", 0,
	  "Explain at most N rows, the largest differences first (default: 8)", 0 },
	{ "base-kernel", OPTION_BASE_KERNEL, "KERNEL", 0,
	  "With --explain: boot this image or release as the kernel of BASE (default: that "
	  "of its run, which must not have been built again since)",
	  0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON", 0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0,
	  "Print Markdown, for a comment on a change", 0 },
	{ 0 }
};

static error_t split(struct argp_state *state, const char *option, const char *arg,
		     struct words *words)
{
	char *rest, *word;

	free(words->copy);
	*words = (struct words){ .copy = strdup(arg) };
	if (!words->copy)
		abort();
	rest = words->copy;
	while ((word = strsep(&rest, ","))) {
		if (!*word)
			return options_error(state, "%s: an empty name in '%s'", option,
					     arg);
		if (words->n == LIST_MAX)
			return options_error(state, "%s: more than %d names", option,
					     LIST_MAX);
		words->word[words->n++] = word;
	}
	return 0;
}

static error_t parse_config(struct argp_state *state, const char *arg, struct args *args)
{
	error_t err = split(state, "--config", arg, &args->configs);

	if (err)
		return err;
	if (args->configs.n != 2)
		return options_error(state, "--config takes two names, A,B: '%s' has %zu",
				     arg, args->configs.n);
	if (!strcmp(args->configs.word[0], args->configs.word[1]))
		return options_error(state, "--config: '%s' twice",
				     args->configs.word[0]);
	args->options.config[0] = args->configs.word[0];
	args->options.config[1] = args->configs.word[1];
	return 0;
}

static error_t parse_across(struct argp_state *state, const char *arg, struct args *args)
{
	static const struct {
		const char *word;
		unsigned int flag;
	} kinds[] = {
		{ "machines", COMPARE_ACROSS_MACHINES },
		{ "targets", COMPARE_ACROSS_TARGETS },
		{ "units", COMPARE_ACROSS_UNITS },
	};
	struct words words = { 0 };
	error_t err = split(state, "--across", arg, &words);

	for (size_t i = 0; !err && i < words.n; i++) {
		size_t k = 0;

		while (k < 3 && strcmp(words.word[i], kinds[k].word) != 0)
			k++;
		if (k == 3)
			err = options_error(
				state,
				"--across: '%s' is not one of machines, targets, units",
				words.word[i]);
		else
			args->options.across |= kinds[k].flag;
	}
	free(words.copy);
	return err;
}

static error_t parse_explain(struct argp_state *state, int key, const char *arg,
			     struct args *args)
{
	uint64_t n;
	error_t err;

	if (key == OPTION_EXPLAIN_ROWS) {
		err = options_number(state, "--explain-rows", arg, 1, EXPLAIN_ROWS_MAX,
				     &n);
		if (!err)
			args->explain_rows = (size_t)n;
		return err;
	}
	if (arg && strcmp(arg, "worse") != 0 && strcmp(arg, "all") != 0)
		return options_error(state, "--explain=%s: not one of worse, all", arg);
	args->explain = arg && !strcmp(arg, "all") ? WHY_ALL : WHY_WORSE;
	return 0;
}

static error_t check_args(struct argp_state *state, const struct args *args)
{
	if (args->explain_rows && !args->explain)
		return options_error(state, "--explain-rows: nothing to limit (give "
					    "--explain, too)");
	if (args->base_kernel && !args->explain)
		return options_error(state, "--base-kernel: nothing to boot (give "
					    "--explain, too)");
	if (!args->n_paths)
		return options_error(state, "no documents: '%s BASE.json NEW.json'",
				     state->name);
	if (args->n_paths == 1 && !args->options.config[0])
		return options_error(
			state,
			"only one document, %s: give a second, or --config A,B for two configs of it",
			args->paths[0]);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->gate;
		return 0;
	case OPTION_CONFIG:
		return parse_config(state, arg, args);
	case OPTION_BENCH:
		return split(state, "--bench", arg, &args->benches);
	case OPTION_METRIC:
		return split(state, "--metric", arg, &args->metrics);
	case OPTION_ACROSS:
		return parse_across(state, arg, args);
	case OPTION_ALL:
		args->all = true;
		return 0;
	case OPTION_JSON:
		args->form = FORM_JSON;
		return 0;
	case OPTION_MARKDOWN:
		args->form = FORM_MARKDOWN;
		return 0;
	case OPTION_BASE_KERNEL:
		args->base_kernel = arg;
		return 0;
	case OPTION_EXPLAIN:
	case OPTION_EXPLAIN_ROWS:
		return parse_explain(state, key, arg, args);
	case ARGP_KEY_ARG:
		if (args->n_paths == 2)
			return ARGP_ERR_UNKNOWN;
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		return check_args(state, args);
	}
	return ARGP_ERR_UNKNOWN;
}

static void explain(const struct args *args, const struct compare *c, struct why *w)
{
	why_select(c, args->explain,
		   args->explain_rows ? args->explain_rows : EXPLAIN_ROWS, w);
	compare_why(c, args->base_kernel, args->common.quiet, w);
}

static void print_json(const struct args *args, const struct compare *c,
		       const struct compare_names *names)
{
	struct json_list *l = compare_json(c, names);
	struct why w;
	char *text;

	if (args->explain) {
		explain(args, c, &w);
		why_json(l, &w);
		why_free(&w);
	}
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

/* The verdicts are printed before kernels boot for minutes. */
static void print(const struct args *args, const struct compare *c)
{
	struct compare_names names = { args->paths[0], args->paths[args->n_paths - 1] };
	bool markdown = args->form == FORM_MARKDOWN;
	struct why w;

	if (c->paired)
		names = (struct compare_names){ args->options.config[0],
						args->options.config[1] };
	if (args->form == FORM_JSON) {
		print_json(args, c, &names);
		return;
	}
	if (markdown)
		compare_print_markdown(stdout, c, &names);
	else
		compare_print(stdout, c, &names, args->all);
	if (!args->explain)
		return;
	fflush(stdout);
	explain(args, c, &w);
	if (markdown)
		why_print_markdown(stdout, &w);
	else
		why_print(stdout, &w);
	why_free(&w);
}

static enum cli_exit compare(const struct args *args, const struct result *base,
			     const struct result *new)
{
	struct error err;
	struct compare c;
	enum cli_exit code;

	if (args->explain && compare_why_check(base, new, &err)) {
		message_usage("wsbench compare", "%s", err.text);
		return CLI_USAGE;
	}
	if (compare_documents(base, new, &args->options, &c, &err)) {
		message_error("%s: %s", args->paths[args->n_paths - 1], err.text);
		return CLI_USAGE;
	}
	print(args, &c);
	code = gate_exit(&args->gate, &c);
	compare_free(&c);
	return code;
}

/* The document of the target in `docs`, or NULL. */
static const struct result *of_target(const struct documents *docs, const char *target)
{
	for (size_t i = 0; i < docs->n; i++)
		if (!strcmp(docs->docs[i]->target.name, target))
			return docs->docs[i];
	return NULL;
}

/* The first code of these that either is: bad input, worse, no verdict. */
static enum cli_exit gravest(enum cli_exit a, enum cli_exit b)
{
	static const enum cli_exit order[] = { CLI_FAILED, CLI_USAGE, CLI_WORSE,
					       CLI_UNTRUSTED };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return CLI_OK;
}

/* False after a message: which of two documents of a target is meant is not known. */
static bool has_one_each(const struct documents *docs, const char *path)
{
	for (size_t i = 0; i < docs->n; i++) {
		const char *target = docs->docs[i]->target.name;

		if (of_target(docs, target) == docs->docs[i])
			continue;
		message_usage("wsbench compare", "%s: several documents of %s", path,
			      target);
		return false;
	}
	return true;
}

/* The number of targets in both; the others are named if there are any in both. */
static size_t common_targets(const struct documents *docs, const struct documents *others,
			     const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < docs->n; i++)
		n += of_target(others, docs->docs[i]->target.name) != NULL;
	for (size_t i = 0; n && i < docs->n; i++)
		if (!of_target(others, docs->docs[i]->target.name))
			message_warn("%s is only in %s", docs->docs[i]->target.name,
				     path);
	return n;
}

/* Folders: each target that is in both. */
static enum cli_exit compare_folders(const struct args *args,
				     const struct documents *base,
				     const struct documents *new)
{
	const char *base_path = args->paths[0],
		   *new_path = args->paths[args->n_paths - 1];
	enum cli_exit code = CLI_OK;
	bool first = true;
	size_t n;

	if (!has_one_each(base, base_path) || !has_one_each(new, new_path))
		return CLI_USAGE;
	if (args->form == FORM_JSON) {
		message_usage("wsbench compare",
			      "--json: one document, not a folder of %zu",
			      base->n > new->n ? base->n : new->n);
		return CLI_USAGE;
	}
	n = common_targets(base, new, base_path);
	if (!n) {
		message_error("%s and %s have no target in common", base_path, new_path);
		return CLI_USAGE;
	}
	common_targets(new, base, new_path);
	/* A target without a figure in NEW is like a benchmark without one. */
	if (n < base->n)
		code = CLI_UNTRUSTED;
	for (size_t i = 0; i < base->n; i++) {
		const struct result *b = base->docs[i];
		const struct result *other = of_target(new, b->target.name);

		if (!other)
			continue;
		if (!first)
			putchar('\n');
		first = false;
		code = gravest(code, compare(args, b, other));
	}
	return code;
}

static enum cli_exit compare_paths(const struct args *args)
{
	struct documents base, new;
	enum cli_exit code = CLI_USAGE;

	if (!documents_read(&base, args->paths, 1))
		return CLI_USAGE;
	if (args->n_paths == 1) {
		if (base.n == 1)
			code = compare(args, base.docs[0], base.docs[0]);
		else
			code = compare_folders(args, &base, &base);
	} else if (documents_read(&new, args->paths + 1, 1)) {
		if (base.n == 1 && new.n == 1)
			code = compare(args, base.docs[0], new.docs[0]);
		else
			code = compare_folders(args, &base, &new);
		documents_free(&new);
	}
	documents_free(&base);
	return code;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
						      { &gate_options, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "BASE NEW\nFILE --config A,B",
		.doc = "Reports for each benchmark whether it got better or worse, is "
		       "the same, "
		       "changed its class, or is inconclusive. Of two folders, compares the "
		       "documents of each target.\v"
		       "Exit code 0: each benchmark with a figure in BASE is decided and "
		       "none got "
		       "worse (a changed class is not worse); 1: a benchmark got worse; "
		       "2: the "
		       "documents cannot be read or compared; 3: none got worse, but one "
		       "is "
		       "inconclusive or has no figure in NEW, or nothing was compared. "
		       "Rows "
		       "that --threshold lets pass do not count.",
		.children = children,
	};
	struct args args = { 0 };
	enum options_next next =
		options_parse(&argp, "wsbench compare", argc, argv, &args);
	enum cli_exit code = next == OPTIONS_BAD ? CLI_USAGE : CLI_OK;

	args.options.benches = args.benches.word;
	args.options.n_benches = args.benches.n;
	args.options.thresholds = args.gate.thresholds;
	args.options.n_thresholds = args.gate.n_thresholds;
	args.options.metrics = args.metrics.word;
	args.options.n_metrics = args.metrics.n;
	if (next == OPTIONS_RUN)
		code = compare_paths(&args);
	free(args.benches.copy);
	free(args.metrics.copy);
	free(args.configs.copy);
	gate_free(&args.gate);
	return code;
}
