/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench plot: pictures of result documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/history/history.h"
#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/result/result.h"
#include "host/report/plots.h"

struct plot_args {
	struct options_common common;
	const char *dir;
	const char *history;
	const char **paths;
	size_t n_paths;
	struct explanations explanations; /* taken from `paths` */
	const char **kinds;		  /* none: all */
	size_t n_kinds;
	const char **benches;
	size_t n_benches;
	const char *base;
	bool log;
	const char **configs;
	size_t n_configs;
};

/* Names of documents, for a message. */
struct names_text {
	const char **seen;
	size_t n;
	char *text; /* "A, B"; NULL: no name */
};

enum key {
	OPTION_KIND = 0x100,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_BASE,
	OPTION_LOG,
	OPTION_HISTORY,
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
	if (!args->n_paths && !args->history)
		return options_error(state, "no result document was given");
	if (!args->dir)
		return options_error(state, "no output folder: -o DIR");
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
	case OPTION_BASE:
		args->base = arg;
		return 0;
	case OPTION_LOG:
		args->log = true;
		return 0;
	case OPTION_HISTORY:
		args->history = arg;
		return 0;
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		return check(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

/* The context of the callbacks of plot_all(). */
struct planning {
	const struct plot_args *args;
	char missing[1024]; /* kinds that cannot be drawn, and why */
	size_t at;
};

/* Without --kind, kinds without an input are not reported as missing. */
static bool is_wanted(const struct plot_kind *kind, void *context)
{
	const struct plot_args *args = ((struct planning *)context)->args;

	for (size_t i = 0; i < args->n_kinds; i++)
		if (!strcmp(args->kinds[i], kind->id))
			return true;
	if (args->n_kinds)
		return false;
	switch (kind->source) {
	case PLOT_DOCUMENTS:
		return args->n_paths > 0;
	case PLOT_HISTORY:
		return args->history != NULL;
	case PLOT_EXPLANATIONS:
		return args->explanations.n > 0;
	}
	return false;
}

static void note_missing(const struct plot_kind *kind, const char *why, void *context)
{
	struct planning *p = context;

	if (p->at < sizeof(p->missing))
		p->at += (size_t)snprintf(p->missing + p->at, sizeof(p->missing) - p->at,
					  "%s%s (%s)", p->at ? ", " : "", kind->id, why);
}

/* Draws the pictures, and reports in one line what the documents cannot show. */
static int draw(const struct plot_args *args, const struct documents *docs,
		const struct history *history)
{
	struct plot_input in = {
		.docs = (const struct result *const *)docs->docs,
		.n_docs = docs->n,
		.history = history,
		.explanations =
			(const struct explanation *const *)args->explanations.docs,
		.n_explanations = args->explanations.n,
		.benches = args->benches,
		.n_benches = args->n_benches,
		.base = args->base,
		.log = args->log,
		.asked = args->n_kinds > 0,
	};
	struct planning planning = { .args = args };
	struct picture_list list = { 0 };
	struct picture_files files = { 0 };
	struct error err;
	int code = CLI_USAGE;

	if (args->n_configs == 2)
		memcpy(in.config, args->configs, sizeof(in.config));
	plot_all(&in, &list, is_wanted, note_missing, &planning);
	if (!list.n)
		message_error("nothing to draw: %s", planning.missing);
	else if (planning.at)
		message_info(args->common.quiet, "not drawn: %s", planning.missing);
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

/* Adds a name to "A, B", unless it is there. */
static void add_name(struct names_text *names, const char *name)
{
	char *text;

	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->seen[i], name))
			return;
	names->seen = realloc(names->seen, (names->n + 1) * sizeof(*names->seen));
	if (!names->seen || asprintf(&text, "%s%s%s", names->n ? names->text : "",
				     names->n ? ", " : "", name) < 0)
		abort();
	names->seen[names->n++] = name;
	free(names->text);
	names->text = text;
}

/* Reports an unknown name, with the names of the documents, which it frees. */
static bool unknown(const char *option, const char *name, const char *what,
		    struct names_text *names)
{
	message_error("%s %s: no document %s (%s%s)", option, name, what,
		      names->n ? "the documents have " : "no document was given",
		      names->n ? names->text : "");
	free(names->seen);
	free(names->text);
	return false;
}

/* Whether a document is of the target, label or kernel of --base. */
static bool check_base(const struct plot_args *args, const struct documents *docs)
{
	struct names_text names = { 0 };

	if (!args->base)
		return true;
	for (size_t d = 0; d < docs->n; d++)
		if (plot_is_base(docs->docs[d], args->base))
			return true;
	for (size_t d = 0; d < docs->n; d++) {
		const struct result *r = docs->docs[d];

		add_name(&names, r->target.name);
		if (r->subject.label)
			add_name(&names, r->subject.label);
		if (r->subject.kernel)
			add_name(&names, r->subject.kernel);
	}
	return unknown("--base", args->base, "is of this target, label or kernel",
		       &names);
}

static bool has_config(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (!strcmp(r->benchmarks[i].config, name))
			return true;
	return false;
}

/* Whether each config of --config is in a document. */
static bool check_configs(const struct plot_args *args, const struct documents *docs)
{
	for (size_t c = 0; c < args->n_configs; c++) {
		struct names_text names = { 0 };
		bool found = false;

		for (size_t d = 0; d < docs->n; d++)
			found |= has_config(docs->docs[d], args->configs[c]);
		if (found)
			continue;
		for (size_t d = 0; d < docs->n; d++)
			for (size_t i = 0; i < docs->docs[d]->n_benchmarks; i++)
				add_name(&names, docs->docs[d]->benchmarks[i].config);
		return unknown("--config", args->configs[c],
			       "has benchmarks under this config", &names);
	}
	return true;
}

/* Whether an input has a benchmark that matches. */
static bool has_bench(const struct plot_args *args, const struct documents *docs,
		      const struct history *history, const char *pattern)
{
	const struct plot_input in = { .benches = &pattern, .n_benches = 1 };

	for (size_t d = 0; d < docs->n; d++)
		for (size_t i = 0; i < docs->docs[d]->n_benchmarks; i++)
			if (plot_wants(&in, docs->docs[d]->benchmarks[i].name))
				return true;
	for (size_t i = 0; history && i < history->n_series; i++)
		if (plot_wants(&in, history->series[i].benchmark))
			return true;
	for (size_t i = 0; i < args->explanations.n; i++)
		if (plot_wants(&in, args->explanations.docs[i]->benchmark))
			return true;
	return false;
}

static bool check_benches(const struct plot_args *args, const struct documents *docs,
			  const struct history *history)
{
	for (size_t i = 0; i < args->n_benches; i++) {
		if (has_bench(args, docs, history, args->benches[i]))
			continue;
		message_error("--bench %s: no document has a benchmark of this name",
			      args->benches[i]);
		return false;
	}
	return true;
}

static int plot(struct plot_args *args)
{
	struct documents docs;
	struct history history;
	int code = CLI_USAGE;

	if (!documents_explanations(&args->explanations, args->paths, &args->n_paths))
		return CLI_USAGE;
	if (!documents_read(&docs, args->paths, args->n_paths)) {
		documents_explanations_free(&args->explanations);
		return CLI_USAGE;
	}
	documents_order(&docs);
	if (!check_base(args, &docs) || !check_configs(args, &docs)) {
		code = CLI_USAGE;
	} else if (!args->history) {
		if (check_benches(args, &docs, NULL))
			code = draw(args, &docs, NULL);
	} else if (documents_history(&history, args->history)) {
		if (check_benches(args, &docs, &history))
			code = draw(args, &docs, &history);
		history_free(&history);
	}
	documents_free(&docs);
	documents_explanations_free(&args->explanations);
	return code;
}

/* Appends the kinds to --help; argp frees the result. */
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
	{ "output", 'o', "DIR", 0,
	  "Write the pictures to DIR, which is created if necessary", 0 },
	{ "kind", OPTION_KIND, "NAME,...", 0,
	  "Draw only these pictures (default: all that the documents allow)", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Draw only these benchmarks; 'core' selects the core benchmarks", 0 },
	{ "config", OPTION_CONFIG, "A,B", 0,
	  "Compare these two counter configs (default: those of the documents)", 0 },
	{ "base", OPTION_BASE, "TARGET|KERNEL", 0,
	  "Draw bars in percent of this target, label or kernel ('6.1') of the documents",
	  0 },
	{ "log", OPTION_LOG, NULL, 0,
	  "Draw bars on a logarithmic axis (default: only counter configs whose exits differ by more than 100 times)",
	  0 },
	{ "history", OPTION_HISTORY, "FILE.jsonl", 0,
	  "Draw figures from run to run, of this history (see wsbench history); --db does "
	  "the same",
	  0 },
	{ "db", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR...]",
	.doc = "Draws pictures of result documents, and of explanations with --touch, SVG "
	       "and PNG, and prints the paths written. Reports in one line the pictures "
	       "that the documents do not allow.\v",
	.children = children,
	.help_filter = help_filter,
};

int cmd_plot(int argc, char **argv)
{
	struct plot_args args = { 0 };
	enum cli_exit code;

	args.paths = calloc((size_t)argc + 1, sizeof(*args.paths));
	if (!args.paths)
		abort();
	if (options_go(&argp, "wsbench plot", argc, argv, &args, &code)) {
		code = plot(&args);
	}
	free(args.paths);
	free(args.kinds);
	free(args.benches);
	free(args.configs);
	return code;
}
