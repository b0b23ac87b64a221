/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench pmu`: what every access to the PMU does, and the PMU of host and guest.
 * Measures, or reads documents.
 */
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/cli/run.h"
#include "host/lib/table.h"
#include "host/report/pmu_map.h"
#include "host/result/export.h"

/* The default configs of x86_64; the rows of aarch64 have their own. */
#define X86_64_CONFIGS "default,pmu-off,pmc-msr-user"

enum key {
	OPTION_ON = 0x100,
	OPTION_CONFIG,
	OPTION_BOOTS,
	OPTION_JSON,
};

struct pmu_args {
	struct options_common common;
	const char *on, *config;
	struct job machine; /* the options of a lab, and the number of boots */
	bool json;
	int argc;
	char **argv;
	const char **paths;
	size_t n_paths;
	struct result **docs; /* `n_docs` of them */
	size_t n_docs;
};

/* Room for `n` documents. */
static void make_room(struct pmu_args *args, size_t n)
{
	args->docs = calloc(n + 1, sizeof(struct result *));
	args->n_docs = 0;
	if (!args->docs)
		abort();
}

static enum cli_exit read_all(struct pmu_args *args)
{
	struct error err;
	struct result *doc;

	make_room(args, args->n_paths);
	for (size_t i = 0; i < args->n_paths; i++) {
		if (result_read(args->paths[i], &doc, &err)) {
			message_error("%s", err.text);
			return CLI_USAGE;
		}
		args->docs[args->n_docs++] = doc;
	}
	return CLI_OK;
}

/* The map's benchmarks on an architecture, as --bench takes them. The caller frees it. */
static char *benches_of(enum arch arch)
{
	struct pmu_line line;
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (size_t i = 0; pmu_map_line(arch, i, &line); i++) {
		if (line.read_row)
			fprintf(f, "%s%s", ftell(f) ? "," : "", line.read_row);
		if (line.write_row)
			fprintf(f, "%s%s", ftell(f) ? "," : "", line.write_row);
	}
	if (fclose(f))
		abort();
	return text;
}

/* The benchmarks of the map on one target. */
static enum cli_exit prepare(const struct pmu_args *args, const char *name, bool all,
			     struct run *run)
{
	const struct target *t = names_target(name);
	bool ask =
		!args->config && t->arch == ARCH_X86_64 && strcmp(t->ops->kind, "bare");
	const char *configs = ask ? X86_64_CONFIGS : args->config;
	char *benches = benches_of(t->arch);
	enum cli_exit code = CLI_OK;
	struct error why;

	run_init(run);
	run->common = args->common;
	run->all_targets = all;
	run->argc = args->argc;
	run->argv = args->argv;
	run->job.fetch = args->common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	run->job.boots = args->machine.boots;
	run->job.kernel = args->machine.kernel;
	run->job.modules = args->machine.modules;
	run->job.append = args->machine.append;
	run->job.emulator = args->machine.emulator;
	run->job.lab_timeout_s = args->machine.lab_timeout_s;
	if (names_match_targets(name, &run->targets, &why) ||
	    names_match_benches(benches, &run->benches, &why) ||
	    (configs && names_match_configs(configs, &run->configs, &why))) {
		message_usage("wsbench pmu", "%s", why.text);
		code = CLI_USAGE;
	}
	if (code == CLI_OK)
		code = run_complete(run);
	free(benches);
	return code;
}

/* Measures the targets; each has benchmarks of its architecture. */
static enum cli_exit measure(struct pmu_args *args, struct names_list *targets, bool all)
{
	struct run *each = calloc(targets->n + 1, sizeof(*each)), run;
	enum cli_exit code = CLI_OK;
	size_t i, n = 0;

	make_room(args, targets->n);
	if (!each)
		abort();
	while (code == CLI_OK && n < targets->n) {
		code = prepare(args, targets->names[n], all, &each[n]);
		n++;
	}
	if (code == CLI_OK) {
		run = each[0];
		run.targets = *targets;
		run.each = each;
		code = run_measure(&run, args->docs);
	}
	for (i = 0; i < n; i++) {
		run_free(&each[i]);
		if (args->docs[i])
			args->docs[args->n_docs++] = args->docs[i];
	}
	free(each);
	return code;
}

static enum cli_exit measure_all(struct pmu_args *args)
{
	const char *on = args->on ? args->on : "kvm";
	enum cli_exit code = CLI_OK;
	struct names_list targets;
	struct error why;

	if (names_match_targets(on, &targets, &why)) {
		message_usage("wsbench pmu", "%s", why.text);
		return CLI_USAGE;
	}
	for (size_t i = 0; code == CLI_OK && i < targets.n; i++)
		code = run_check_options("wsbench pmu", &args->machine,
					 names_target(targets.names[i]));
	target_catch_signals();
	if (code != CLI_USAGE && targets.n)
		code = measure(args, &targets, names_is_listed(on, "all"));
	names_free(&targets);
	return code;
}

/* Names the first row that failed; the table shows FAIL. */
static enum cli_exit failures(const struct result *doc)
{
	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &doc->benchmarks[i];

		if (b->status != RESULT_FAIL)
			continue;
		message_error("%s: %s [%s]: %s", doc->target.name, b->name, b->config,
			      b->reason ? b->reason : "no reason is given");
		return CLI_FAILED;
	}
	return CLI_OK;
}

static enum cli_exit show(const struct pmu_args *args)
{
	struct json_list *l = args->json ? json_list_new() : NULL;
	enum cli_exit code = CLI_OK, one;
	struct table_options o;
	struct pmu_map map;
	char *text;

	table_options_for(&o, stdout);
	for (size_t i = 0; i < args->n_docs; i++) {
		if (!pmu_map_build(&map, args->docs[i])) {
			message_error("%s: no benchmark pmu_* in this document",
				      args->n_paths ? args->paths[i]
						    : args->docs[i]->target.name);
			code = CLI_USAGE;
			continue;
		}
		one = failures(args->docs[i]);
		code = one > code ? one : code;
		if (l) {
			pmu_map_json(l, &map);
			continue;
		}
		pmu_map_print(stdout, &map, &o);
		pmu_capabilities_print(stdout, &map, &o);
		if (i + 1 < args->n_docs)
			putchar('\n');
	}
	if (l) {
		text = json_list_dump(l);
		fputs(text, stdout);
		free(text);
		json_list_free(l);
	}
	return code;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pmu_args *args = state->input;
	struct job *m = &args->machine;
	uint64_t n;
	error_t err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->machine;
		state->child_inputs[1] = &args->common;
		return 0;
	case OPTION_ON:
		args->on = arg;
		return 0;
	case OPTION_CONFIG:
		args->config = arg;
		return 0;
	case OPTION_BOOTS:
		err = options_number(state, "--boots", arg, 1, 10000, &n);
		m->boots = err ? 0 : (uint32_t)n;
		return err;
	case OPTION_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		args->paths[args->n_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->n_paths &&
		    (args->on || args->config || m->boots || m->kernel || m->modules ||
		     m->append || m->emulator || m->lab_timeout_s))
			return options_error(state,
					     "documents are not measured: only --json "
					     "is allowed with them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static enum cli_exit work(struct pmu_args *args)
{
	enum cli_exit code, shown = CLI_OK;

	code = args->n_paths ? read_all(args) : measure_all(args);
	if (args->n_docs && (code == CLI_OK || !args->n_paths))
		shown = show(args);
	return shown > code ? shown : code;
}

int cmd_pmu(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "on", OPTION_ON, "TARGET,...", 0,
		  "Measure on these targets, as for 'wsbench run' (default: kvm)", 0 },
		{ "config", OPTION_CONFIG, "NAME,...", 0,
		  "Print a column for each of these counter configs (default: on aarch64 "
		  "pmu-off and pmu-emulated; on x86_64 default, pmu-off and pmc-msr-user)",
		  0 },
		{ "boots", OPTION_BOOTS, "N", 0,
		  "Boot N VMs for each access, as for 'wsbench run'", 0 },
		{ "json", OPTION_JSON, NULL, 0, "Print JSON", 0 },
		{ 0 },
	};
	static const struct argp_child children[] = { { &options_lab, 0, OPTIONS_LAB, 0 },
						      { &options_common, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[FILE.json...]",
		.doc = "Prints the vPMU map, the handler and the cost of a read and of a "
		       "write of each PMU register, and the capability table, host "
		       "against guest. Measures, or prints documents with benchmarks "
		       "pmu_*.",
		.children = children,
	};
	struct pmu_args args = { .argc = argc, .argv = argv, .machine.cpu = -1 };
	enum cli_exit code;

	args.paths = calloc((size_t)argc + 1, sizeof(*args.paths));
	if (!args.paths)
		abort();
	if (options_go(&argp, "wsbench pmu", argc, argv, &args, &code)) {
		code = work(&args);
	}
	for (size_t i = 0; i < args.n_docs; i++)
		result_free(args.docs[i]);
	free(args.docs);
	free(args.paths);
	interrupt_pass_on();
	return code;
}
