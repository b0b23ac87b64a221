/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench run --against`: two configs, whose boots are made in turns and compared in
 * pairs, or two kernels of the labs, whose figures are exact.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/compare.h"
#include "host/cli/run.h"
#include "host/lib/process.h"
#include "host/result/export.h"

static enum cli_exit refuse(const struct run *run, const char *why)
{
	message_usage("wsbench run", "--against %s: %s", run->against.what, why);
	return CLI_USAGE;
}

/* An option that would have no effect, or another one. */
static const char *other_option(const struct run *run)
{
	return run->runs	       ? "--runs"
	       : run->job.pairs	       ? "--aa"
	       : run->save	       ? "--save"
	       : run->touch.wanted     ? "--touch"
	       : run->metrics	       ? "--metrics"
	       : run->stats	       ? "--stats"
	       : run->time_parts       ? "--timing"
	       : run->job.trace_states ? "--trace-states"
				       : NULL;
}

static enum cli_exit check_configs(const struct run *run)
{
	const struct against *a = &run->against;

	if (run->configs.n > 1)
		return refuse(run, "one config can be compared with it (--config A)");
	if (!strcmp(a->config[0], a->config[1]))
		return refuse(
			run,
			"the config of the other side (for a run against itself, see --aa)");
	for (size_t i = 0; i < run->targets.n; i++) {
		const struct target *t = names_target(run->targets.names[i]);

		for (int side = 0; side < 2; side++) {
			if (plan_has_config(t, result_find_config(a->config[side])))
				continue;
			message_usage("wsbench run",
				      "--against %s: %s does not have the config %s",
				      a->what, t->name, a->config[side]);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

static enum cli_exit check_kernels(const struct run *run)
{
	if (run->job.modules)
		return refuse(run,
			      "a kernel, whose modules are beside it: without --modules");
	for (size_t i = 0; i < run->targets.n; i++) {
		const struct target *t = names_target(run->targets.names[i]);
		const char *kind = t->ops->kind;

		if (!strcmp(kind, "kvm"))
			return refuse(
				run,
				"a run on kvm cannot change the kernel of its own machine: boot both in turns, with a run in each boot (reboots.sh start -o DIR --kernels A,B does)");
		if (strcmp(kind, "lab") != 0) {
			message_usage(
				"wsbench run",
				"--against %s: not for target %s: a payload without a kernel below it has no second kernel",
				run->against.what, t->name);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

enum cli_exit run_against_check(struct run *run)
{
	struct against *a = &run->against;
	const char *other = other_option(run);
	struct names_list list;
	struct error why;

	if (!a->what)
		return CLI_OK;
	if (other) {
		message_usage("wsbench run", "--against: without %s", other);
		return CLI_USAGE;
	}
	a->config[0] = run->configs.n ? run->configs.names[0] : "default";
	if (result_find_config(a->what)) {
		a->config[1] = result_find_config(a->what)->name;
		return check_configs(run);
	}
	a->config[0] = NULL;
	if (isdigit((unsigned char)*a->what) || strchr(a->what, '/') ||
	    !access(a->what, F_OK))
		return check_kernels(run);
	if (!names_match_configs(a->what, &list, &why)) {
		names_free(&list);
		return refuse(run, "a pattern; name one config");
	}
	message_usage(
		"wsbench run",
		"--against: %s (a kernel is the path of an image, a release, or a series such as 7.3)",
		why.text);
	return CLI_USAGE;
}

/* What belongs to one config of a run of two. */
static bool is_of(const char *config, const char *side)
{
	return !config || !strcmp(config, side);
}

/*
 * One config of a run of two, as a document of its own. It shares all memory with `r`,
 * except for two lists: side_free() it.
 */
static struct result side_of(struct result *r, const struct against *a, int side)
{
	struct result doc = *r;

	doc.benchmarks = calloc(r->n_benchmarks + 1, sizeof(*doc.benchmarks));
	doc.pmu.sources = calloc(r->pmu.n_sources + 1, sizeof(*doc.pmu.sources));
	if (!doc.benchmarks || !doc.pmu.sources)
		abort();
	doc.n_benchmarks = doc.pmu.n_sources = 0;
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (is_of(r->benchmarks[i].config, a->config[side]))
			doc.benchmarks[doc.n_benchmarks++] = r->benchmarks[i];
	for (size_t i = 0; i < r->pmu.n_sources; i++)
		if (is_of(r->pmu.sources[i].config, a->config[side]))
			doc.pmu.sources[doc.pmu.n_sources++] = r->pmu.sources[i];
	doc.run.pair =
		(struct result_pair){ r->run.id, side ? "new" : "base", a->config[side] };
	if (side)
		doc.run.id = result_format(r, "%s-new", r->run.id);
	return doc;
}

static void side_free(struct result *doc)
{
	free(doc->benchmarks);
	free(doc->pmu.sources);
}

/* Writes a document to the folder of its side. */
static enum cli_exit write_side(const struct run *run, const struct result *r)
{
	struct run own = *run;
	enum cli_exit code;
	char *folder;

	if (asprintf(&folder, "%s/%s", run->output, r->run.pair.side) < 0)
		abort();
	own.output = folder;
	code = run_write(&own, r);
	free(folder);
	return code;
}

static const struct result *of_target(const struct run *run, struct result *const *docs,
				      const char *target)
{
	for (size_t i = 0; docs && i < run->targets.n; i++)
		if (docs[i] && !strcmp(docs[i]->target.name, target))
			return docs[i];
	return NULL;
}

enum cli_exit run_against_ended(const struct run *run, struct result *r)
{
	const struct against *a = &run->against;
	const struct result *base = of_target(run, a->base, r->target.name);
	enum cli_exit code = CLI_OK;

	if (!a->config[0]) {
		r->run.pair = (struct result_pair){
			.id = result_string(r, base ? base->run.id : r->run.id),
			.side = a->base ? "new" : "base",
		};
		return run->output ? write_side(run, r) : CLI_OK;
	}
	for (int side = 0; run->output && side < 2; side++) {
		struct result doc = side_of(r, a, side);
		enum cli_exit one = write_side(run, &doc);

		code = gate_gravest(code, one);
		side_free(&doc);
	}
	return code;
}

static enum cli_exit compare_two(const struct run *run, const struct result *base,
				 const struct result *new)
{
	const struct against *a = &run->against;
	const char *kernel = run->job.kernel ? run->job.kernel : "the default kernel";
	const struct compare_names names = { a->config[0] ? a->config[0] : kernel,
					     a->what };
	const struct compare_options o = { .n_benches = 0 };
	const struct gate gate = { 0 };
	enum cli_exit code;
	struct compare c;
	struct error err;

	if (compare_documents(base, new, &o, &c, &err)) {
		message_error("%s: %s", base->target.name, err.text);
		return CLI_FAILED;
	}
	if (run->json) {
		struct json_list *l = compare_json(&c, &names);
		char *text = json_list_dump(l);

		fputs(text, stdout);
		free(text);
		json_list_free(l);
	} else {
		compare_print(stdout, &c, &names, true);
	}
	code = gate_exit(&gate, &c);
	compare_free(&c);
	return code;
}

/* The document of one config, in two sides. */
static enum cli_exit compare_configs(const struct run *run, struct result *r)
{
	struct result base = side_of(r, &run->against, 0),
		      new = side_of(r, &run->against, 1);
	enum cli_exit code = compare_two(run, &base, &new);

	side_free(&base);
	side_free(&new);
	return code;
}

/* Both kernels are found, or fetched, before the first is measured. */
static enum cli_exit probe_kernels(const struct run *run)
{
	const char *kernels[] = { run->job.kernel, run->against.what };

	for (size_t i = 0; i < 2 * run->targets.n; i++) {
		struct target t = *names_target(run->targets.names[i / 2]);
		struct job job = run->job;
		struct error err = { "" };
		int rc;

		job.kernel = kernels[i % 2];
		rc = t.ops->probe(&t, &job, &err);
		if (!rc)
			continue;
		if (i % 2)
			message_error("%s: --against %s: %s", t.name, job.kernel,
				      err.text);
		else
			message_error("%s: %s", t.name, err.text);
		return rc == -ENOEXEC ? CLI_USAGE : CLI_FAILED;
	}
	return CLI_OK;
}

static bool has_document(struct result *const *docs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (docs[i])
			return true;
	return false;
}

/* The comparison of a target, or, without a second side, the table of the first. */
static enum cli_exit print_target(const struct run *run, struct result *base,
				  struct result *new)
{
	if (run->against.config[0])
		return compare_configs(run, base);
	if (base && new)
		return compare_two(run, base, new);
	run_print(run, base ? base : new);
	return CLI_OK;
}

enum cli_exit run_against(struct run *run)
{
	struct against *a = &run->against;
	size_t n = run->targets.n;
	struct result **docs[2] = { calloc(n + 1, sizeof(*docs[0])),
				    calloc(n + 1, sizeof(*docs[1])) };
	enum cli_exit code = CLI_OK;
	bool printed = false;

	if (!docs[0] || !docs[1])
		abort();
	if (a->config[0]) {
		run->job.configs = a->config;
		run->job.n_configs = 2;
	} else {
		code = probe_kernels(run);
	}
	if (code == CLI_OK)
		code = run_measure(run, docs[0]);
	/* A failed row or target of the base leaves others to compare. */
	if (!a->config[0] && !interrupted && has_document(docs[0], n)) {
		struct run other = *run;

		other.job.kernel = a->what;
		other.against.base = docs[0];
		code = gate_gravest(code, run_measure(&other, docs[1]));
	}
	for (size_t i = 0; i < n; i++) {
		if (!docs[0][i] && !docs[1][i])
			continue;
		if (printed)
			putchar('\n');
		printed = true;
		code = gate_gravest(code, print_target(run, docs[0][i], docs[1][i]));
	}
	for (size_t i = 0; i < n; i++) {
		result_free(docs[0][i]);
		result_free(docs[1][i]);
	}
	free(docs[0]);
	free(docs[1]);
	return code;
}
