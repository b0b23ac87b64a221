/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench explain: the functions of a benchmark's instructions. */
#include "host/lib/error.h"
#include "host/cli/run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/documents.h"
#include "host/lib/process.h"
#include "host/lib/table.h"
#include "host/explain/explain.h"
#include "host/explain/explain_text.h"
#include "host/explain/touch.h"

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
static enum cli_exit prepare_output(const struct explain *x)
{
	struct error err;
	int rc = 0;

	if (x->output && output_is_folder(x))
		rc = documents_make_folder(x->output, &err);
	else if (x->output)
		rc = documents_check_output(x->output, &err);
	if (!rc && x->svg)
		rc = documents_check_output(x->svg, &err);
	if (!rc)
		return CLI_OK;
	message_error("%s", err.text);
	return CLI_USAGE;
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

	show(x, e, NULL);
	putchar('\n');
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

	code = prepare_output(x);
	if (code != CLI_OK)
		return code;
	target_catch_signals();
	code = x->run.benches.n > 1 ? explain_record_each(x, take_one, x)
				    : explain_record(x, out);
	interrupt_pass_on();
	return code;
}

/* Onto stdout, also if a file could not be written: what was recorded is not lost. */
static enum cli_exit put_out(const struct explain *x, const struct explanation *e,
			     const struct explanation *base)
{
	enum cli_exit written = write_all(x, e, base), code = CLI_OK;

	if (x->format)
		code = show_format(x, e);
	else if (x->annotate)
		code = annotate(x, e);
	else
		show(x, e, base);
	return written != CLI_OK ? written : code;
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
		code = put_out(&x, e, base);
	explanation_free(e);
	explanation_free(base);
	explain_free(&x);
	return code;
}
