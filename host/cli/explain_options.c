/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `wsbench explain`. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/cli/run.h"
#include "host/cli/cli.h"

enum key {
	OPTION_ON = 0x100,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_BOOTS,
	OPTION_EVENTS,
	OPTION_TIMEOUT,
	OPTION_LABEL,
	OPTION_COMMIT,
	OPTION_DIFF,
	OPTION_ACROSS,
	OPTION_TREE,
	OPTION_FOLDED,
	OPTION_FORMAT,
	OPTION_TOP,
	OPTION_MARKDOWN,
	OPTION_JSON,
	OPTION_KINDS,
	OPTION_ESTIMATE,
	OPTION_SVG,
	OPTION_DEBUGINFO,
	OPTION_LINES,
	OPTION_ANNOTATE,
	OPTION_SOURCE,
};

/* The table of lines unless --lines has a number. */
#define LINES_DEFAULT 30

static const struct argp_option options[] = {
	{ "on", OPTION_ON, "TARGET", 0, "Run the benchmark in this lab", 0 },
	{ "bench", OPTION_BENCH, "ID,...", 0,
	  "Explain these benchmarks, in one boot of the lab (names, globs, core)", 0 },
	{ "config", OPTION_CONFIG, "NAME", 0,
	  "Run the benchmark under this counter config (default: the last config of "
	  "the benchmark)",
	  0 },
	{ "boots", OPTION_BOOTS, "N", 0, "Boot N VMs", 0 },
	{ "events", OPTION_EVENTS, "N", 0, "Time N events per boot", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0,
	  "Give up on a boot after this time (labs: a second is 50 million instructions)",
	  0 },
	{ "label", OPTION_LABEL, "TEXT", 0,
	  "Store TEXT in the explanation, as the name of the measured kernel", 0 },
	{ "commit", OPTION_COMMIT, "ID", 0,
	  "Store ID in the explanation, as the commit of the measured kernel", 0 },
	{ "diff", OPTION_DIFF, "FILE", 0,
	  "Print the change from this explanation, function by function", 0 },
	{ "across", OPTION_ACROSS, "vendors", 0,
	  "Let --diff compare SVM with VMX, whose world switches are different code", 0 },
	{ "tree", OPTION_TREE, NULL, 0, "Print the call tree", 0 },
	{ "top", OPTION_TOP, "N", 0,
	  "Print only N functions, and the others as one row; with --diff, the N largest "
	  "changes",
	  0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0, "Print Markdown", 0 },
	{ "json", OPTION_JSON, NULL, 0, "Print the explanation, as -o writes it", 0 },
	{ "folded", OPTION_FOLDED, NULL, 0,
	  "Print stacks, one per line, for flame graph tools", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0,
	  "Print the file of another viewer (see below)", 0 },
	{ "kinds", OPTION_KINDS, NULL, 0,
	  "Count kinds of instructions: system registers, barriers, memory, cache "
	  "lines; with --diff, print their change",
	  0 },
	{ "estimate", OPTION_ESTIMATE, "FAMILY|FILE", 0,
	  "Estimate cycles by the counts of --touch and the weights of a CPU family "
	  "(gungraun, cachegrind, skylake, neoverse-n1) or of a file of 'wsbench "
	  "calibrate'",
	  0 },
	{ "svg", OPTION_SVG, "FILE", 0,
	  "Draw a flame graph; with --diff, coloured by the change", 0 },
	{ "debuginfo", OPTION_DEBUGINFO, "FILE", 0,
	  "Read lines of source and inlined functions from the DWARF of FILE: a vmlinux, "
	  "a kernel module, or a folder that holds them: /usr/lib/debug of Debian's "
	  "linux-image-RELEASE-dbg, or the build tree of a kernel; several are separated "
	  "by commas",
	  0 },
	{ "lines", OPTION_LINES, "N", OPTION_ARG_OPTIONAL,
	  "Print the N lines of source with the most instructions (default: 30)", 0 },
	{ "annotate", OPTION_ANNOTATE, "FUNCTION", 0,
	  "Print the instructions of FUNCTION by address, with their lines of source",
	  0 },
	{ "source", OPTION_SOURCE, "DIR", 0,
	  "Print the source itself for --lines and --annotate, from this folder", 0 },
	{ "output", 'o', "FILE|DIR", 0,
	  "Write the explanation to FILE, or to DIR/ID.json; those of several benchmarks "
	  "to a DIR",
	  0 },
	{ 0 }
};

