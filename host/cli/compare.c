/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `wsbench compare`. */
#include "host/cli/compare.h"

#include <stdlib.h>
#include <string.h>

/* Rows that --explain boots kernels for. */
#define EXPLAIN_ROWS	 8
#define EXPLAIN_ROWS_MAX 1000

enum key {
	OPTION_BASE = 0x100,
	OPTION_NEW,
	OPTION_AA,
	OPTION_CONFIG,
	OPTION_BENCH,
	OPTION_METRIC,
	OPTION_ACROSS,
	OPTION_ALL,
	OPTION_JSON,
	OPTION_MARKDOWN,
	OPTION_EXPLAIN,
	OPTION_EXPLAIN_ROWS,
	OPTION_BASE_KERNEL,
	OPTION_EMULATOR,
};

static const struct argp_option options[] = {
	{ "base", OPTION_BASE, "NAME|FILE|DIR", 0,
	  "Compare with the baseline NAME of 'wsbench run --save NAME', or with this file or "
	  "folder",
	  0 },
	{ "new", OPTION_NEW, "FILE|DIR", 0,
	  "Compare several runs of each side: the documents after --base (or before --new) "
	  "with those after --new. Runs are then the unit, not their boots, and folders can "
	  "hold several documents of a target",
	  0 },
	{ "aa", OPTION_AA, NULL, 0,
	  "Compare runs of one kernel with each other, every second one with the others: "
	  "each difference is false; prints the smallest change that would be seen",
	  0 },
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
	  "Explain at most N rows, the largest differences first, and rows whose "
	  "difference is alike last (default: 8)",
	  0 },
	{ "base-kernel", OPTION_BASE_KERNEL, "KERNEL", 0,
	  "With --explain: boot this image or release as the kernel of BASE (default: that "
	  "of its run, which must not have been built again since)",
	  0 },
	{ "emulator", OPTION_EMULATOR, "NAME|DIR", 0,
	  "With --explain: run the labs on this QEMU (default: that of the documents, unless "
	  "they name a folder or a program)",
	  0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON", 0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0,
	  "Print Markdown, for a comment on a change", 0 },
	{ 0 }
};

static error_t split(struct argp_state *state, const char *option, const char *arg,
		     struct compare_words *words)
{
	char *rest, *word;

	free(words->copy);
	*words = (struct compare_words){ .copy = strdup(arg) };
	if (!words->copy)
		abort();
	rest = words->copy;
	while ((word = strsep(&rest, ","))) {
		if (!*word)
			return options_error(state, "%s: an empty name in '%s'", option,
					     arg);
		if (words->n == COMPARE_LIST_MAX)
			return options_error(state, "%s: more than %d names", option,
					     COMPARE_LIST_MAX);
		words->word[words->n++] = word;
	}
	return 0;
}

static error_t parse_config(struct argp_state *state, const char *arg,
			    struct compare_args *args)
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

static error_t parse_across(struct argp_state *state, const char *arg,
			    struct compare_args *args)
{
	static const struct {
		const char *word;
		unsigned int flag;
	} kinds[] = {
		{ "machines", COMPARE_ACROSS_MACHINES },
		{ "targets", COMPARE_ACROSS_TARGETS },
		{ "units", COMPARE_ACROSS_UNITS },
	};
	struct compare_words words = { 0 };
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
			     struct compare_args *args)
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

/* Orders the paths: those of the base first. */
static error_t check_runs(struct argp_state *state, struct compare_args *args)
{
	const char **sorted = calloc(args->n_paths + 1, sizeof(*sorted));
	size_t n = 0, base;

	if (!sorted)
		abort();
	for (size_t i = 0; i < args->n_paths; i++)
		if (!args->sides[i])
			sorted[n++] = args->paths[i];
	base = n;
	for (size_t i = 0; i < args->n_paths; i++)
		if (args->sides[i])
			sorted[n++] = args->paths[i];
	for (size_t i = 0; i < n; i++) {
		args->paths[i] = sorted[i];
		args->sides[i] = i >= base;
	}
	free(sorted);
	if (args->explain)
		return options_error(state, "--explain: of two documents, without --new");
	if (!base)
		return options_error(
			state,
			"--new: no base: '%s --base A1.json A2.json --new B1.json B2.json'",
			state->name);
	return 0;
}

static error_t add_path(struct compare_args *args, const char *path)
{
	args->sides[args->n_paths] = args->after_new;
	args->paths[args->n_paths++] = path;
	return 0;
}

