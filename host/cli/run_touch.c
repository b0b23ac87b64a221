/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run --touch`: the metrics of simulated caches in documents. */
#include "host/cli/run.h"

#include <stdlib.h>

#include "host/cli/explain.h"
#include "host/cli/names.h"
#include "host/explain/trace.h"
#include "host/explain/touch.h"
#include "host/lib/process.h"
#include "host/lib/error.h"

static void add_metric(struct result *r, struct result_benchmark *b,
		       const struct touch_metric *from)
{
	const int64_t sample = (int64_t)from->value;
	struct result_metric *m = result_add_metric(r, b);
	struct result_boot *boot = result_add_boot(r, m);

	m->name = result_string(r, from->name);
	m->unit = from->unit;
	m->better = "lower";
	m->value = from->value;
	m->stat = "simulated";
	m->ci = (struct result_ci){ 1, from->value, from->value, "exact" };
	boot->valid = true;
	if (stats_summarize(&sample, 1, &boot->summary) ||
	    histogram_build(&sample, 1, 7, &boot->histogram))
		abort();
}

/* The explanation of a row of `r`, recorded as the run measured it; NULL: see `code`. */
static struct explanation *record(const struct run *run, const struct result *r,
				  const struct result_benchmark *b, enum cli_exit *code)
{
	struct explanation *e = NULL;
	struct explain x = { .kinds = false };
	struct error why;

	run_init(&x.run);
	x.run.common.quiet = true;
	x.run.touch = run->touch;
	x.run.job.kernel = run->job.kernel;
	x.run.job.modules = run->job.modules;
	x.run.job.append = run->job.append;
	x.run.job.emulator = run->job.emulator;
	x.run.job.timeout_ns = run->job.timeout_ns;
	x.run.job.lab_timeout_s = run->job.lab_timeout_s;
	x.run.job.events = run->job.events;
	*code = CLI_FAILED;
	if (names_match_targets(r->target.name, &x.run.targets, &why) ||
	    names_match_benches(b->name, &x.run.benches, &why) ||
	    names_match_configs(b->config, &x.run.configs, &why))
		message_error("%s", why.text);
	else
		*code = explain_record(&x, &e);
	explain_free(&x);
	return e;
}

/* Why a row is not recorded; NULL: it is. */
static const char *refusal_of(const struct result_benchmark *b)
{
	const struct bench *bench = names_bench(b->name);

	if (!bench || bench->needs & NEEDS_VCPUS_2)
		return "explain follows machines of one CPU";
	return regions_refusal(bench->id);
}

enum cli_exit run_touch(const struct run *run, struct result *r)
{
	struct touch_metric list[TOUCH_METRICS_MAX];
	enum cli_exit worst = CLI_OK;

	for (size_t i = 0; i < r->n_benchmarks && !interrupted; i++) {
		struct result_benchmark *b = &r->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, "round_trip");
		struct explanation *e = NULL;
		enum cli_exit code = CLI_OK;
		const char *why;
		size_t n;

		if (b->status != RESULT_OK || !m)
			continue;
		why = refusal_of(b);
		if (!why) {
			message_info(run->common.quiet, "%s: recording %s, %zu of %zu",
				     r->target.name, b->name, i + 1, r->n_benchmarks);
			e = record(run, r, b, &code);
			why = "the recording failed (messages on stderr)";
		}
		if (e && e->round_trip != m->value)
			why = "the recorded boot has another figure than the row";
		if (!e || e->round_trip != m->value)
			result_warn(r, "touch", "%s [%s]: not simulated: %s", b->name,
				    b->config, why);
		n = e && e->round_trip == m->value ? touch_metrics(e, list) : 0;
		for (size_t k = 0; k < n; k++)
			add_metric(r, b, &list[k]);
		explanation_free(e);
		if (code == CLI_FAILED || code == CLI_USAGE)
			worst = CLI_FAILED;
	}
	return worst;
}
