/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench explain`: records a benchmark in a lab and shows the functions of its
 * instructions.
 */
#include "host/lib/error.h"
#include "host/cli/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/documents.h"
#include "host/lib/process.h"
#include "host/lib/table.h"
#include "host/targets/rows.h"
#include "host/explain/explain.h"
#include "host/explain/trace.h"
#include "host/explain/explain_text.h"
#include "host/explain/touch.h"

/*
 * The maximum size of a trace: about 250 million instructions. Memory is allocated as
 * it is written.
 */
#define TRACE_BYTES (1ull << 30)

/* A benchmark while it is recorded. */
struct recorded {
	const struct bench *bench;
	struct image payload;
	struct capture capture;
	char *kallsyms;
	size_t kallsyms_bytes;
	struct explanation *e; /* described when the run has ended; NULL: `code` */
	enum cli_exit code;    /* after a message */
};

struct recording {
	const struct explain *x;
	const struct target *target;
	struct explain_input in; /* what all benchmarks have in common */
	unsigned int plugin_api;
	struct recorded *rows;
	size_t n;
};

static struct recorded *find_row(const struct recording *rec, const char *id)
{
	for (size_t i = 0; i < rec->n; i++)
		if (!strcmp(rec->rows[i].bench->id, id))
			return &rec->rows[i];
	return NULL;
}

/* Readings of the PMU have a boot, and are not a benchmark. */
static int file_of(void *ctx, const struct boot_request *rq)
{
	const struct recorded *row = find_row(ctx, rq->bench->id);

	return row ? row->capture.fd : -1;
}

static int keep_symbols(void *ctx, const struct boot_request *rq, const char *text,
			size_t bytes)
{
	struct recorded *row = find_row(ctx, rq->bench->id);

	free(row->kallsyms);
	row->kallsyms = malloc(bytes + 1);
	if (!row->kallsyms)
		return -ENOMEM;
	memcpy(row->kallsyms, text, bytes);
	row->kallsyms[bytes] = '\0';
	row->kallsyms_bytes = bytes;
	return 0;
}

/* A row that is left out, or fails, does not end a command that explains several. */
static enum cli_exit refuse(const struct recording *rec, enum cli_exit code,
			    const char *text)
{
	if (rec->x->run.benches.n > 1 && code == CLI_UNTRUSTED)
		message_info(rec->x->run.common.quiet, "%s", text);
	else
		message_error("%s", text);
	return code;
}

/* Explains the figure of a measured row by its records. */
static enum cli_exit build(const struct recording *rec, struct recorded *row,
			   const struct result *r, const struct result_benchmark *b)
{
	const struct result_metric *m = result_find_metric(b, "round_trip");
	struct explain_input in = rec->in;
	struct error err = { "" };
	int rc;

	if (b->status != RESULT_OK || !m) {
		error_set(&err, 0, "%s: %s", b->name,
			  b->reason ? b->reason : "it has no figure");
		return refuse(rec, b->status == RESULT_SKIP ? CLI_UNTRUSTED : CLI_FAILED,
			      err.text);
	}
	in.benchmark = row->bench->id;
	in.round_trip = m->value;
	in.payload = row->payload;
	in.kallsyms = row->kallsyms;
	in.kallsyms_bytes = row->kallsyms_bytes;
	row->e = explanation_new();
	row->e->benchmark = explanation_string(row->e, b->name);
	row->e->config = explanation_string(row->e, b->config);
	explanation_describe(row->e, r);
	rc = explain_build(&row->capture, &in, row->e, &err);
	if (!rc)
		return CLI_OK;
	explanation_free(row->e);
	row->e = NULL;
	return refuse(rec,
		      rc == -ENOEXEC			 ? CLI_USAGE
		      : rc == -ENOTSUP || rc == -ENODATA ? CLI_UNTRUSTED
							 : CLI_FAILED,
		      err.text);
}

static void row_close(struct recorded *row)
{
	capture_close(&row->capture);
	free(row->kallsyms);
	row->kallsyms = NULL;
}

/* The memory of the records is free before those of all other rows are there. */
static void row_measured(void *ctx, const struct result *r,
			 const struct result_benchmark *b)
{
	struct recording *rec = ctx;
	struct recorded *row = find_row(rec, b->name);

	row->code = build(rec, row, r, b);
	row_close(row);
}

/* Runs the benchmarks in an emulator that records, and explains them. */
static enum cli_exit run_traced(struct recording *rec, struct explain *x)
{
	const struct run_trace trace = {
		.trace = {
			.ctx = rec,
			.plugin = rec->plugin_api ? rec->rows[0].capture.plugin : NULL,
			.file = file_of,
			.symbols = keep_symbols,
		},
		.row = row_measured,
	};
	struct run *run = &x->run;
	struct result *doc = NULL;
	const char **benches = calloc(rec->n, sizeof(*benches));
	enum cli_exit code;

	if (!benches)
		abort();
	for (size_t i = 0; i < rec->n; i++)
		benches[i] = rec->rows[i].bench->id;
	run->job.benches = benches;
	run->job.n_benches = rec->n;
	run->job.configs = run->configs.names;
	run->job.n_configs = run->configs.n;
	run->job.one_config = true;
	/* The first boot is the one whose figure a run reports. */
	run->job.boots = 1;
	run->trace = &trace;
	code = run_target(run, rec->target, &doc);
	run->trace = NULL;
	for (size_t i = 0; i < rec->n; i++)
		if (rec->rows[i].e)
			explanation_describe(rec->rows[i].e, doc);
	run->job.benches = NULL;
	free(benches);
	result_free(doc);
	return code;
}

/* Adds a row, with the image that will run, unless it is refused. */
static enum cli_exit row_open(struct recording *rec, const struct bench *bench)
{
	const struct target *t = rec->target;
	const char *refusal = row_refusal(bench);
	struct recorded *row = &rec->rows[rec->n];
	struct explain_input in = rec->in;
	struct error err;
	const void *data;
	size_t bytes;

	if (refusal) {
		error_set(&err, 0, "%s cannot be explained: %s", bench->id, refusal);
		return refuse(rec, CLI_UNTRUSTED, err.text);
	}
	*row = (struct recorded){ .bench = bench, .capture.fd = -1 };
	data = payload_find(t->arch, payload_of(bench, t->arch), &bytes);
	if (!data || image_open(&row->payload, data, bytes)) {
		/* Of several, those that the target has. */
		if (rec->x->run.benches.n > 1)
			return CLI_OK;
		message_error("%s does not exist on %s", bench->id, t->name);
		return CLI_USAGE;
	}
	rec->n++;
	in.payload = row->payload;
	if (!capture_open(&row->capture, TRACE_BYTES, in.kinds, rec->plugin_api, &err) &&
	    !explain_switches(&row->capture, &in, &err))
		return CLI_OK;
	message_error("%s: %s", t->name, err.text);
	return CLI_FAILED;
}

/* With the target open, which knows the emulator and the VMM. */
static enum cli_exit record(struct recording *rec, struct explain *x,
			    const struct target *open)
{
	enum cli_exit code = CLI_OK, worst = CLI_OK;
	struct error err = { "" };
	const void *program;
	size_t bytes;

	if (open->ops->tracer(open, &rec->plugin_api, &rec->in.l1, &err)) {
		message_error("%s: %s", open->name, err.text);
		return CLI_FAILED;
	}
	program = open->ops->program(open, &bytes);
	if (image_open(&rec->in.vmm, program, bytes)) {
		message_error("the lab's VMM is not an ELF image");
		return CLI_FAILED;
	}
	for (size_t i = 0; i < x->run.benches.n; i++) {
		code = row_open(rec, names_bench(x->run.benches.names[i]));
		if (code == CLI_FAILED || code == CLI_USAGE)
			return code;
		worst = code == CLI_OK ? worst : code;
	}
	if (!rec->n)
		return worst;
	code = run_traced(rec, x);
	for (size_t i = 0; i < rec->n && code == CLI_OK; i++)
		if (rec->rows[i].code != CLI_OK && worst != CLI_FAILED)
			worst = rec->rows[i].code;
	return code == CLI_OK ? worst : code;
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

enum cli_exit explain_record_each(struct explain *x,
				  enum cli_exit (*take)(void *ctx, struct explanation *e),
				  void *ctx)
{
	const struct target *row = names_target(x->run.targets.names[0]);
	const bool touch = x->run.touch.wanted || x->estimate;
	struct recording rec = {
		.x = x,
		.target = row,
		.in = { .arch = row->arch,
			.kinds = x->kinds || touch,
			.touch = touch ? &x->run.touch.caches : NULL,
			.timeline = x->format && x->format->needs_timeline },
	};
	struct target t = *row;
	struct error why = { "" };
	enum cli_exit code, taken;
	size_t explained = 0;
	int rc;

	code = open_debuginfo(x, row->arch, &rec.in.debuginfo);
	if (code != CLI_OK)
		return code;
	rc = t.ops->open(&t, &x->run.job, &why);
	if (rc) {
		message_error("%s: %s", t.name, why.text);
		t.ops->close(&t);
		debuginfo_free(rec.in.debuginfo);
		return rc == -ENOEXEC ? CLI_USAGE : CLI_FAILED;
	}
	rec.rows = calloc(x->run.benches.n, sizeof(*rec.rows));
	if (!rec.rows)
		abort();
	code = record(&rec, x, &t);
	for (size_t i = 0; i < rec.n; i++) {
		row_close(&rec.rows[i]);
		if (!rec.rows[i].e)
			continue;
		explained++;
		taken = take(ctx, rec.rows[i].e);
		if (taken != CLI_OK)
			code = taken;
	}
	/* Several, of which some cannot be explained. */
	if (code == CLI_UNTRUSTED && explained)
		code = CLI_OK;
	free(rec.rows);
	t.ops->close(&t);
	debuginfo_free(rec.in.debuginfo);
	return code;
}

static enum cli_exit keep(void *ctx, struct explanation *e)
{
	*(struct explanation **)ctx = e;
	return CLI_OK;
}

enum cli_exit explain_record(struct explain *x, struct explanation **out)
{
	*out = NULL;
	return explain_record_each(x, keep, out);
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

/* As for `wsbench run`: it exists, ends in '/', or there are several benchmarks. */
static bool output_is_folder(const struct explain *x)
{
	size_t length = strlen(x->output);
	struct stat st;

	if (!stat(x->output, &st))
		return S_ISDIR(st.st_mode) || x->run.benches.n > 1;
	return x->run.benches.n > 1 || (length && x->output[length - 1] == '/');
}

/* Before a lab runs for minutes. */
static enum cli_exit make_folder(const struct explain *x)
{
	struct error err;

	if (!x->output || !output_is_folder(x) || !documents_make_folder(x->output, &err))
		return CLI_OK;
	message_error("%s", err.text);
	return CLI_FAILED;
}

static enum cli_exit write_document(const struct explain *x, const struct explanation *e)
{
	char path[PATH_MAX];
	struct error err;

	if (!x->output)
		return CLI_OK;
	if (output_is_folder(x))
		snprintf(path, sizeof(path), "%s%s%s.json", x->output,
			 x->output[strlen(x->output) - 1] == '/' ? "" : "/",
			 e->benchmark);
	else
		snprintf(path, sizeof(path), "%s", x->output);
	if (explanation_write(path, e, &err)) {
		message_error("%s", err.text);
		return CLI_FAILED;
	}
	message_info(x->run.common.quiet, "wrote %s", path);
	return CLI_OK;
}

static enum cli_exit write_all(const struct explain *x, const struct explanation *e,
			       const struct explanation *base)
{
	if (write_document(x, e) != CLI_OK)
		return CLI_FAILED;
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

/* One of several explanations: into the folder of -o, and onto stdout. */
static enum cli_exit take_one(void *ctx, struct explanation *e)
{
	const struct explain *x = ctx;
	enum cli_exit code = write_document(x, e);

	if (code == CLI_OK) {
		show(x, e, NULL);
		putchar('\n');
	}
	explanation_free(e);
	return code;
}

/*
 * A signal ends the download of a kernel, and the emulator, and then this program. `*out`
 * stays NULL if there are several benchmarks.
 */
static enum cli_exit record_caught(struct explain *x, struct explanation **out)
{
	enum cli_exit code;

	code = make_folder(x);
	if (code != CLI_OK)
		return code;
	target_catch_signals();
	code = x->run.benches.n > 1 ? explain_record_each(x, take_one, x)
				    : explain_record(x, out);
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