static error_t check_args(struct argp_state *state, struct compare_args *args)
{
	if (args->explain_rows && !args->explain)
		return options_error(state, "--explain-rows: nothing to limit (give "
					    "--explain, too)");
	if ((args->boots.base_kernel || args->boots.emulator) && !args->explain)
		return options_error(state, "%s: nothing to boot (give --explain, too)",
				     args->boots.emulator ? "--emulator"
							  : "--base-kernel");
	if (args->aa && (args->base || args->runs || args->explain ||
			 args->options.config[0] || args->form != FORM_TABLE))
		return options_error(
			state,
			"--aa: without --base, --new, --config, --explain, --json, --markdown");
	if (!args->n_paths)
		return options_error(state, "no documents: '%s %s'", state->name,
				     args->base ? "--base NAME NEW.json"
						: "BASE.json NEW.json");
	if (args->base) {
		memmove(args->paths + 1, args->paths,
			args->n_paths * sizeof(*args->paths));
		memmove(args->sides + 1, args->sides,
			args->n_paths * sizeof(*args->sides));
		args->paths[0] = args->base;
		args->sides[0] = false;
		args->n_paths++;
	}
	if (args->runs)
		return check_runs(state, args);
	if (args->n_paths > 2 && args->options.config[0])
		return options_error(state, "--config A,B: of at most two documents");
	if (args->n_paths > 2 && (args->form == FORM_JSON || args->explain))
		return options_error(state, "%s: of two documents (%zu given)",
				     args->explain ? "--explain" : "--json",
				     args->n_paths);
	if (args->aa)
		return 0;
	if (args->n_paths == 1 && !args->options.config[0])
		return options_error(
			state,
			"only one document, %s: give a second, or --config A,B for two configs of it",
			args->paths[0]);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->gate;
		return 0;
	case OPTION_BASE:
		args->base = arg;
		args->after_new = false;
		return 0;
	case OPTION_NEW:
		args->runs = args->after_new = true;
		return add_path(args, arg);
	case OPTION_AA:
		args->aa = true;
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
		return options_form(state, "--json", &args->form_option);
	case OPTION_MARKDOWN:
		args->form = FORM_MARKDOWN;
		return options_form(state, "--markdown", &args->form_option);
	case OPTION_BASE_KERNEL:
		args->boots.base_kernel = arg;
		return 0;
	case OPTION_EMULATOR:
		args->boots.emulator = arg;
		return 0;
	case OPTION_EXPLAIN:
	case OPTION_EXPLAIN_ROWS:
		return parse_explain(state, key, arg, args);
	case ARGP_KEY_ARG:
		return add_path(args, arg);
	case ARGP_KEY_END:
		return check_args(state, args);
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
						      { &gate_options, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc =
			"BASE NEW...\n--base NAME NEW...\n--base A1 A2... --new B1 B2...\nFILE "
			"--config A,B",
		.doc = "Reports for each benchmark whether it got better or worse, is "
		       "the same, "
		       "changed its class, or is inconclusive. Of two folders, compares the "
		       "documents of each target. Several documents NEW are columns beside "
		       "the base; after --new, they are runs of one side.\v"
		       "Exit code 0: each benchmark with a figure in BASE is decided and "
		       "none got "
		       "worse (a changed class is not worse); 1: a benchmark got worse; "
		       "2: the "
		       "documents cannot be read or compared; 3: none got worse, but one "
		       "is 'worse?', 'better?', "
		       "inconclusive or has no figure in NEW, or nothing was compared. "
		       "Rows "
		       "that --threshold lets pass do not count.",
		.children = children,
	};
	struct compare_args args = { .paths = calloc((size_t)argc + 2,
						     sizeof(*args.paths)) };
	enum options_next next;
	enum cli_exit code;

	args.sides = calloc((size_t)argc + 2, sizeof(*args.sides));
	if (!args.paths || !args.sides)
		abort();
	next = options_parse(&argp, "wsbench compare", argc, argv, &args);
	code = next == OPTIONS_BAD ? CLI_USAGE : CLI_OK;
	if (!args.explain_rows)
		args.explain_rows = EXPLAIN_ROWS;
	args.options.benches = args.benches.word;
	args.options.n_benches = args.benches.n;
	args.options.thresholds = args.gate.thresholds;
	args.options.n_thresholds = args.gate.n_thresholds;
	args.options.metrics = args.metrics.word;
	args.options.n_metrics = args.metrics.n;
	if (next == OPTIONS_RUN)
		code = args.aa ? compare_same(&args) : compare_paths(&args);
	free(args.benches.copy);
	free(args.metrics.copy);
	free(args.configs.copy);
	free(args.paths);
	free(args.sides);
	gate_free(&args.gate);
	return code;
}
