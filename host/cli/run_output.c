/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `wsbench run` leaves: the files of -o and of --save, the tables on stdout, and
 * that of --timing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/documents.h"
#include "host/cli/run.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/lib/table.h"
#include "host/report/run_table.h"
#include "host/targets/target.h"

/* Whether -o names a folder: it exists, ends in '/', or there are several targets. */
static bool output_is_folder(const struct run *run)
{
	size_t length = strlen(run->output);
	struct stat st;

	if (!stat(run->output, &st))
		return S_ISDIR(st.st_mode);
	return run->targets.n > 1 || run->runs > 1 || run->resume || run->against.what ||
	       (length && run->output[length - 1] == '/');
}

static bool is_json_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".json");
}

/* What does not fit in one file; NULL: one document. */
static const char *needs_folder(const struct run *run)
{
	return run->against.what    ? "the two sides of --against"
	       : run->resume	    ? "the runs of --resume"
	       : run->runs > 1	    ? "several runs"
	       : run->targets.n > 1 ? "several targets"
				    : NULL;
}

static enum cli_exit prepare_folder(const char *folder)
{
	struct error err;

	if (documents_make_folder(folder, &err)) {
		message_error("%s", err.text);
		return CLI_USAGE;
	}
	if (!documents_folder_is_writable(folder)) {
		message_error("cannot write to folder %s: %m", folder);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* The folders of the two sides of --against. */
static enum cli_exit prepare_sides(const char *output)
{
	static const char *const sides[] = { "base", "new" };
	enum cli_exit code = CLI_OK;

	for (size_t i = 0; i < 2 && code == CLI_OK; i++) {
		char *folder;

		if (asprintf(&folder, "%s/%s", output, sides[i]) < 0)
			abort();
		code = prepare_folder(folder);
		free(folder);
	}
	return code;
}

enum cli_exit run_prepare_output(const struct run *run)
{
	const char *needs = needs_folder(run);
	enum cli_exit code = CLI_OK;
	struct error err;

	if (!run->output)
		return CLI_OK;
	if (!*run->output) {
		message_error("%s", run->resume ? "--resume needs a folder"
						: "-o needs a file or a folder");
		return CLI_USAGE;
	}
	if (needs && is_json_name(run->output)) {
		message_error("%s names a file: %s need a folder", run->output, needs);
		return CLI_USAGE;
	}
	if (output_is_folder(run)) {
		code = prepare_folder(run->output);
		if (code == CLI_OK && run->against.what)
			code = prepare_sides(run->output);
		return code;
	}
	if (needs) {
		message_error("%s is a file: %s need a folder", run->output, needs);
		return CLI_USAGE;
	}
	if (documents_check_output(run->output, &err)) {
		message_error("%s", err.text);
		code = CLI_USAGE;
	}
	return code;
}

enum cli_exit run_failures(const struct result *r)
{
	size_t i;

	for (i = 0; i < r->n_benchmarks; i++)
		if (r->benchmarks[i].status == RESULT_FAIL)
			return CLI_FAILED;
	return CLI_OK;
}

/* "kvm-2.json" of "kvm.json", which is freed. */
static char *number_path(char *path, uint32_t which)
{
	char *numbered;

	if (!is_json_name(path) ||
	    asprintf(&numbered, "%.*s-%u.json", (int)(strlen(path) - strlen(".json")),
		     path, which) < 0)
		abort();
	free(path);
	return numbered;
}

char *run_path(const char *folder, const char *target, uint32_t which)
{
	const struct result r = { .target = { .name = target } };

	return number_path(documents_path(folder, &r), which);
}

static bool is_complete(const char *path)
{
	struct result *old;
	struct error err;
	bool complete;

	if (result_read(path, &old, &err))
		return false;
	complete = !old->run.partial;
	result_free(old);
	return complete;
}

/* A complete document is not replaced by what an interrupted run has: "kvm.json.partial".
 */
static char *keep_complete(char *path, const struct result *r)
{
	char *other;

	if (!interrupted || !r->run.partial || !is_complete(path))
		return path;
	if (asprintf(&other, "%s.partial", path) < 0)
		abort();
	message_warn("%s is a complete document of another run and is not replaced",
		     path);
	free(path);
	return other;
}

enum cli_exit run_write(const struct run *run, const struct result *r)
{
	struct error err;
	char *path = output_is_folder(run) ? documents_path(run->output, r)
					   : strdup(run->output);
	int rc;

	if (run->resume && run_resume_fits(run, r, &err)) {
		message_error("%s: the new run %u is not one of these: %s", run->resume,
			      run->which, err.text);
		free(path);
		return CLI_FAILED;
	}
	if (path && (run->runs > 1 || run->resume))
		path = number_path(path, run->which);
	if (!path)
		abort();
	path = keep_complete(path, r);
	rc = result_write(path, r, &err);
	if (rc)
		message_error("%s", err.text);
	else
		message_info(run->common.quiet, "wrote %s", path);
	free(path);
	return rc ? CLI_FAILED : CLI_OK;
}

enum cli_exit run_save_baseline(const struct run *run, const struct result *r)
{
	struct error err;

	if (r->run.partial || run_failures(r) != CLI_OK) {
		message_warn(
			"%s is not saved in the baseline %s: the run is not complete",
			r->target.name, run->save);
		return CLI_OK;
	}
	if (!baseline_save(run->save, r, &err)) {
		message_info(run->common.quiet, "saved %s in the baseline %s",
			     r->target.name, run->save);
		return CLI_OK;
	}
	message_error("%s", err.text);
	return CLI_FAILED;
}

static void print_document(const struct result *r)
{
	char *text = result_dump(r);

	fputs(text, stdout);
	free(text);
}

void run_print(const struct run *run, const struct result *r)
{
	struct table_options o;

	table_options_for(&o, stdout);
	if (run->json)
		print_document(r);
	else
		run_table_print(stdout, &r, 1, &o, !run->common.quiet);
}

enum cli_exit run_print_tables(const struct run *run, const struct result *const *docs,
			       size_t n)
{
	struct table_options o;

	if (run->json) {
		print_document(docs[0]);
		return CLI_OK;
	}
	table_options_for(&o, stdout);
	run_table_print(stdout, docs, n, &o, !run->common.quiet);
	for (size_t i = 0; run->metrics && i < n; i++)
		run_metrics_print(stdout, docs[i], &o);
	for (size_t i = 0; run->stats && i < n; i++)
		run_statistics_print(stdout, docs[i], &o);
	return run->job.pairs ? run_print_aa(docs, n) : CLI_OK;
}

/* ------------------------------ --timing ------------------------------ */

static const char *const timing_names[TIMING_PARTS] = {
	[TIMING_OPEN] = "files: kernel, modules, program, initramfs",
	[TIMING_START] = "start of the emulator",
	[TIMING_BOOT] = "boot of the machine",
	[TIMING_SNAPSHOT] = "snapshot of the machine",
	[TIMING_LOAD] = "load of the saved machine",
	[TIMING_DESCRIBE] = "description of the machine",
	[TIMING_CLONE] = "start and end of clones",
	[TIMING_ROWS] = "rows",
	[TIMING_ANALYSIS] = "analysis",
	[TIMING_WRITE] = "document",
};

static void fill_seconds(struct table *t, uint64_t n, uint64_t wall_ns, uint64_t cpu_ns)
{
	if (n)
		table_cell(t, 1, "%llu", (unsigned long long)n);
	table_cell(t, 2, "%.3f", (double)wall_ns / 1e9);
	table_cell(t, 3, "%.3f", (double)cpu_ns / 1e9);
}

/* The stages of a boot, in 10^6 instructions. */
static void fill_boot(struct table *t, const struct timing_boot *b)
{
	const struct {
		const char *name;
		uint64_t from, to;
	} stages[] = {
		{ "  firmware, kernel before its clock", 0, b->kernel_clock },
		{ "  kernel", b->kernel_clock, b->init },
		{ "  init and modules, to KVM", b->init, b->kvm },
		{ "  init, to the first job", b->kvm > b->init ? b->kvm : b->init,
		  b->ready },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		if (stages[i].to <= stages[i].from)
			continue; /* a kernel with KVM built in */
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%s", stages[i].name);
		table_cell(t, 4, "%.1f", (double)(stages[i].to - stages[i].from) / 1e6);
	}
}

void run_timing_print(FILE *f, const char *target, const struct timing *timing,
		      uint64_t whole_ns, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "part", TABLE_KEY, 0, NULL },
		{ "n", TABLE_RIGHT, 0, NULL },
		{ "wall, s", TABLE_RIGHT, 0, NULL },
		{ "CPU, s", TABLE_RIGHT, 0, NULL },
		{ "10^6 insns", TABLE_RIGHT, 0, NULL },
	};
	uint64_t wall_ns = 0, cpu_ns = 0;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < TIMING_PARTS; i++) {
		const struct timing_sum *s = &timing->sums[i];

		/* The machine knows of its boot. */
		bool saved = i == TIMING_BOOT && !s->n && timing->boot.known;

		if (!s->n && !saved)
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s%s", timing_names[i],
			   saved ? " (in an earlier run)" : "");
		if (!saved)
			fill_seconds(&t, s->n, s->wall_ns, s->cpu_ns);
		if (i == TIMING_BOOT && timing->boot.known)
			fill_boot(&t, &timing->boot);
		wall_ns += s->wall_ns;
		cpu_ns += s->cpu_ns;
	}
	table_row(&t, TABLE_PLAIN);
	table_cell(&t, 0, "sum");
	fill_seconds(&t, 0, wall_ns, cpu_ns);
	fprintf(f, "\nTiming, %s: %.3f s\n\n", target, (double)whole_ns / 1e9);
	table_print(f, &t, o);
	table_free(&t);
}