static error_t parse_number(int key, const char *arg, struct argp_state *state,
			    struct job *job)
{
	uint64_t n;
	error_t err;

	switch (key) {
	case OPTION_BOOTS:
		err = options_number(state, "--boots", arg, 1, 1000, &n);
		if (!err)
			job->boots = (uint32_t)n;
		return err;
	case OPTION_EVENTS:
		err = options_number(state, "--events", arg, 2, ABI_SERIES_MAX, &n);
		if (!err)
			job->events = (uint32_t)n;
		return err;
	default: /* OPTION_TIMEOUT */
		err = options_number(state, "--timeout", arg, 1, 86400, &n);
		if (!err)
			job->timeout_ns = n * 1000000000u;
		return err;
	}
}

/* One name, or a glob that fits one alone; of benchmarks, several. */
static error_t parse_name(int key, const char *arg, struct argp_state *state,
			  struct run *run)
{
	struct names_list *list = key == OPTION_ON	? &run->targets
				  : key == OPTION_BENCH ? &run->benches
							: &run->configs;
	const char *option = key == OPTION_ON	   ? "--on"
			     : key == OPTION_BENCH ? "--bench"
						   : "--config";
	struct error why;
	int rc;

	names_free(list);
	if (key == OPTION_ON)
		rc = names_match_targets(arg, list, &why);
	else if (key == OPTION_BENCH)
		rc = names_match_benches(arg, list, &why);
	else
		rc = names_match_configs(arg, list, &why);
	if (rc)
		return options_error(state, "%s", why.text);
	if (list->n > 1 && key != OPTION_BENCH)
		return options_error(state, "%s takes one name: '%s' matches %zu", option,
				     arg, list->n);
	return 0;
}

static error_t parse_format(const char *name, struct argp_state *state, struct explain *x)
{
	const struct explain_format *format = explain_format_find(name);
	char names[80] = "";

	for (const struct explain_format *f = explain_formats; !format && f->name; f++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 *names ? ", " : "", f->name);
	if (!format)
		return options_error(state, "--format: '%s' is not one of %s", name,
				     names);
	if (x->format && x->format != format)
		return options_error(state, "--format: %s and %s (give one of them)",
				     x->format->name, name);
	x->format = format;
	return 0;
}

static error_t parse_output(int key, char *arg, struct argp_state *state,
			    struct explain *x)
{
	uint64_t n;
	error_t err;

	switch (key) {
	case OPTION_DIFF:
		x->diff = arg;
		return 0;
	case OPTION_ACROSS:
		if (strcmp(arg, "vendors") != 0)
			return options_error(state, "--across: '%s' is not 'vendors'",
					     arg);
		x->across_vendors = true;
		return 0;
	case OPTION_TREE:
		x->tree = true;
		return 0;
	case OPTION_TOP:
		err = options_number(state, "--top", arg, 1, 1000000, &n);
		x->top = err ? x->top : (size_t)n;
		return err;
	case OPTION_MARKDOWN:
		x->markdown = true;
		return 0;
	case OPTION_JSON:
		return parse_format("json", state, x);
	case OPTION_FOLDED:
		return parse_format("folded", state, x);
	case OPTION_FORMAT:
		return parse_format(arg, state, x);
	case OPTION_KINDS:
		x->kinds = true;
		return 0;
	case OPTION_ESTIMATE:
		x->estimate = arg;
		return 0;
	case OPTION_SVG:
		x->svg = arg;
		return 0;
	case OPTION_DEBUGINFO:
		x->debuginfo = arg;
		return 0;
	case OPTION_LINES:
		x->lines = LINES_DEFAULT;
		return arg ? options_number(state, "--lines", arg, 1, 1000000, &x->lines)
			   : 0;
	case OPTION_ANNOTATE:
		x->annotate = arg;
		return 0;
	case OPTION_SOURCE:
		x->source = arg;
		return 0;
	case 'o':
		x->output = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct explain *x = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &x->run.job;
		state->child_inputs[1] = &x->run.touch;
		state->child_inputs[2] = &x->run.common;
		return 0;
	case ARGP_KEY_ARG:
		if (x->file)
			return options_error(
				state, "only one file can be shown, not also '%s'", arg);
		if (result_find_bench(arg) && access(arg, F_OK))
			return options_error(
				state,
				"no file %s: a benchmark is explained by --on lab:... --bench %s",
				arg, arg);
		x->file = arg;
		return 0;
	case OPTION_ON:
	case OPTION_BENCH:
	case OPTION_CONFIG:
		return parse_name(key, arg, state, &x->run);
	case OPTION_BOOTS:
	case OPTION_EVENTS:
	case OPTION_TIMEOUT:
		return parse_number(key, arg, state, &x->run.job);
	case OPTION_LABEL:
		x->run.label = arg;
		return 0;
	case OPTION_COMMIT:
		x->run.commit = arg;
		return 0;
	default:
		return parse_output(key, arg, state, x);
	}
}

