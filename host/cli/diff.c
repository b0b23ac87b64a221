/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench diff`: two kernels in one command. Both are fetched if necessary and run in
 * the labs, the figures are compared, and the functions behind the largest differences
 * named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/compare.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/compare/compare.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/targets/target.h"

/* Text for a mailing list. */
#define COLUMNS_MAX 74

#define TARGETS	     "lab:x86_64-svm,lab:x86_64-vmx,lab:aarch64-vhe"
#define EXPLAIN_ROWS 2

struct diff_args {
	struct options_common common;
	struct gate gate;
	const char *kernels[2], *append, *output;
	const char *on, *bench, *config; /* as given; `on` NULL: the default */
	size_t n_kernels, explain_rows;
	struct names_list targets, benches, configs;
	bool markdown;
};

enum key {
	OPTION_ON = 0x100,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_KERNEL,
	OPTION_APPEND,
	OPTION_EXPLAIN_ROWS,
	OPTION_MARKDOWN,
};

static const struct argp_option options[] = {
	{ "kernel", OPTION_KERNEL, "KERNEL", 0,
	  "Compare these kernels: give the option twice, first the base. The path of an "
	  "image, a release of Debian such as 6.12.113, or the newest of a series such as "
	  "7.3; fetched if it is not cached",
	  0 },
	{ "on", OPTION_ON, "TARGET,...", 0,
	  "Measure in these labs (default: " TARGETS ")", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Measure these benchmarks: names of 'wsbench list benchmarks', globs, or "
	  "'core' (default: core)",
	  0 },
	{ "config", OPTION_CONFIG, "NAME,...", 0,
	  "Run each benchmark under these counter configs (default: the configs of the "
	  "benchmark)",
	  0 },
	{ "append", OPTION_APPEND, "ARGS", 0,
	  "Add ARGS to the command line of both kernels", 0 },
	{ "explain-rows", OPTION_EXPLAIN_ROWS, "N", 0,
	  "Explain at most N rows of each lab, the largest differences first, and rows whose "
	  "difference is alike last (default: 2; 0: none)",
	  0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0, "Print Markdown, for a pull request", 0 },
	{ "output", 'o', "DIR", 0, "Keep the documents in DIR/base and DIR/new", 0 },
	{ 0 }
};

static error_t check(struct diff_args *args, struct argp_state *state)
{
	if (args->n_kernels != 2)
		return options_error(
			state, "two kernels: --kernel BASE --kernel NEW (%zu given)",
			args->n_kernels);
	if (!args->on &&
	    options_names(state, TARGETS, names_match_targets, &args->targets))
		return EINVAL;
	if (!args->benches.n) {
		args->bench = "core";
		if (options_names(state, "core", names_match_benches, &args->benches))
			return EINVAL;
	}
	for (size_t i = 0; i < args->targets.n; i++)
		if (strcmp(names_target(args->targets.names[i])->ops->kind, "lab") != 0)
			return options_error(
				state,
				"'%s' is not a lab: only labs boot the kernel of --kernel",
				args->targets.names[i]);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diff_args *args = state->input;
	uint64_t n;
	error_t err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->gate;
		return 0;
	case OPTION_ON:
		args->on = arg;
		return options_names(state, arg, names_match_targets, &args->targets);
	case OPTION_BENCH:
		args->bench = arg;
		return options_names(state, arg, names_match_benches, &args->benches);
	case OPTION_CONFIG:
		args->config = arg;
		return options_names(state, arg, names_match_configs, &args->configs);
	case OPTION_KERNEL:
		if (args->n_kernels++ < 2)
			args->kernels[args->n_kernels - 1] = arg;
		return 0;
	case OPTION_APPEND:
		args->append = arg;
		return 0;
	case OPTION_EXPLAIN_ROWS:
		err = options_number(state, "--explain-rows", arg, 0, 1000, &n);
		args->explain_rows = (size_t)n;
		return err;
	case OPTION_MARKDOWN:
		args->markdown = true;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		return options_error(state, "'%s': kernels are given by --kernel", arg);
	case ARGP_KEY_END:
		return check(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

/* ------------------------------ measuring ------------------------------ */

static enum cli_exit keep(const struct diff_args *args, const char *side,
			  const struct result *r)
{
	char *folder, *path;
	struct error err;
	int rc;

	if (!args->output)
		return CLI_OK;
	if (asprintf(&folder, "%s/%s", args->output, side) < 0)
		abort();
	path = documents_path(folder, r);
	rc = documents_make_folder(folder, &err);
	if (!rc)
		rc = result_write(path, r, &err);
	if (rc)
		message_error("%s", err.text);
	else
		message_info(args->common.quiet, "wrote %s", path);
	free(folder);
	free(path);
	return rc ? CLI_FAILED : CLI_OK;
}

/* Two runs for each lab: of the base, and of the new kernel. */
struct diff_runs {
	const struct diff_args *args;
	struct names_list targets; /* each lab twice */
	struct run *each;
	const char *(*words)[12];   /* command lines */
	struct result **measured;   /* NULL: none */
	const struct result **docs; /* of these, those that are complete */
	bool *ended;
	size_t judged;	   /* runs before this one; they are judged in their order */
	struct compare *c; /* of `n_compared` labs with both documents */
	size_t n_compared;
	enum cli_exit code;
};

static void runs_init(struct diff_runs *r, const struct diff_args *args)
{
	const size_t max = 2 * args->targets.n + 1;

	*r = (struct diff_runs){
		.args = args,
		.targets.names = calloc(max, sizeof(*r->targets.names)),
		.each = calloc(max, sizeof(*r->each)),
		.words = calloc(max, sizeof(*r->words)),
		.measured = calloc(max, sizeof(*r->measured)),
		.docs = calloc(max, sizeof(*r->docs)),
		.ended = calloc(max, sizeof(*r->ended)),
		.c = calloc(max, sizeof(*r->c)),
	};
	if (!r->targets.names || !r->each || !r->words || !r->measured || !r->docs ||
	    !r->ended || !r->c)
		abort();
}

static void runs_free(struct diff_runs *r)
{
	for (size_t i = 0; i < r->n_compared; i++)
		compare_free(&r->c[i]);
	for (size_t i = 0; i < r->targets.n; i++) {
		run_free(&r->each[i]);
		result_free(r->measured[i]);
	}
	free(r->targets.names);
	free(r->each);
	free(r->words);
	free(r->measured);
	free(r->docs);
	free(r->ended);
	free(r->c);
}

/* The document's command line is that of a run which measures the same. */
static void add_run(struct diff_runs *r, const char *target, size_t side)
{
	const struct diff_args *args = r->args;
	const size_t i = r->targets.n++;
	const char **words = r->words[i];
	struct run *run = &r->each[i];
	size_t n = 0;

	words[n++] = "run";
	words[n++] = "--on";
	words[n++] = target;
	words[n++] = "--kernel";
	words[n++] = args->kernels[side];
	words[n++] = "--bench";
	words[n++] = args->bench;
	if (args->config) {
		words[n++] = "--config";
		words[n++] = args->config;
	}
	if (args->append) {
		words[n++] = "--append";
		words[n++] = args->append;
	}
	r->targets.names[i] = target;
	run_init(run);
	run->common = args->common;
	run->argc = (int)n;
	run->argv = (char **)words;
	run->job.kernel = args->kernels[side];
	run->job.append = args->append;
	run->job.fetch = args->common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	run->job.benches = args->benches.names;
	run->job.n_benches = args->benches.n;
	run->job.configs = args->configs.names;
	run->job.n_configs = args->configs.n;
	/* Both kernels lack the same. */
	run->bench_words = side ? NULL : args->bench;
	run->config_words = side ? NULL : args->config;
}

/* ------------------------------ the text ------------------------------ */

/* "10 worse, 1 better, 3 the same": the verdicts of compare, in one line. */
static void print_verdict(FILE *f, const struct compare *c)
{
	const struct {
		enum compare_verdict verdict;
		const char *word;
	} parts[] = {
		{ COMPARE_WORSE, "worse" },
		{ COMPARE_BETTER, "better" },
		{ COMPARE_CHANGED, "changed" },
		{ COMPARE_INCONCLUSIVE, "inconclusive" },
		{ COMPARE_NONE, "not compared" },
	};
	size_t same = c->count[COMPARE_SAME] + c->count[COMPARE_SAME_PLACEMENT];
	bool first = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!c->count[parts[i].verdict])
			continue;
		fprintf(f, "%s%zu %s", first ? "" : ", ", c->count[parts[i].verdict],
			parts[i].word);
		first = false;
	}
	if (same)
		fprintf(f, "%s%zu the same", first ? "" : ", ", same);
}

static char *verdict_text(const struct compare *c)
{
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	fprintf(f, "%s: ", c->new->target.name);
	print_verdict(f, c);
	fprintf(f, ", from Linux %s to %s",
		c->base->subject.kernel ? c->base->subject.kernel : "?",
		c->new->subject.kernel ? c->new->subject.kernel : "?");
	if (fclose(f))
		abort();
	return text_cleaned_own(text);
}

static void fill_side(struct table *t, size_t column, const struct compare_row *row,
		      const struct compare_side *side)
{
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	if (!side->metric)
		table_cell(t, column, "-");
	else if (row->level == 1 && side->min < side->max) {
		number_format(lo, side->min, true);
		number_format(hi, side->max, true);
		table_cell(t, column, "%s to %s", lo, hi);
	} else {
		table_number(t, column, side->value, true, false);
	}
}

static void fill_row(struct table *t, const struct compare_row *row)
{
	const char *config = row->base.config ? row->base.config : row->new.config;
	bool named = config && strcmp(config, "default") != 0;

	table_row(t, row->verdict == COMPARE_WORSE    ? TABLE_RED
		     : row->verdict == COMPARE_BETTER ? TABLE_GREEN
						      : TABLE_PLAIN);
	table_cell(t, 0, "%s%s%s%s", row->name, named ? " [" : "", named ? config : "",
		   named ? "]" : "");
	fill_side(t, 1, row, &row->base);
	fill_side(t, 2, row, &row->new);
	table_number(t, 3, row->difference, true, true);
	if (row->ratio > 0) {
		char percent[NUMBER_BYTES];

		percent_format(percent, 100 * (row->ratio - 1), 1);
		table_cell(t, 4, "%s", percent);
	}
	if (*row->reason)
		table_cell(t, 5, "[%zu]", table_note(t, row->reason));
}

static void print_rows(const struct compare *c)
{
	static const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL }, { "base", TABLE_RIGHT, 0, NULL },
		{ "new", TABLE_RIGHT, 0, NULL },     { "change", TABLE_RIGHT, 0, NULL },
		{ "", TABLE_RIGHT, 0, NULL },	     { "", 0, 0, NULL },
	};
	struct table_options o;
	struct table t;

	table_options_for(&o, stdout);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i].verdict != COMPARE_SAME &&
		    c->rows[i].verdict != COMPARE_SAME_PLACEMENT)
			fill_row(&t, &c->rows[i]);
	if (t.n_rows) {
		putchar('\n');
		table_print(stdout, &t, &o);
	}
	if (t.n_notes)
		putchar('\n');
	table_print_notes(stdout, &t, &o);
	for (size_t i = 0; i < c->n_notes; i++)
		text_wrap(stdout, c->notes[i], 0, 2, table_text_columns(&o));
	table_free(&t);
}

static void print_compared(const struct diff_args *args, const struct compare *c)
{
	struct compare_names names = { args->kernels[0], args->kernels[1] };
	char *verdict = verdict_text(c);

	if (args->markdown) {
		fputs("### ", stdout);
		table_markdown_text(stdout, verdict);
		fputs("\n\n", stdout);
		compare_print_markdown(stdout, c, &names);
	} else {
		text_wrap(stdout, verdict, 0, 2, COLUMNS_MAX);
		print_rows(c);
	}
	free(verdict);
}

static void print_end(const struct diff_args *args)
{
	const char *text =
		"Instructions that one exit executes in guest, kernel and VMM, "
		"counted exactly in an emulator: the length of the path, not "
		"time. By worldswitch, `wsbench diff`.";

	putchar('\n');
	text_wrap(stdout, text, 0, args->markdown ? 0 : 2, COLUMNS_MAX);
}

/* ------------------------------ both ------------------------------ */

/*
 * Run `i` is of the base, and the next one of the new kernel. Without a document of both,
 * the failure has been said. Of labs with explanations, only the first is printed here:
 * its explanation comes before the next verdict.
 */
static void judge(struct diff_runs *r, size_t i)
{
	const struct diff_args *args = r->args;
	const struct compare_options o = { .thresholds = args->gate.thresholds,
					   .n_thresholds = args->gate.n_thresholds };
	const struct result *const *docs = &r->docs[i];
	struct compare *c = &r->c[r->n_compared];
	struct error err;

	if (!docs[0] || !docs[1])
		return;
	if (compare_documents(docs[0], docs[1], &o, c, &err)) {
		message_error("%s: %s", r->targets.names[i], err.text);
		r->code = gate_gravest(r->code, CLI_FAILED);
		return;
	}
	r->code = gate_gravest(r->code, gate_exit(&args->gate, c));
	if (!r->n_compared || !args->explain_rows) {
		if (r->n_compared)
			putchar('\n');
		print_compared(args, c);
		fflush(stdout);
	}
	r->n_compared++;
}

/* A complete document stays, also if the other runs are interrupted. */
static void run_ended(void *ctx, size_t i, struct result *doc)
{
	struct diff_runs *r = ctx;

	r->ended[i] = true;
	r->docs[i] = doc && !doc->run.partial ? doc : NULL;
	if (r->docs[i])
		r->code = gate_gravest(r->code,
				       keep(r->args, i % 2 ? "new" : "base", r->docs[i]));
	for (; !interrupted && r->ended[r->judged] && r->ended[r->judged + 1];
	     r->judged += 2)
		judge(r, r->judged);
}

/*
 * Both kernels in all labs, beside each other. A lab that fails is left out; the others
 * are compared.
 */
static void measure(struct diff_runs *r)
{
	struct run run;
	enum cli_exit code;

	if (!r->targets.n)
		return;
	run = r->each[0];
	run.targets = r->targets;
	run.each = r->each;
	run.ended = run_ended;
	run.ended_ctx = r;
	code = run_measure(&run, r->measured);
	r->code = gate_gravest(r->code, interrupted ? CLI_FAILED : code);
}

/* Labs that are printed with their explanations. */
struct diff_why {
	const struct diff_runs *r;
	struct why *why;
};

/* The explanations of a lab, and the verdict of the next one. */
static void print_explained(void *ctx, size_t i)
{
	const struct diff_why *e = ctx;

	if (e->r->args->markdown)
		why_print_markdown(stdout, &e->why[i]);
	else
		why_print(stdout, &e->why[i]);
	if (i + 1 < e->r->n_compared) {
		putchar('\n');
		print_compared(e->r->args, &e->r->c[i + 1]);
	}
	fflush(stdout);
}

static void explain(const struct diff_runs *r)
{
	const struct diff_args *args = r->args;
	struct why *why = calloc(r->n_compared + 1, sizeof(*why));
	struct why_work *work = calloc(r->n_compared + 1, sizeof(*work));
	struct diff_why e = { r, why };

	if (!why || !work)
		abort();
	for (size_t i = 0; i < r->n_compared; i++) {
		why_select(&r->c[i], WHY_ALL, args->explain_rows, &why[i]);
		why[i].n_cut = 0; /* the table has them */
		work[i] = (struct why_work){ &r->c[i], &why[i] };
	}
	compare_why(work, r->n_compared, &(struct why_boots){ 0 }, args->common.quiet,
		    print_explained, &e);
	for (size_t i = 0; i < r->n_compared; i++)
		why_free(&why[i]);
	free(work);
	free(why);
}

/* Of the default labs, those of the other architecture cannot boot an image. */
static bool is_left_out(const struct diff_args *args, const char *target)
{
	const struct target *t = names_target(target);
	struct error why;
	struct run run;
	int rc;

	if (args->on)
		return false;
	run_init(&run);
	run.job.kernel = args->kernels[0];
	rc = t->ops->probe(t, &run.job, &why);
	run_free(&run);
	return rc == -ENOEXEC;
}

/* The folders of -o, before labs run for minutes. */
static enum cli_exit make_folders(const struct diff_args *args)
{
	static const char *const sides[] = { "base", "new" };
	struct error err;
	int rc = 0;

	for (size_t i = 0; args->output && i < 2 && !rc; i++) {
		char *folder;

		if (asprintf(&folder, "%s/%s", args->output, sides[i]) < 0)
			abort();
		rc = documents_make_folder(folder, &err);
		if (!rc && !documents_folder_is_writable(folder))
			rc = error_set(&err, -errno, "cannot write to folder %s: %s",
				       folder, strerror(errno));
		free(folder);
	}
	if (!rc)
		return CLI_OK;
	message_error("%s", err.text);
	return CLI_USAGE;
}

static enum cli_exit diff(struct diff_args *args)
{
	struct diff_runs r;

	if (make_folders(args) != CLI_OK)
		return CLI_USAGE;
	table_limit(COLUMNS_MAX);
	runs_init(&r, args);
	for (size_t i = 0; i < args->targets.n; i++)
		for (size_t side = 0; side < 2; side++)
			if (!is_left_out(args, args->targets.names[i]))
				add_run(&r, args->targets.names[i], side);
	measure(&r);
	if (args->explain_rows && !interrupted)
		explain(&r);
	if (r.n_compared)
		print_end(args);
	runs_free(&r);
	return r.code;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
					      { &gate_options, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Measures two kernels in labs, compares them, and names the functions behind "
	       "the largest differences. The output is text of at most 74 columns, with "
	       "the verdict first.\v"
	       "Exit code 0: no benchmark got worse; 1: one did, by more than --threshold; "
	       "2: wrong usage, or an image that the lab cannot boot; 3: a figure is missing; "
	       "4: a lab or a kernel failed.",
	.children = children,
};

int cmd_diff(int argc, char **argv)
{
	struct diff_args args = { .explain_rows = EXPLAIN_ROWS };
	enum cli_exit code;

	if (options_go(&argp, "wsbench diff", argc, argv, &args, &code)) {
		target_catch_signals();
		code = diff(&args);
	}
	names_free(&args.targets);
	names_free(&args.benches);
	names_free(&args.configs);
	gate_free(&args.gate);
	interrupt_pass_on();
	return code;
}
