/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records benchmarks in a lab, and explains their figures by the records. */
#include "host/lib/error.h"
#include "host/cli/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/rows.h"
#include "host/explain/explain.h"
#include "host/explain/trace.h"

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
	/*
	 * Of a QEMU that is forked for each row: without records, but with the switches
	 * of the VMM, which QEMU may translate before it is forked.
	 */
	struct capture server;
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
			.plugin = rec->plugin_api ? rec->server.plugin : NULL,
			.server_file = rec->server.fd,
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

/* A file for records, with its switches. */
static enum cli_exit prepare(const struct recording *rec, struct capture *c,
			     const struct explain_input *in)
{
	struct error err;

	if (!capture_open(c, TRACE_BYTES, in->kinds, rec->plugin_api, &err) &&
	    !explain_switches(c, in, &err))
		return CLI_OK;
	message_error("%s: %s", rec->target->name, err.text);
	return CLI_FAILED;
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
	return prepare(rec, &row->capture, &in);
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
	program = open->ops->program(open, &bytes, &err);
	if (!program) {
		message_error("%s: %s", open->name, err.text);
		return CLI_FAILED;
	}
	if (image_open(&rec->in.vmm, program, bytes)) {
		message_error("the lab's VMM is not an ELF image");
		return CLI_FAILED;
	}
	for (size_t i = 0; i < x->run.benches.n; i++) {
		code = row_open(rec, result_find_bench(x->run.benches.names[i]));
		if (code == CLI_FAILED || code == CLI_USAGE)
			return code;
		worst = code == CLI_OK ? worst : code;
	}
	if (!rec->n)
		return worst;
	if (rec->plugin_api && prepare(rec, &rec->server, &rec->in) != CLI_OK)
		return CLI_FAILED;
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
		.server.fd = -1,
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
	capture_close(&rec.server);
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
