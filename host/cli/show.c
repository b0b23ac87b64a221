/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench show`: the table of saved documents, as `run` prints it, and in other forms.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/explain/explain_text.h"
#include "host/explain/explanation.h"
#include "host/lib/error.h"
#include "host/report/plots.h"
#include "host/report/run_table.h"
#include "host/result/export.h"
#include "host/result/result.h"

enum form { FORM_TEXT, FORM_MARKDOWN, FORM_CSV, FORM_JSON };

struct show_args {
	struct options_common common;
	const char **paths;
	size_t n_paths;
	struct names_list benches; /* none: all */
	enum form form;
	bool metrics, stats, floor;
	const char *form_option; /* that chose it; NULL */
};

enum key {
	OPTION_BENCH = 0x100,
	OPTION_METRICS,
	OPTION_STATS,
	OPTION_FLOOR,
	OPTION_MARKDOWN,
	OPTION_CSV,
	OPTION_JSON,
};

static const struct argp_option options[] = {
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Show these benchmarks: names, globs, or 'core' for the core benchmarks", 0 },
	{ "metrics", OPTION_METRICS, NULL, 0, "Print every metric after the table", 0 },
	{ "stats", OPTION_STATS, NULL, 0,
	  "Print the counts of the VMM's run loop after the table", 0 },
	{ "floor", OPTION_FLOOR, NULL, 0,
	  "Print the exits of nested guests beside those to KVM and those of the bare machine, with ratios",
	  0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0, "Print the table as Markdown", 0 },
	{ "csv", OPTION_CSV, NULL, 0, "Print all metrics as CSV", 0 },
	{ "json", OPTION_JSON, NULL, 0, "Print the figures of the table as JSON", 0 },
	{ 0 }
};

static error_t check(const struct show_args *args, const struct argp_state *state)
{
	if (!args->n_paths)
		return options_error(state, "no document: 'wsbench show FILE|DIR...'");
	if (args->floor && (args->metrics || args->stats || args->form > FORM_MARKDOWN))
		return options_error(
			state,
			"--floor: a table of its own, as text or Markdown (no --metrics, --stats, --csv, --json)");
	if (args->form != FORM_TEXT && (args->metrics || args->stats))
		return options_error(
			state,
			"--metrics and --stats are printed as text (--csv has all metrics)");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct show_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPTION_BENCH:
		return options_names(state, arg, names_match_benches, &args->benches);
	case OPTION_METRICS:
		args->metrics = true;
		return 0;
	case OPTION_STATS:
		args->stats = true;
		return 0;
	case OPTION_FLOOR:
		args->floor = true;
		return 0;
	case OPTION_MARKDOWN:
		args->form = FORM_MARKDOWN;
		return options_form(state, "--markdown", &args->form_option);
	case OPTION_CSV:
		args->form = FORM_CSV;
		return options_form(state, "--csv", &args->form_option);
	case OPTION_JSON:
		args->form = FORM_JSON;
		return options_form(state, "--json", &args->form_option);
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		return check(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

static bool is_listed(const struct names_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->names[i], name))
			return true;
	return !list->n;
}

/* Warnings about a row begin with its name: "cpuid, default: ..." */
static bool is_about(const char *message, const char *name)
{
	size_t bytes = strlen(name);

	return !strncmp(message, name, bytes) && message[bytes] &&
	       strchr(",: ", message[bytes]);
}

static void drop_warnings_about(struct result *r, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_warnings; i++)
		if (!is_about(r->warnings[i].message, name))
			r->warnings[kept++] = r->warnings[i];
	r->n_warnings = kept;
}

/* Leaves the rows of other benchmarks out; their memory stays the document's. */
static void select_rows(struct result *r, const struct names_list *benches)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (!is_listed(benches, r->benchmarks[i].name))
			drop_warnings_about(r, r->benchmarks[i].name);
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		struct result_benchmark row = r->benchmarks[i];

		if (!is_listed(benches, row.name))
			continue;
		r->benchmarks[i] = r->benchmarks[kept];
		r->benchmarks[kept++] = row;
	}
	r->n_benchmarks = kept;
}

static void print_text(const struct show_args *args, const struct result *const *docs,
		       size_t n)
{
	struct table_options o;

	table_options_for(&o, stdout);
	run_table_print(stdout, docs, n, &o, !args->common.quiet);
	for (size_t i = 0; args->metrics && i < n; i++)
		run_metrics_print(stdout, docs[i], &o);
	for (size_t i = 0; args->stats && i < n; i++)
		run_statistics_print(stdout, docs[i], &o);
}

static void print_markdown(const struct result *const *docs, size_t n)
{
	struct run_table m;

	run_table_build(&m, docs, n, NULL, "\u00b1");
	table_markdown(stdout, &m.table, 0, m.table.n_rows);
	table_markdown_notes(stdout, &m.table);
	run_table_free(&m);
}

static enum cli_exit print_csv(const struct result *const *docs, size_t n)
{
	static const char *const all[] = { "*", NULL };
	const struct export_request rq = { docs, n, all };
	struct error err;

	return export_csv(&rq, stdout, &err) ? CLI_FAILED : CLI_OK;
}

static void print_row(struct json_list *l, const struct result *r,
		      const struct result_benchmark *b)
{
	const struct result_metric *m = result_find_metric(b, "round_trip");

	json_list_row(l, "rows");
	json_list_string(l, "target", r->target.name);
	json_list_string(l, "kernel", r->subject.kernel);
	json_list_string(l, "label", r->subject.label);
	json_list_string(l, "run", r->run.id);
	json_list_string(l, "benchmark", b->name);
	json_list_string(l, "config", b->config);
	json_list_string(l, "handled_by", result_handler_name(b->handled_by));
	json_list_number(l, "faults",
			 b->status != RESULT_SKIP && b->exits.faults >= 0
				 ? (double)b->exits.faults
				 : NAN);
	json_list_string(l, "status", result_status_name(b->status));
	json_list_string(l, "reason", b->reason);
	json_list_string(l, "metric", m ? m->name : NULL);
	json_list_string(l, "unit", m ? m->unit : NULL);
	json_list_number(l, "value", m ? m->value : NAN);
	json_list_number(l, "lo", m && m->ci.method ? m->ci.lo : NAN);
	json_list_number(l, "hi", m && m->ci.method ? m->ci.hi : NAN);
}

static void print_json(const struct result *const *docs, size_t n)
{
	struct json_list *l = json_list_new();
	char *text;

	json_list_array(l, "rows");
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < docs[d]->n_benchmarks; i++)
			print_row(l, docs[d], &docs[d]->benchmarks[i]);
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

static enum cli_exit print_floor(const struct show_args *args,
				 const struct result *const *docs, size_t n)
{
	const struct plot_input in = { .docs = docs, .n_docs = n };
	struct table_options o;
	struct floor rows;
	struct table t;

	floor_collect(&rows, &in);
	floor_table(&t, &rows, &in, NULL);
	table_options_for(&o, stdout);
	if (rows.n && args->form == FORM_MARKDOWN)
		table_markdown(stdout, &t, 0, t.n_rows);
	else if (rows.n)
		floor_print(stdout, &rows, &in, &o);
	else
		message_usage(
			"wsbench show",
			"--floor: no document of a VM has benchmarks of the group nested, and none of a bare machine has their floor");
	table_free(&t);
	floor_free(&rows);
	return rows.n ? CLI_OK : CLI_USAGE;
}

static enum cli_exit print(const struct show_args *args, const struct documents *d)
{
	const struct result *const *docs = (const struct result *const *)d->docs;
	size_t rows = 0;

	for (size_t i = 0; i < d->n; i++) {
		select_rows(d->docs[i], &args->benches);
		rows += d->docs[i]->n_benchmarks;
	}
	if (!rows && !args->benches.n) {
		message_usage("wsbench show", "no benchmark is in %s",
			      d->n == 1 ? "the document" : "the documents");
		return CLI_USAGE;
	}
	if (!rows) {
		message_usage("wsbench show", "none of these benchmarks is in %s",
			      d->n == 1 ? "the document" : "the documents");
		return CLI_USAGE;
	}
	if (args->floor)
		return print_floor(args, docs, d->n);
	switch (args->form) {
	case FORM_TEXT:
		print_text(args, docs, d->n);
		return CLI_OK;
	case FORM_MARKDOWN:
		print_markdown(docs, d->n);
		return CLI_OK;
	case FORM_CSV:
		return print_csv(docs, d->n);
	case FORM_JSON:
		print_json(docs, d->n);
		return CLI_OK;
	}
	return CLI_FAILED;
}

/* Explanations have tables of their own. Returns the number of printed ones. */
static size_t print_explanations(const struct show_args *args,
				 const struct explanations *e, bool between)
{
	struct table_options o;
	size_t n = 0;

	table_options_for(&o, stdout);
	for (size_t i = 0; args->form == FORM_TEXT && i < e->n; i++) {
		if (!is_listed(&args->benches, e->docs[i]->benchmark))
			continue;
		if (n++ || between)
			putchar('\n');
		explain_print_functions(stdout, e->docs[i], &o, SIZE_MAX);
	}
	return n;
}

static enum cli_exit show(struct show_args *args)
{
	enum cli_exit code = CLI_OK;
	struct explanations e;
	struct documents d;

	for (size_t i = 0; args->form != FORM_TEXT && i < args->n_paths; i++)
		if (explanation_is_in(args->paths[i])) {
			message_usage(
				"wsbench show",
				"%s: explanations are shown as text ('wsbench explain FILE --format' has other forms)",
				args->paths[i]);
			return CLI_USAGE;
		}
	if (!documents_explanations(&e, args->paths, &args->n_paths))
		return CLI_USAGE;
	if (!documents_read(&d, args->paths, args->n_paths)) {
		documents_explanations_free(&e);
		return CLI_USAGE;
	}
	documents_order(&d);
	if (d.n)
		code = print(args, &d);
	if (code == CLI_OK && !print_explanations(args, &e, d.n) && !d.n) {
		message_usage("wsbench show",
			      "none of these benchmarks is in the documents");
		code = CLI_USAGE;
	}
	documents_free(&d);
	documents_explanations_free(&e);
	return code;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIR...",
	.doc = "Prints the table of result documents again, side by side, as 'run' printed "
	       "it, and explanations as 'explain' printed them. A folder means the "
	       "documents in it.",
	.children = children,
};

int cmd_show(int argc, char **argv)
{
	struct show_args args = { .paths =
					  calloc((size_t)argc + 1, sizeof(*args.paths)) };
	enum cli_exit code;

	if (!args.paths)
		abort();
	if (options_go(&argp, "wsbench show", argc, argv, &args, &code)) {
		code = show(&args);
	}
	names_free(&args.benches);
	free(args.paths);
	return code;
}