static const struct argp_child children[] = { { &options_lab, 0, OPTIONS_LAB, 0 },
					      { &touch_argp, 0, TOUCH_OPTIONS, 0 },
					      { &options_common, 0, NULL, 0 },
					      { 0 } };

static void print_formats(FILE *f)
{
	for (const struct explain_format *x = explain_formats; x->name; x++)
		fprintf(f, "  %-12s %s\n", x->name, x->summary);
}

static char *help_filter(int key, const char *text, void *input)
{
	(void)input;
	return help_with_formats(key, text, print_formats);
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE.json]",
	.doc = "Attributes the instructions of one benchmark to functions of the guest, "
	       "the kernel and the VMM: runs the benchmark in a lab, as 'run' does, and "
	       "records each instruction. With FILE.json, prints an explanation that was "
	       "written before.\v"
	       "The total is the figure that 'run' reports. The exit code is 3 if the "
	       "figure cannot be explained by instructions.",
	.children = children,
	.help_filter = help_filter,
};

/* Options that exclude each other: one of them would have no effect. */
static const char *contradiction(const struct explain *x)
{
	if (x->tree && x->diff)
		return "--tree and --diff: a call tree is of one explanation (give one "
		       "of them)";
	if (x->lines && (x->tree || x->diff || x->annotate))
		return "--lines: one table at a time (give no --tree, --diff or "
		       "--annotate)";
	if (x->annotate && (x->tree || x->diff || x->kinds || x->run.touch.wanted ||
			    x->estimate || x->top != SIZE_MAX))
		return "--annotate: one table at a time (give no --tree, --diff, --kinds, "
		       "--touch, --estimate or --top)";
	if (x->lines && x->top != SIZE_MAX)
		return "--lines and --top: --lines=N limits the table (give one of them)";
	if (x->source && !x->lines && !x->annotate)
		return "--source: no source is printed (give --lines or --annotate, too)";
	if (x->debuginfo && x->file)
		return "--debuginfo: a file is not recorded again (give --debuginfo when "
		       "recording)";
	if (x->tree && x->markdown)
		return "--tree and --markdown: a call tree is text (give one of them)";
	if (x->tree && x->top != SIZE_MAX)
		return "--tree and --top: a call tree is printed in full (give one of them)";
	if (x->markdown && (x->run.touch.wanted || x->estimate))
		return "--touch, --estimate and --markdown: their tables are text (give one "
		       "of them)";
	if (x->markdown && (x->lines || x->annotate))
		return "--lines, --annotate and --markdown: their tables are text (give one "
		       "of them)";
	if (x->across_vendors && !x->diff)
		return "--across: nothing to compare (give --diff, too)";
	if (x->estimate && x->diff)
		return "--estimate and --diff: an estimate is of one event (give one of "
		       "them)";
	return x->estimate ? NULL : touch_options_wrong(&x->run.touch);
}

/* An option whose output is of one benchmark; NULL: there is one, or no such option. */
static const char *only_of_one(const struct explain *x)
{
	if (x->run.benches.n < 2)
		return NULL;
	return x->diff	     ? "--diff"
	       : x->svg	     ? "--svg"
	       : x->annotate ? "--annotate"
	       : x->format   ? "--format"
			     : NULL;
}

static enum cli_exit check_machine(const struct run *run)
{
	const struct target *t = names_target(run->targets.names[0]);
	const struct bench *bench = result_find_bench(run->benches.names[0]);

