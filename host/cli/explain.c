/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench explain`: records a benchmark in a lab and shows the functions of its
 * instructions.
 */
#include "host/lib/error.h"
#include "host/cli/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/lib/table.h"
#include "host/targets/rows.h"
#include "host/explain/explain.h"
#include "host/explain/region.h"
#include "host/explain/explain_text.h"
#include "host/explain/touch.h"

/*
 * The maximum size of a trace: about 250 million instructions. Memory is allocated as
 * it is written.
 */
#define TRACE_BYTES (1ull << 30)

struct symbols_text {
	char *text;
	size_t bytes;
};

static int keep_symbols(void *ctx, const char *text, size_t bytes)
{
	struct symbols_text *s = ctx;

	free(s->text);
	s->text = malloc(bytes + 1);
	if (!s->text)
		return -ENOMEM;
	memcpy(s->text, text, bytes);
	s->text[bytes] = '\0';
	s->bytes = bytes;
	return 0;
}

/* The image that will run. */
static enum cli_exit find_payload(const struct target *t, const struct bench *bench,
				  struct image *image)
{
	size_t bytes;
	const void *data = payload_find(t->arch, payload_of(bench, t->arch), &bytes);

	if (data && !image_open(image, data, bytes))
		return CLI_OK;
	message_error("%s does not exist on %s", bench->id, t->name);
	return CLI_USAGE;
}

/* The default config: the one that the row is about. */
static enum cli_exit choose_config(struct explain *x, const struct target *t,
				   const struct bench *bench)
{
	bool pmu = bench->needs & NEEDS_PMU && t->arch == ARCH_AARCH64;
	struct error why;

	if (x->run.configs.n ||
	    !names_match_configs(pmu ? "pmu-emulated" : "default", &x->run.configs, &why))
		return CLI_OK;
	message_error("%s", why.text);
	return CLI_FAILED;
}

/* Runs the benchmark in an emulator that records. The caller frees `*doc`. */
static enum cli_exit run_traced(struct explain *x, struct capture *c,
				struct symbols_text *symbols, struct result **doc)
{
	struct run *run = &x->run;
	enum cli_exit code;

	run->job.traced = true;
	run->job.trace_fd = c->fd;
	run->job.plugin = *c->plugin ? c->plugin : NULL;
	run->job.benches = run->benches.names;
	run->job.n_benches = 1;
	run->job.configs = run->configs.names;
	run->job.n_configs = 1;
	run->symbols = &(struct target_symbols){ keep_symbols, symbols };
	/* The first boot is the one whose figure a run reports. */
	run->job.boots = 1;
	code = run_target(run, names_target(run->targets.names[0]), doc);
	run->symbols = NULL;
	run->job.plugin = NULL;
	run->job.traced = false;
	return code;
}

/* The figure to explain. */
static enum cli_exit find_figure(const struct result *doc, double *figure)
{
	const struct result_benchmark *b = &doc->benchmarks[0];
	const struct result_metric *m = result_find_metric(b, "round_trip");

	if (b->status == RESULT_OK && m) {
		*figure = m->value;
		return CLI_OK;
	}
	message_error("%s: %s", b->name, b->reason ? b->reason : "it has no figure");
	return b->status == RESULT_SKIP ? CLI_UNTRUSTED : CLI_FAILED;
}

static enum cli_exit build(const struct capture *c, struct explain_input *in,
			   const struct result *doc, struct explanation **out)
{
	struct error err = { "" };
	int rc;

	*out = explanation_new();
	explanation_describe(*out, doc);
	(*out)->benchmark = explanation_string(*out, doc->benchmarks[0].name);
	(*out)->config = explanation_string(*out, doc->benchmarks[0].config);
	rc = explain_build(c, in, *out, &err);
	if (!rc)
		return CLI_OK;
	message_error("%s", err.text);
	explanation_free(*out);
	*out = NULL;
	if (rc == -ENOEXEC)
		return CLI_USAGE;
	return rc == -ENOTSUP || rc == -ENODATA ? CLI_UNTRUSTED : CLI_FAILED;
}

/* With everything open that has to be closed again. */
static enum cli_exit record(struct explain *x, struct capture *c, struct target *t,
			    struct explain_input *in, struct explanation **out)
{
	struct symbols_text symbols = { NULL, 0 };
	struct error err = { "" };
	struct result *doc = NULL;
	enum cli_exit code;
	const void *program;
	size_t bytes;

	program = t->ops->program(t, &bytes);
	if (image_open(&in->vmm, program, bytes) || explain_switches(c, in, &err)) {
		message_error("%s",
			      *err.text ? err.text : "the lab's VMM is not an ELF image");
		return CLI_FAILED;
	}
	code = run_traced(x, c, &symbols, &doc);
	if (code == CLI_OK)
		code = find_figure(doc, &in->round_trip);
	in->kallsyms = symbols.text;
	in->kallsyms_bytes = symbols.bytes;
	if (code == CLI_OK)
		code = build(c, in, doc, out);
	free(symbols.text);
	result_free(doc);
	return code;
}

/* Opens the files of --debuginfo. `*out` is NULL if no lines are wanted. */
static enum cli_exit open_debuginfo(const struct explain *x, enum arch arch,
				    struct debuginfo **out)
{
	struct error err;
	char *paths, *path, *save;
	int rc = 0;

	*out = NULL;
	if (!x->debuginfo && !x->lines && !x->annotate)
		return CLI_OK;
	*out = debuginfo_new(arch);
	paths = strdup(x->debuginfo ? x->debuginfo : "");
	if (!paths)
		abort();
	for (path = strtok_r(paths, ",", &save); path && !rc;
	     path = strtok_r(NULL, ",", &save))
		rc = debuginfo_add(*out, path, &err);
	free(paths);
	if (!rc)
		return CLI_OK;
	message_usage("wsbench explain", "--debuginfo: %s", err.text);
	debuginfo_free(*out);
	*out = NULL;
	return CLI_USAGE;
}

enum cli_exit explain_record(struct explain *x, struct explanation **out)
{
	const struct target *row = names_target(x->run.targets.names[0]);
	const struct bench *bench = names_bench(x->run.benches.names[0]);
	const bool touch = x->run.touch.wanted || x->estimate;
	struct explain_input in = { .arch = row->arch,
				    .benchmark = bench->id,
				    .kinds = x->kinds || touch,
				    .touch = touch ? &x->run.touch.caches : NULL,
				    .timeline = x->format && x->format->needs_timeline };
	struct error why = { "" };
	struct error err = { "" };
	struct target t = *row;
	struct capture c = { .fd = -1 };
	unsigned int plugin_api = 0;
	const char *refusal = regions_refusal(bench->id);
	enum cli_exit code;
	int rc;

	if (refusal) {
		message_error("%s cannot be explained: %s", bench->id, refusal);
		return CLI_UNTRUSTED;
	}
	code = find_payload(row, bench, &in.payload);
	if (code == CLI_OK)
		code = choose_config(x, row, bench);
	if (code == CLI_OK)
		code = open_debuginfo(x, row->arch, &in.debuginfo);
	if (code != CLI_OK)
		return code;
	rc = t.ops->open(&t, &x->run.job, &why);
	if (rc) {
		message_error("%s: %s", t.name, why.text);
		t.ops->close(&t);
		debuginfo_free(in.debuginfo);
		return rc == -ENOEXEC ? CLI_USAGE : CLI_FAILED;
	}
	rc = t.ops->tracer(&t, &plugin_api, &err);
	if (!rc)
		rc = capture_open(&c, TRACE_BYTES, in.kinds, plugin_api, &err);
	if (rc) {
		message_error("%s: %s", t.name, err.text);
		code = CLI_FAILED;
	} else {
		code = record(x, &c, &t, &in, out);
	}
	capture_close(&c);
	t.ops->close(&t);
	debuginfo_free(in.debuginfo);
	return code;
}

static enum cli_exit read_one(const char *path, struct explanation **out)
{
	struct error err;

	if (!explanation_read(path, out, &err))
		return CLI_OK;
	message_usage("wsbench explain", "%s", err.text);
	return CLI_USAGE;
}

/*
 * Checks that the documents can be compared. `arch` and `hypervisor` (NULL: unknown) are
 * of the other explanation; kinds are -1 in a document without kinds.
 */
static enum cli_exit check_base(const struct explain *x, const struct explanation *base,
				const char *arch, const char *hypervisor)
{
	if (x->kinds && base->kinds.loads < 0) {
		message_usage("wsbench explain",
			      "%s: has no kinds (record it with --kinds)", x->diff);
		return CLI_USAGE;
	}
	if (x->run.touch.wanted && !touch_is_in(base)) {
		message_usage(
			"wsbench explain",
			"%s: does not say what the event touches (record it with --touch)",
			x->diff);
		return CLI_USAGE;
	}
	if (base->machine.arch && arch && strcmp(base->machine.arch, arch) != 0) {
		message_usage(
			"wsbench explain",
			"%s: an explanation of %s cannot be compared with one of %s",
			x->diff, base->machine.arch, arch);
		return CLI_USAGE;
	}
	if (!x->across_vendors && arch && !strcmp(arch, "x86_64") &&
	    base->target.hypervisor && hypervisor &&
	    strcmp(base->target.hypervisor, hypervisor) != 0) {
		message_usage(
			"wsbench explain",
			"%s: an explanation of %s cannot be compared with one of %s (--across vendors compares them)",
			x->diff, base->target.hypervisor, hypervisor);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static enum cli_exit read_file(const struct explain *x, const struct explanation *base,
			       struct explanation **out)
{
	enum cli_exit code = read_one(x->file, out);

	if (code == CLI_OK && x->format && x->format->needs_timeline &&
	    !(*out)->n_timeline) {
		message_usage(
			"wsbench explain",
			"%s: has no timeline (record it with --format %s and -o FILE)",
			x->file, x->format->name);
		code = CLI_USAGE;
	}
	if (code == CLI_OK && x->kinds && (*out)->kinds.loads < 0) {
		message_usage("wsbench explain",
			      "%s: has no kinds (record it with --kinds)", x->file);
		code = CLI_USAGE;
	}
	if (code == CLI_OK && (x->run.touch.wanted || x->estimate) &&
	    !touch_is_in(*out)) {
		message_usage(
			"wsbench explain",
			"%s: does not say what the event touches (record it with --touch)",
			x->file);
		code = CLI_USAGE;
	}
	if (code == CLI_OK && (x->lines || x->annotate) && !explanation_has_lines(*out)) {
		message_usage("wsbench explain",
			      "%s: has no lines (record it with --debuginfo FILE)",
			      x->file);
		code = CLI_USAGE;
	}
	if (code == CLI_OK && base)
		code = check_base(x, base, (*out)->machine.arch,
				  (*out)->target.hypervisor);
	return code;
}

static enum cli_exit write_all(const struct explain *x, const struct explanation *e,
			       const struct explanation *base)
{
	struct error err;

	if (x->output && explanation_write(x->output, e, &err)) {
		message_error("%s", err.text);
		return CLI_FAILED;
	}
	if (x->output)
		message_info(x->run.common.quiet, "wrote %s", x->output);
	if (x->svg && flame_write(x->svg, e, base)) {
		message_error("cannot write %s: %m", x->svg);
		return CLI_FAILED;
	}
	if (x->svg)
		message_info(x->run.common.quiet, "wrote %s", x->svg);
	return CLI_OK;
}

/* The output of a format is complete, or the command fails: main() checks its writes. */
static enum cli_exit show_format(const struct explain *x, const struct explanation *e)
{
	int err = x->format->write(stdout, e);

	if (!err || ferror(stdout))
		return CLI_OK;
	message_error("cannot write the %s output: %s", x->format->name, strerror(-err));
	return CLI_FAILED;
}

/* "no instruction is in 'X': did you mean 'Y', 'Z'?" */
static enum cli_exit annotated_nothing(const struct explain *x,
				       const struct explanation *e)
{
	const char **names = calloc(e->n_functions + 1, sizeof(*names));
	char near[NAMES_NEAR_BYTES];

	if (!names)
		abort();
	for (size_t i = 0; i < e->n_functions; i++)
		names[i] = e->functions[i].name;
	names_near(x->annotate, names, e->n_functions, near);
	free(names);
	message_usage("wsbench explain", "--annotate: no instruction is in '%s'%s%s%s",
		      x->annotate, *near ? ": did you mean " : "", near,
		      *near ? "?" : "");
	return CLI_USAGE;
}

static enum cli_exit annotate(const struct explain *x, const struct explanation *e)
{
	struct table_options o;

	table_options_for(&o, stdout);
	if (explain_print_annotated(stdout, e, x->annotate, x->source, &o))
		return CLI_OK;
	return annotated_nothing(x, e);
}

static void show(const struct explain *x, const struct explanation *e,
		 const struct explanation *base)
{
	const struct table_options *o = NULL;
	struct table_options text;

	if (!x->markdown) {
		table_options_for(&text, stdout);
		o = &text;
	}
	if (base)
		explain_print_diff(stdout, base, e, o, x->top);
	else if (x->lines)
		explain_print_lines(stdout, e, x->lines, x->source, o);
	else if (x->tree)
		explain_print_tree(stdout, e, o);
	else
		explain_print_functions(stdout, e, o, x->top);
	if (x->kinds && base)
		explain_print_kinds_diff(stdout, base, e, o);
	else if (x->kinds)
		explain_print_kinds(stdout, e, o);
	if (x->run.touch.wanted && base)
		touch_print_diff(stdout, base, e, o);
	else if (x->run.touch.wanted)
		touch_print(stdout, e, o);
	if (x->estimate)
		estimate_print(stdout, e, &x->weights, o);
}

/* A signal ends the download of a kernel, and the emulator, and then this program. */
static enum cli_exit record_caught(struct explain *x, struct explanation **out)
{
	enum cli_exit code;

	target_catch_signals();
	code = explain_record(x, out);
	interrupt_pass_on();
	return code;
}

int cmd_explain(int argc, char **argv)
{
	struct explanation *e = NULL, *base = NULL;
	const struct target *t;
	struct explain x;
	enum cli_exit code;
	bool go;

	code = explain_parse(&x, argc, argv, &go);
	if (code == CLI_OK && go && x.diff)
		code = read_one(x.diff, &base);
	/* Before a lab runs for minutes. */
	if (code == CLI_OK && base && !x.file) {
		t = names_target(x.run.targets.names[0]);
		code = check_base(&x, base, t->arch == ARCH_X86_64 ? "x86_64" : "aarch64",
				  t->hypervisor);
	}
	if (code == CLI_OK && go)
		code = x.file ? read_file(&x, base, &e) : record_caught(&x, &e);
	if (code == CLI_OK && e)
		code = write_all(&x, e, base);
	if (code == CLI_OK && e && x.format)
		code = show_format(&x, e);
	else if (code == CLI_OK && e && x.annotate)
		code = annotate(&x, e);
	else if (code == CLI_OK && e)
		show(&x, e, base);
	explanation_free(e);
	explanation_free(base);
	explain_free(&x);
	return code;
}
