/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents that `wsbench compare` is given: reads, pairs by target, judges, prints.
 */
#include "host/cli/compare.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/documents.h"
#include "host/lib/error.h"
#include "host/result/export.h"
#include "host/targets/target.h"

static void explain(const struct compare_args *args, const struct compare *c,
		    struct why *w)
{
	why_select(c, args->explain, args->explain_rows, w);
	compare_why(c, &args->boots, args->common.quiet, w);
}

static void print_json(const struct compare_args *args, const struct compare *c,
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
static void print_one(const struct compare_args *args, const struct compare *c,
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

static void print(const struct compare_args *args, const struct compare *c,
		  const char *new_name)
{
	struct compare_names names = { args->paths[0], new_name };

	if (c->paired)
		names = (struct compare_names){ c->config[0], c->config[1] };
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
static bool select_benches(const struct compare_args *args, const struct side *sides,
			   size_t n, const struct result *base, const struct result *new,
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
static enum cli_exit compare_target(const struct compare_args *args,
				    const struct side *sides, size_t n_sides,
				    const struct result *const *docs,
				    const char *const *names, size_t n, bool *printed)
{
	struct compare *c = calloc(n, sizeof(*c));
	const char **compared = calloc(n, sizeof(*compared)); /* names of `c` */
	const char *kept[COMPARE_LIST_MAX];
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
			code = gate_gravest(code, gate_exit(&args->gate, &c[i]));
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
static bool check_folders(const struct compare_args *args, const struct side *sides,
			  size_t n, enum cli_exit *code)
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
static enum cli_exit compare_folders(const struct compare_args *args,
				     const struct side *sides, size_t n)
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
			code = gate_gravest(code, compare_target(args, sides, n, docs,
								 names, found, &printed));
	}
	free(docs);
	free(names);
	return can ? code : CLI_USAGE;
}

static enum cli_exit compare_each(const struct compare_args *args,
				  const struct side *sides, size_t n)
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
static enum cli_exit compare_runs(const struct compare_args *args,
				  const struct side *sides, size_t n)
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
			code = gate_gravest(code, runs[0] ? CLI_UNTRUSTED : CLI_OK);
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
			code = gate_gravest(code, gate_exit(&args->gate, &c));
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
static bool read_side(const struct compare_args *args, size_t i, struct side *side,
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

enum cli_exit compare_same(const struct compare_args *args)
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

enum cli_exit compare_paths(const struct compare_args *args)
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