	if (strcmp(t->ops->kind, "lab") != 0) {
		message_usage("wsbench explain",
			      "'%s' is not a lab: only labs can record every instruction",
			      t->name);
		return CLI_USAGE;
	}
	if (t->only & NEEDS_VCPUS_2 ||
	    (run->benches.n == 1 && bench->needs & NEEDS_VCPUS_2)) {
		message_usage("wsbench explain",
			      "%s: needs two CPUs: explain follows machines of one CPU",
			      t->only & NEEDS_VCPUS_2 ? t->name : bench->id);
		return CLI_USAGE;
	}
	if (touch_refusal(t)) {
		message_usage("wsbench explain", "%s: %s", t->name, touch_refusal(t));
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* Whether an option of the recording was given. */
static bool records(const struct run *run)
{
	const struct job *job = &run->job;

	return run->touch.caches_given || run->targets.n || run->benches.n ||
	       run->configs.n || job->boots || job->events || job->timeout_ns ||
	       job->lab_timeout_s || job->kernel || job->modules || job->append ||
	       job->emulator || run->label || run->commit;
}

/* A format is the whole output: another option of the output would have no effect. */
static enum cli_exit check_format(const struct explain *x)
{
	const char *other = x->tree		 ? "--tree"
			    : x->diff		 ? "--diff"
			    : x->lines		 ? "--lines"
			    : x->annotate	 ? "--annotate"
			    : x->markdown	 ? "--markdown"
			    : x->top != SIZE_MAX ? "--top"
			    : x->estimate	 ? "--estimate"
						 : NULL;

	/* When recording, --kinds also decides what the file contains. */
	if (x->kinds && !strcmp(x->format->name, "folded") && (x->file || !x->output))
		other = "--kinds";
	if (x->kinds && x->file)
		other = "--kinds";
	if (x->run.touch.wanted && (x->file || !x->output))
		other = "--touch";
	if (other)
		message_usage(
			"wsbench explain",
			"--format %s and %s: one output at a time (give one of them)",
			x->format->name, other);
	else if (x->format->binary && isatty(STDOUT_FILENO))
		message_usage("wsbench explain",
			      "--format %s is not text: redirect the output to a file",
			      x->format->name);
	else
		return CLI_OK;
	return CLI_USAGE;
}

static enum cli_exit check(struct explain *x)
{
	const struct run *run = &x->run;
	const char *wrong = contradiction(x);
	struct error err;

	if (only_of_one(x)) {
		message_usage(
			"wsbench explain",
			"%s: the output is of one benchmark, and --bench matches %zu (write them with -o DIR, and show one of its files)",
			only_of_one(x), run->benches.n);
		return CLI_USAGE;
	}
	if (x->format && check_format(x) != CLI_OK)
		return CLI_USAGE;
	if (wrong) {
		message_usage("wsbench explain", "%s", wrong);
		return CLI_USAGE;
	}

	if (x->estimate && estimate_weights(x->estimate, &x->weights, &err)) {
		message_usage("wsbench explain", "--estimate: %s", err.text);
		return CLI_USAGE;
	}
	if (x->file && records(run)) {
		message_usage(
			"wsbench explain",
			"%s: is not recorded again: options of the recording, such as --on and --kernel, are not allowed with a file",
			x->file);
		return CLI_USAGE;
	}
	if (!x->file && (!run->targets.n || !run->benches.n)) {
		message_usage("wsbench explain", "%s: --on lab:... --bench ID",
			      run->targets.n   ? "no benchmark"
			      : run->benches.n ? "no lab"
					       : "no benchmark and no lab");
		return CLI_USAGE;
	}
	return x->file ? CLI_OK : check_machine(run);
}

enum cli_exit explain_parse(struct explain *x, int argc, char **argv, bool *go)
{
	enum cli_exit code;

	memset(x, 0, sizeof(*x));
	x->top = SIZE_MAX;
	run_init(&x->run);
	x->run.argc = argc;
	x->run.argv = argv;
	*go = false;
	if (!options_go(&argp, "wsbench explain", argc, argv, x, &code))
		return code;
	*go = true;
	x->run.job.fetch = x->run.common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	return check(x);
}

void explain_free(struct explain *x)
{
	run_free(&x->run);
}
