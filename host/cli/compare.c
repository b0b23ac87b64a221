/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare`: the command line, and calls into host/compare. */
#include "host/compare/compare.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cmd.h"
#include "host/cli/compare_aa.h"
#include "host/cli/compare_why.h"
#include "host/cli/documents.h"
#include "host/cli/gate.h"
#include "host/cli/options.h"
#include "host/lib/error.h"
#include "host/result/json_list.h"
#include "host/targets/target.h"

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
	const char *base;   /* --base; NULL: the first path */
	const char **paths; /* room for all of argv and the base */
	size_t n_paths;
	/*
	 * With --new, each side is a list of runs: `sides` says on which side of the two
	 * each path was given.
	 */
	bool runs, after_new;
	bool aa; /* runs of one kernel with each other */
	bool *sides;
	enum form form;
	const char *form_option; /* that chose it; NULL */
	bool all;
	enum why_rows explain;
	size_t explain_rows; /* 0: EXPLAIN_ROWS */
	const char *base_kernel;
};

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

/* Orders the paths: those of the base first. */
static error_t check_runs(struct argp_state *state, struct args *args)
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

static error_t add_path(struct args *args, const char *path)
{
	args->sides[args->n_paths] = args->after_new;
	args->paths[args->n_paths++] = path;
	return 0;
}

static error_t check_args(struct argp_state *state, struct args *args)
{
	if (args->explain_rows && !args->explain)
		return options_error(state, "--explain-rows: nothing to limit (give "
					    "--explain, too)");
	if (args->base_kernel && !args->explain)
		return options_error(state, "--base-kernel: nothing to boot (give "
					    "--explain, too)");
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
	struct args *args = state->input;

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
		args->base_kernel = arg;
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
static void print_one(const struct args *args, const struct compare *c,
		      const struct compare_names *names)
{
	bool markdown = args->form == FORM_MARKDOWN;
	struct why w;

	if (args->form == FORM_JSON) {
		print_json(args, c, names);
		return;
	}
	if (markdown)
		compare_print_markdown(stdout, c, names);
	else
		compare_print(stdout, c, names, args->all);
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

static void print(const struct args *args, const struct compare *c, const char *new_name)
{
	struct compare_names names = { args->paths[0], new_name };

	if (c->paired)
		names = (struct compare_names){ args->options.config[0],
						args->options.config[1] };
	print_one(args, c, &names);
}

/* One of the documents, folders and baselines of the command line. */
struct side {
	const char *name;
	struct documents docs;
};

/* The document of the target, or NULL. */
static const struct result *of_target(const struct side *side, const char *target)
{
	for (size_t i = 0; i < side->docs.n; i++)
		if (!strcmp(side->docs.docs[i]->target.name, target))
			return side->docs.docs[i];
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

static bool has_bench(const struct result *r, const char *word)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (result_bench_matches(word, r->benchmarks[i].name))
			return true;
	return false;
}

/*
 * Of several targets, not all have the benchmarks of --bench: leaves out and names those
 * that these two documents do not have, but others. False: none is left.
 */
static bool select_benches(const struct args *args, const struct side *sides, size_t n,
			   const struct result *base, const struct result *new,
			   struct compare_options *o, const char **kept)
{
	o->benches = kept;
	o->n_benches = 0;
	for (size_t i = 0; i < args->benches.n; i++) {
		const char *word = args->benches.word[i];
		bool elsewhere = false;

		for (size_t s = 0; s < n; s++)
			for (size_t d = 0; d < sides[s].docs.n; d++)
				elsewhere |= has_bench(sides[s].docs.docs[d], word);
		/* A name that is nowhere is an error of the comparison. */
		if (has_bench(base, word) || has_bench(new, word) || !elsewhere)
			kept[o->n_benches++] = word;
		else
			message_info(args->common.quiet, "%s has no benchmark '%s'",
				     base->target.name, word);
	}
	return o->n_benches || !args->benches.n;
}

/* Compares the documents of one target: `docs[0]` is the base. */
static enum cli_exit compare_target(const struct args *args, const struct side *sides,
				    size_t n_sides, const struct result *const *docs,
				    const char *const *names, size_t n, bool *printed)
{
	struct compare *c = calloc(n, sizeof(*c));
	const char **compared = calloc(n, sizeof(*compared)); /* names of `c` */
	const char *kept[LIST_MAX];
	enum cli_exit code = CLI_OK;
	size_t n_compared = 0;
	struct error err;

	if (!c || !compared)
		abort();
	compared[0] = names[0];
	for (size_t i = 1; i < n && code == CLI_OK; i++) {
		struct compare_options o = args->options;

		if (args->explain && compare_why_check(docs[0], docs[i], &err)) {
			message_usage("wsbench compare", "%s", err.text);
			code = CLI_USAGE;
		} else if (!select_benches(args, sides, n_sides, docs[0], docs[i], &o,
					   kept)) {
			continue;
		} else if (compare_documents(docs[0], docs[i], &o, &c[n_compared],
					     &err)) {
			message_error("%s: %s", names[i], err.text);
			code = CLI_USAGE;
		} else {
			compared[++n_compared] = names[i];
		}
	}
	if (code == CLI_OK && n_compared) {
		if (*printed)
			putchar('\n');
		*printed = true;
		if (n_compared == 1)
			print(args, c, compared[1]);
		else
			compare_print_columns(stdout, c, n_compared, compared, args->all,
					      args->form == FORM_MARKDOWN);
	}
	for (size_t i = 0; i < n_compared; i++) {
		if (code != CLI_USAGE)
			code = gravest(code, gate_exit(&args->gate, &c[i]));
		compare_free(&c[i]);
	}
	free(compared);
	free(c);
	return code;
}

/* False after a message: which of two documents of a target is meant is not known. */
static bool has_one_each(const struct side *side)
{
	for (size_t i = 0; i < side->docs.n; i++) {
		const char *target = side->docs.docs[i]->target.name;

		if (of_target(side, target) == side->docs.docs[i])
			continue;
		message_usage("wsbench compare", "%s: several documents of %s",
			      side->name, target);
		return false;
	}
	return true;
}

/* The number of targets in both; the others are named if there are any in both. */
static size_t common_targets(const struct side *side, const struct side *other)
{
	size_t n = 0;

	for (size_t i = 0; i < side->docs.n; i++)
		n += of_target(other, side->docs.docs[i]->target.name) != NULL;
	for (size_t i = 0; n && i < side->docs.n; i++)
		if (!of_target(other, side->docs.docs[i]->target.name))
			message_warn("%s is only in %s", side->docs.docs[i]->target.name,
				     side->name);
	return n;
}

/* False after a message. A target without a figure in NEW is like a benchmark without
 * one. */
static bool check_folders(const struct args *args, const struct side *sides, size_t n,
			  enum cli_exit *code)
{
	size_t most = 0, common;

	for (size_t s = 0; s < n; s++) {
		if (!has_one_each(&sides[s]))
			return false;
		most = sides[s].docs.n > most ? sides[s].docs.n : most;
	}
	if (args->form == FORM_JSON) {
		message_usage("wsbench compare",
			      "--json: one document, not a folder of %zu", most);
		return false;
	}
	for (size_t s = 1; s < n; s++) {
		common = common_targets(&sides[0], &sides[s]);
		if (!common) {
			message_error("%s and %s have no target in common", sides[0].name,
				      sides[s].name);
			return false;
		}
		common_targets(&sides[s], &sides[0]);
		if (common < sides[0].docs.n)
			*code = CLI_UNTRUSTED;
	}
	return true;
}

/* Each target of the base that another side has. */
static enum cli_exit compare_folders(const struct args *args, const struct side *sides,
				     size_t n)
{
	const struct result **docs = calloc(n, sizeof(*docs));
	const char **names = calloc(n, sizeof(*names));
	enum cli_exit code = CLI_OK;
	bool printed = false, can = check_folders(args, sides, n, &code);

	if (!docs || !names)
		abort();
	for (size_t i = 0; can && i < sides[0].docs.n; i++) {
		const struct result *base = sides[0].docs.docs[i];
		size_t found = 1;

		docs[0] = base;
		names[0] = sides[0].name;
		for (size_t s = 1; s < n; s++) {
			const struct result *r = of_target(&sides[s], base->target.name);

			if (!r)
				continue;
			docs[found] = r;
			names[found++] = sides[s].name;
		}
		if (found > 1)
			code = gravest(code, compare_target(args, sides, n, docs, names,
							    found, &printed));
	}
	free(docs);
	free(names);
	return can ? code : CLI_USAGE;
}

static enum cli_exit compare_each(const struct args *args, const struct side *sides,
				  size_t n)
{
	const struct result **docs;
	bool one_each = true, printed = false;
	enum cli_exit code;

	for (size_t s = 0; s < n; s++)
		one_each &= sides[s].docs.n == 1;
	if (!one_each)
		return compare_folders(args, sides, n);
	docs = calloc(n, sizeof(*docs));
	if (!docs)
		abort();
	for (size_t s = 0; s < n; s++)
		docs[s] = sides[s].docs.docs[0];
	code = compare_target(args, sides, n, docs, args->paths, n, &printed);
	free(docs);
	return code;
}

/* A baseline may have more targets than what is compared with it. */
static void drop_other_targets(struct side *base, const struct side *others, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < base->docs.n; i++) {
		struct result *r = base->docs.docs[i];
		bool wanted = false;

		for (size_t s = 0; s < n; s++)
			wanted |= of_target(&others[s], r->target.name) != NULL;
		if (wanted)
			base->docs.docs[kept++] = r;
		else
			result_free(r);
	}
	base->docs.n = kept;
}

/* "A1.json and 2 more" */
static char *name_of_runs(const char *const *paths, size_t n)
{
	char *name;
	int rc = n > 1 ? asprintf(&name, "%s and %zu more", paths[0], n - 1)
		       : asprintf(&name, "%s", paths[0]);

	if (rc < 0)
		abort();
	return name;
}

/* The documents of one target on one side. `docs`: room for all. */
static size_t runs_of(const struct side *sides, const bool *is_new, size_t n, bool new,
		      const char *target, const struct result **docs)
{
	size_t found = 0;

	for (size_t s = 0; s < n; s++)
		for (size_t i = 0; i < sides[s].docs.n && is_new[s] == new; i++)
			if (!strcmp(sides[s].docs.docs[i]->target.name, target))
				docs[found++] = sides[s].docs.docs[i];
	return found;
}

/* Every document of the base, once per target; its runs with those of NEW. */
static enum cli_exit compare_runs(const struct args *args, const struct side *sides,
				  size_t n)
{
	size_t n_base = 0, all = 0, compared = 0;
	const struct result **docs[2];
	char *names[2];
	enum cli_exit code = CLI_OK;

	for (size_t s = 0; s < n; s++) {
		n_base += !args->sides[s];
		all += sides[s].docs.n;
	}
	for (int i = 0; i < 2; i++)
		docs[i] = calloc(all + 1, sizeof(*docs[i]));
	if (!docs[0] || !docs[1])
		abort();
	names[0] = name_of_runs(args->paths, n_base);
	names[1] = name_of_runs(args->paths + n_base, n - n_base);
	for (size_t t = 0; target_table[t].name && code != CLI_USAGE; t++) {
		const char *target = target_table[t].name;
		const struct compare_names shown = { names[0], names[1] };
		size_t runs[2];
		struct compare c;
		struct error err;

		for (int i = 0; i < 2; i++)
			runs[i] = runs_of(sides, args->sides, n, i, target, docs[i]);
		if (!runs[0] && !runs[1])
			continue;
		if (!runs[0] || !runs[1]) {
			message_warn("%s is only in %s", target, names[!runs[0]]);
			code = gravest(code, runs[0] ? CLI_UNTRUSTED : CLI_OK);
			continue;
		}
		if (compared++ && args->form == FORM_JSON) {
			message_usage("wsbench compare", "--json: of one target");
			code = CLI_USAGE;
		} else if (compare_sides(docs[0], runs[0], docs[1], runs[1],
					 &args->options, &c, &err)) {
			message_error("%s", err.text);
			code = CLI_USAGE;
		} else {
			if (compared > 1)
				putchar('\n');
			print_one(args, &c, &shown);
			code = gravest(code, gate_exit(&args->gate, &c));
			compare_free(&c);
		}
	}
	if (!compared && code != CLI_USAGE) {
		message_error("%s and %s have no target in common", names[0], names[1]);
		code = CLI_USAGE;
	}
	for (int i = 0; i < 2; i++) {
		free(docs[i]);
		free(names[i]);
	}
	return code;
}

/* A name that is not a path is that of a baseline. */
static bool read_side(const struct args *args, size_t i, struct side *side,
		      bool *is_baseline)
{
	const char *path = side->name = args->paths[i];
	char folder[PATH_MAX];

	*is_baseline = false;
	if ((args->runs ? args->sides[i] : i || !args->base) || !baseline_is_name(path) ||
	    (args->runs && !access(path, F_OK)))
		return documents_read(&side->docs, &path, 1);
	if (baseline_find(path, folder)) {
		*is_baseline = true;
		path = folder;
	} else if (access(path, F_OK)) {
		baseline_unknown("wsbench compare", path);
		return false;
	}
	return documents_read(&side->docs, &path, 1);
}

static enum cli_exit compare_same(const struct args *args)
{
	struct documents docs;
	enum cli_exit code;

	if (!documents_read(&docs, args->paths, args->n_paths))
		return CLI_USAGE;
	code = compare_aa((const struct result *const *)docs.docs, docs.n,
			  &args->options);
	documents_free(&docs);
	return code;
}

static enum cli_exit compare_paths(const struct args *args)
{
	/* Of one document, two configs are compared. */
	size_t n = args->n_paths > 1 ? args->n_paths : 2, read = 0;
	struct side *sides = calloc(n, sizeof(*sides));
	enum cli_exit code = CLI_USAGE;
	bool is_baseline = false, other;

	if (!sides)
		abort();
	while (read < args->n_paths &&
	       read_side(args, read, &sides[read], read ? &other : &is_baseline))
		read++;
	if (read == args->n_paths && args->runs) {
		code = compare_runs(args, sides, n);
	} else if (read == args->n_paths) {
		if (is_baseline)
			drop_other_targets(&sides[0], sides + 1, n - 1);
		if (read == 1)
			sides[1] = sides[0];
		if (is_baseline && !sides[0].docs.n)
			message_error("the baseline %s has no target of %s", args->base,
				      sides[1].name);
		else
			code = compare_each(args, sides, n);
	}
	for (size_t s = 0; s < read; s++)
		documents_free(&sides[s].docs);
	free(sides);
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
	struct args args = { .paths = calloc((size_t)argc + 2, sizeof(*args.paths)) };
	enum options_next next;
	enum cli_exit code;

	args.sides = calloc((size_t)argc + 2, sizeof(*args.sides));
	if (!args.paths || !args.sides)
		abort();
	next = options_parse(&argp, "wsbench compare", argc, argv, &args);
	code = next == OPTIONS_BAD ? CLI_USAGE : CLI_OK;
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
