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

/* A target of the command line: the base with each other side that has the target. */
struct judged {
	struct compare *c;
	const char **names; /* of the base, and of the other sides */
	size_t n;
};

static void judged_free(struct judged *j)
{
	for (size_t i = 0; i < j->n; i++)
		compare_free(&j->c[i]);
	free(j->c);
	free(j->names);
}

static struct compare_names names_of(const struct judged *j)
{
	if (j->c->paired)
		return (struct compare_names){ j->c->config[0], j->c->config[1] };
	return (struct compare_names){ j->names[0], j->names[1] };
}

/* `w`: the explanations; NULL: none are wanted. */
static void print_json(const struct compare *c, const struct compare_names *names,
		       const struct why *w)
{
	struct json_list *l = compare_json(c, names);
	char *text;

	if (w)
		why_json(l, w);
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

static void print_one(const struct compare_args *args, const struct compare *c,
		      const struct compare_names *names)
{
	if (args->form == FORM_JSON)
		print_json(c, names, NULL);
	else if (args->form == FORM_MARKDOWN)
		compare_print_markdown(stdout, c, names);
	else
		compare_print(stdout, c, names, args->all);
}

static void print_judged(const struct compare_args *args, const struct judged *j)
{
	const struct compare_names names = names_of(j);

	if (j->n == 1)
		print_one(args, j->c, &names);
	else
		compare_print_columns(stdout, j->c, j->n, j->names, args->all,
				      args->form == FORM_MARKDOWN);
}

/* Targets that are printed with their explanations. */
struct explained {
	const struct compare_args *args;
	const struct judged *judged;
	struct why *why;
	size_t n;
};

/* The explanations of a target, and the verdict of the next one. */
static void print_explained(void *ctx, size_t i)
{
	const struct explained *e = ctx;
	const struct compare_names names = names_of(&e->judged[i]);

	if (e->args->form == FORM_JSON)
		print_json(e->judged[i].c, &names, &e->why[i]);
	else if (e->args->form == FORM_MARKDOWN)
		why_print_markdown(stdout, &e->why[i]);
	else
		why_print(stdout, &e->why[i]);
	if (i + 1 < e->n) {
		putchar('\n');
		print_judged(e->args, &e->judged[i + 1]);
	}
	fflush(stdout);
}

/* A verdict is printed before kernels boot for minutes. */
static void explain_all(const struct compare_args *args, const struct judged *judged,
			size_t n)
{
	struct why *why = calloc(n, sizeof(*why));
	struct why_work *work = calloc(n, sizeof(*work));
	struct explained e = { args, judged, why, n };

	if (!why || !work)
		abort();
	for (size_t i = 0; i < n; i++) {
		why_select(judged[i].c, args->explain, args->explain_rows, &why[i]);
		work[i] = (struct why_work){ judged[i].c, &why[i] };
	}
	if (args->form != FORM_JSON)
		print_judged(args, judged);
	fflush(stdout);
	compare_why(work, n, &args->boots, args->common.quiet, print_explained, &e);
	for (size_t i = 0; i < n; i++)
		why_free(&why[i]);
	free(work);
	free(why);
}

/* The exit code of all. */
static enum cli_exit print_all(const struct compare_args *args,
			       const struct judged *judged, size_t n)
{
	enum cli_exit code = CLI_OK;

	if (args->explain && n)
		explain_all(args, judged, n);
	for (size_t i = 0; i < n; i++) {
		if (!args->explain) {
			if (i)
				putchar('\n');
			print_judged(args, &judged[i]);
		}
		for (size_t k = 0; k < judged[i].n; k++)
			code = gate_gravest(code,
					    gate_exit(&args->gate, &judged[i].c[k]));
	}
	return code;
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

/*
 * Compares the documents of one target: `docs[0]` is the base. judged_free() in any case.
 */
static enum cli_exit judge_target(const struct compare_args *args,
				  const struct side *sides, size_t n_sides,
				  const struct result *const *docs,
				  const char *const *names, size_t n, struct judged *j)
{
	const char *kept[COMPARE_LIST_MAX];
	struct error err;

	*j = (struct judged){ .c = calloc(n, sizeof(*j->c)),
			      .names = calloc(n, sizeof(*j->names)) };
	if (!j->c || !j->names)
		abort();
	j->names[0] = names[0];
	for (size_t i = 1; i < n; i++) {
		struct compare_options o = args->options;

		if (args->explain && compare_why_check(docs[0], docs[i], &err)) {
			message_usage("wsbench compare", "%s", err.text);
			return CLI_USAGE;
		}
		if (!select_benches(args, sides, n_sides, docs[0], docs[i], &o, kept))
			continue;
		if (compare_documents(docs[0], docs[i], &o, &j->c[j->n], &err)) {
			message_error("%s: %s", names[i], err.text);
			return CLI_USAGE;
		}
		j->names[++j->n] = names[i];
	}
	return CLI_OK;
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

/*
 * Each target of the base that another side has. Without folders, the one document of
 * each side is meant, of whatever target.
 */
static enum cli_exit compare_each(const struct compare_args *args,
				  const struct side *sides, size_t n)
{
	const struct result **docs = calloc(n, sizeof(*docs));
	const char **names = calloc(n, sizeof(*names));
	struct judged *judged = calloc(sides[0].docs.n + 1, sizeof(*judged));
	enum cli_exit code = CLI_OK, one;
	bool one_each = true, can;
	size_t n_judged = 0;

	if (!docs || !names || !judged)
		abort();
	for (size_t s = 0; s < n; s++)
		one_each &= sides[s].docs.n == 1;
	can = one_each || check_folders(args, sides, n, &code);
	for (size_t i = 0; can && i < sides[0].docs.n; i++) {
		const struct result *base = sides[0].docs.docs[i];
		size_t found = 1;

		docs[0] = base;
		names[0] = sides[0].name;
		for (size_t s = 1; s < n; s++) {
			const struct result *r =
				one_each ? sides[s].docs.docs[0]
					 : of_target(&sides[s], base->target.name);

			if (!r)
				continue;
			docs[found] = r;
			names[found++] = sides[s].name;
		}
		if (found < 2)
			continue;
		one = judge_target(args, sides, n, docs, names, found, &judged[n_judged]);
		code = gate_gravest(code, one);
		/* A target may have none of the benchmarks of --bench. */
		if (one == CLI_OK && judged[n_judged].n)
			n_judged++;
		else
			judged_free(&judged[n_judged]);
	}
	code = can ? gate_gravest(code, print_all(args, judged, n_judged)) : CLI_USAGE;
	while (n_judged)
		judged_free(&judged[--n_judged]);
	free(judged);
	free(docs);
	free(names);
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
			message_error(
				"the baseline %s has no document of the target of %s",
				args->base, sides[1].name);
		else
			code = compare_each(args, sides, n);
	}
	for (size_t s = 0; s < read; s++)
		documents_free(&sides[s].docs);
	free(sides);
	return code;
}
