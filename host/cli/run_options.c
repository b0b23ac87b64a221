/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `wsbench run`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host/lib/error.h"
#include "host/cli/documents.h"
#include "host/cli/run.h"

enum key {
	OPTION_ON = 0x100,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_BOOTS,
	OPTION_RUNS,
	OPTION_AGAINST,
	OPTION_RESUME,
	OPTION_ANY_KERNEL,
	OPTION_ANY_TOOL,
	OPTION_JOBS,
	OPTION_DECIDE,
	OPTION_BUDGET,
	OPTION_EVENTS,
	OPTION_CPU,
	OPTION_VCPUS,
	OPTION_VMS,
	OPTION_SEED,
	OPTION_TIMEOUT,
	OPTION_LABEL,
	OPTION_COMMIT,
	OPTION_PAYLOAD,
	OPTION_AA,
	OPTION_STATS,
	OPTION_METRICS,
	OPTION_TIMING,
	OPTION_JSON,
	OPTION_SAVE,
	OPTION_TRACE_STATES,
	OPTION_HOST_COUNTERS,
};

static const struct argp_option options[] = {
	{ "on", OPTION_ON, "TARGET,...", 0,
	  "Measure on these targets: names of 'wsbench list targets', globs, or "
	  "'all' for every target that can run here, except for those that must "
	  "be named in full (default: kvm)",
	  0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Measure these benchmarks: names of 'wsbench list benchmarks', globs, or "
	  "'core' for the core benchmarks (default: all)",
	  0 },
	{ "config", OPTION_CONFIG, "NAME,...", 0,
	  "Run each benchmark under these counter configs, with the boots "
	  "interleaved (default: the configs of the benchmark)",
	  0 },
	{ "boots", OPTION_BOOTS, "N", 0,
	  "Boot N VMs for each benchmark and config. On noisy targets, rejected boots are "
	  "repeated, in at most N further rounds",
	  0 },
	{ "decide", OPTION_DECIDE, "PERCENT", 0,
	  "On noisy targets, boot until a comparison decides changes of PERCENT of every "
	  "benchmark (for example 2%), or until --budget is spent (default then: 10m)",
	  0 },
	{ "budget", OPTION_BUDGET, "TIME", 0,
	  "On noisy targets, boot for TIME (300s, 5m, 1h); with --decide, at most", 0 },
	{ "runs", OPTION_RUNS, "N", 0,
	  "Measure N times, a document each, in the folder of -o: TARGET-1.json, ... Several "
	  "runs of two kernels are compared by 'wsbench compare --base DIR --new DIR'",
	  0 },
	{ "resume", OPTION_RESUME, "DIR", 0,
	  "With --runs N: make those of the N runs that the folder DIR lacks, as after an "
	  "interruption or a reboot. The runs in DIR must be of the same job (targets, rows, "
	  "boots, kernel, label) and this program, and on kvm of this machine and its running "
	  "kernel. A run that failed is made again",
	  0 },
	{ "any-kernel", OPTION_ANY_KERNEL, NULL, 0,
	  "With --resume: go on on kvm although the runs in the folder are of another kernel",
	  0 },
	{ "any-tool", OPTION_ANY_TOOL, NULL, 0,
	  "With --resume: go on although another version of this program made the runs in the "
	  "folder",
	  0 },
	{ "against", OPTION_AGAINST, "CONFIG|KERNEL", 0,
	  "Compare with this config, or in labs with this kernel, in one command: the base is "
	  "that of --config (default: default) or --kernel. Boots of two configs are made in "
	  "turns and compared in pairs (on kvm 20 pairs of each benchmark, unless --boots, "
	  "--decide or --budget is given), which finds smaller differences than two runs. "
	  "Prints the comparison, with the exit code of 'wsbench compare'; -o DIR receives "
	  "DIR/base and DIR/new",
	  0 },
	{ "jobs", OPTION_JOBS, "N", 0,
	  "Measure N exact targets at a time, which changes none of their figures; kvm is "
	  "measured before them, alone (default: the number of processors; 1: all targets "
	  "in turn)",
	  0 },
	{ "events", OPTION_EVENTS, "N", 0,
	  "Time N events per boot; at a scale on each vCPU, all together at most 65536",
	  0 },
	{ "cpu", OPTION_CPU, "N", 0, "Pin the vCPU thread to CPU N (target kvm)", 0 },
	{ "vcpus", OPTION_VCPUS, "N,...", 0,
	  "Run each benchmark on N vCPUs of one VM at the same time, for each N (1 to 16), as "
	  "configs NAME@vcpus=N: the cost on each vCPU, and with 1 among them or among those of "
	  "--vms the efficiency. "
	  "On kvm, and on labs with N CPUs; benchmarks that cannot are skipped",
	  0 },
	{ "vms", OPTION_VMS, "N,...", 0, "As --vcpus, in N VMs of one vCPU", 0 },
	{ "seed", OPTION_SEED, "N", 0,
	  "Set the seed of the order of the boots (default: random; 0 on exact "
	  "targets)",
	  0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0,
	  "Give up on a boot after this time (labs: a second is 50 million instructions)",
	  0 },
	{ "label", OPTION_LABEL, "TEXT", 0,
	  "Store TEXT in the document, as a name of the measured kernel", 0 },
	{ "commit", OPTION_COMMIT, "ID", 0,
	  "Store ID in the document, as the commit of the measured kernel", 0 },
	{ "payload", OPTION_PAYLOAD, "ELF", 0,
	  "Run this image instead of the built-in payloads (see bench/abi.h)", 0 },
	{ "aa", OPTION_AA, NULL, 0,
	  "Measure everything twice, boots side by side, and print the smallest "
	  "difference that this machine can resolve",
	  0 },
	{ "stats", OPTION_STATS, NULL, 0,
	  "Print the counts of the VMM's run loop after the table", 0 },
	{ "metrics", OPTION_METRICS, NULL, 0,
	  "Print every metric after the table: both timing modes, the twin, and "
	  "what the guest's PMC counted of a round trip",
	  0 },
	{ "timing", OPTION_TIMING, NULL, 0,
	  "Print where the time of the run went after the table: files, emulator, boot, rows, "
	  "analysis; wall and CPU time",
	  0 },
	{ "json", OPTION_JSON, NULL, 0,
	  "Print the result document instead of the table (with --against, the comparison); "
	  "one target",
	  0 },
	{ "trace-states", OPTION_TRACE_STATES, NULL, 0,
	  "Print the state transitions of the run loop after each boot (target kvm)", 0 },
	{ "host-counters", OPTION_HOST_COUNTERS, NULL, 0,
	  "Count cycles and instructions of guest and host on the vCPU thread, into "
	  "the document; exits and entries become longer",
	  0 },
	{ "save", OPTION_SAVE, "NAME", 0,
	  "Keep the documents as the baseline NAME, for 'wsbench compare --base NAME'",
	  0 },
	{ "output", 'o', "FILE|DIR", 0,
	  "Write the result document to FILE; several targets need a folder", 0 },
	{ 0 }
};

static error_t number32(const struct argp_state *state, const char *name, const char *arg,
			uint64_t max, uint32_t *out)
{
	uint64_t n;
	error_t err = options_number(state, name, arg, 1, max, &n);

	if (!err)
		*out = (uint32_t)n;
	return err;
}

static error_t parse_number(int key, const char *arg, struct argp_state *state,
			    struct job *job)
{
	uint64_t n;
	error_t err;

	switch (key) {
	case OPTION_BOOTS:
		return number32(state, "--boots", arg, 10000, &job->boots);
	case OPTION_EVENTS:
		return number32(state, "--events", arg, ABI_SERIES_MAX, &job->events);
	case OPTION_SEED:
		job->seed_given = true;
		return options_number(state, "--seed", arg, 0, INT64_MAX, &job->seed);
	case OPTION_CPU:
		err = options_number(state, "--cpu", arg, 0, 4095, &n);
		job->cpu = (int)n;
		return err;
	default: /* OPTION_TIMEOUT */
		err = options_number(state, "--timeout", arg, 1, 86400, &n);
		job->timeout_ns = n * 1000000000u;
		return err;
	}
}

/* "2%": more than the band, which no comparison sees. */
static error_t parse_decide(const struct argp_state *state, const char *arg,
			    struct run *run)
{
	char *end;
	double percent = strtod(arg, &end);

	if (end == arg || (*end && strcmp(end, "%") != 0) ||
	    !(percent > 1 && percent <= 100))
		return options_error(
			state, "--decide %s: not a share above 1%% and up to 100%%", arg);
	run->decide = percent / 100;
	return 0;
}

static error_t parse_budget(const struct argp_state *state, const char *arg,
			    struct run *run)
{
	static const char units[] = "smh";
	static const double seconds[] = { 1, 60, 3600 };
	char *end;
	double n = strtod(arg, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (end == arg || !unit || end[1] || !(n > 0) ||
	    n * seconds[unit - units] > 86400)
		return options_error(
			state, "--budget %s: not a time up to 24h (300s, 5m, 1h)", arg);
	run->budget_ns = (uint64_t)(n * seconds[unit - units] * 1e9);
	return 0;
}

/* "1,2,4": ascending. The VMs of --vms follow the vCPUs of --vcpus. */
static error_t parse_scales(int key, const char *arg, const struct argp_state *state,
			    struct job *job)
{
	const char *option = key == OPTION_VMS ? "--vms" : "--vcpus", *at = arg;
	size_t n = 0, kept = 0;
	uint32_t before = 0;

	/* Given twice: the last one. */
	for (size_t i = 0; i < job->n_scales; i++)
		if (key == OPTION_VMS ? job->scales[i].vcpus : job->scales[i].vms)
			job->scales[kept++] = job->scales[i];
	job->n_scales = kept;
	for (;; at += n + 1) {
		char *end;
		unsigned long value = strtoul(at, &end, 10);

		n = strcspn(at, ",");
		if (*at < '0' || *at > '9' || end != at + n || !value ||
		    value > BOOT_SCALE_MAX)
			return options_error(state,
					     "%s %s: '%.*s' is not a number from 1 to %u",
					     option, arg, (int)n, at, BOOT_SCALE_MAX);
		if (value <= before)
			return options_error(
				state, "%s %s: the numbers are not in ascending order",
				option, arg);
		before = (uint32_t)value;
		job->scales[job->n_scales++] = key == OPTION_VMS
						       ? (struct boot_scale){ 0, before }
						       : (struct boot_scale){ before, 0 };
		if (!at[n])
			return 0;
	}
}

/* Those of one option are ascending. First come those that begin with 1, if any do. */
static void order_scales(struct job *job)
{
	struct boot_scale ordered[JOB_SCALES_MAX];
	size_t first = 0, n = 0;

	while (first < job->n_scales && boot_scale_n(&job->scales[first]) != 1)
		first++;
	if (first == job->n_scales)
		return;
	for (size_t i = first; i < job->n_scales; i++)
		ordered[n++] = job->scales[i];
	for (size_t i = 0; i < first; i++)
		ordered[n++] = job->scales[i];
	memcpy(job->scales, ordered, n * sizeof(*ordered));
}

/* What a run with a scale does not do. */
static error_t check_scales(const struct run *run, const struct argp_state *state)
{
	const char *option = run->job.scales[0].vms ? "--vms" : "--vcpus";
	const char *other = run->against.what	     ? "--against"
			    : run->touch.wanted	     ? "--touch"
			    : run->job.host_counters ? "--host-counters"
			    : run->job.trace_states  ? "--trace-states"
						     : NULL;

	if (!run->job.n_scales)
		return 0;
	if (other)
		return options_error(state, "%s: without %s", option, other);
	if (run->job.events > job_scaled_events(&run->job))
		return options_error(
			state,
			"--events %u: at most %u on each vCPU of the largest scale, %u together",
			run->job.events, job_scaled_events(&run->job), ABI_SERIES_MAX);
	return 0;
}

static error_t parse_names(int key, const char *arg, struct argp_state *state,
			   struct run *run)
{
	switch (key) {
	case OPTION_ON:
		run->all_targets = names_is_listed(arg, "all");
		return options_names(state, arg, names_match_targets, &run->targets);
	case OPTION_BENCH:
		run->bench_words = arg;
		return options_names(state, arg, names_match_benches, &run->benches);
	default: /* OPTION_CONFIG */
		run->config_words = arg;
		return options_names(state, arg, names_match_configs, &run->configs);
	}
}

static error_t check_json(struct run *run, const struct argp_state *state)
{
	const char *other = run->metrics	    ? "--metrics"
			    : run->stats	    ? "--stats"
			    : run->time_parts	    ? "--timing"
			    : run->job.trace_states ? "--trace-states"
			    : run->job.pairs	    ? "--aa"
						    : NULL;

	if (run->resume && (!run->runs || run->output))
		return options_error(state, "--resume: %s",
				     run->output
					     ? "the folder of the documents, without -o"
					     : "how many runs in all? (--runs N)");
	if (run->any_kernel && !run->resume)
		return options_error(state, "--any-kernel: only with --resume DIR");
	if (run->any_tool && !run->resume)
		return options_error(state, "--any-tool: only with --resume DIR");
	if (run->resume)
		run->output = run->resume;
	if ((run->runs > 1 || run->resume) &&
	    (run->json || run->save || run->touch.wanted))
		return options_error(state, "--runs: without %s",
				     run->json	 ? "--json"
				     : run->save ? "--save"
						 : "--touch");
	if (run->runs > 1 && !run->output)
		return options_error(state, "--runs: several documents need -o DIR");
	if (run->json && other)
		return options_error(
			state,
			"--json and %s, which prints text: one output at a time (the document has all metrics and counts)",
			other);
	if (run->json && run->targets.n > 1)
		return options_error(
			state,
			"--json prints one document, not those of %zu targets (give -o DIR)",
			run->targets.n);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;
	struct job *job = &run->job;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = job;
		state->child_inputs[1] = &run->touch;
		state->child_inputs[2] = &run->common;
		return 0;
	case OPTION_ON:
	case OPTION_BENCH:
	case OPTION_CONFIG:
		return parse_names(key, arg, state, run);
	case OPTION_DECIDE:
		return parse_decide(state, arg, run);
	case OPTION_BUDGET:
		return parse_budget(state, arg, run);
	case OPTION_RUNS:
		return number32(state, "--runs", arg, 1000, &run->runs);
	case OPTION_RESUME:
		run->resume = arg;
		return 0;
	case OPTION_ANY_KERNEL:
		run->any_kernel = true;
		return 0;
	case OPTION_ANY_TOOL:
		run->any_tool = true;
		return 0;
	case OPTION_AGAINST:
		run->against.what = arg;
		return 0;
	case OPTION_JOBS:
		return number32(state, "--jobs", arg, 1000, &run->jobs);
	case OPTION_BOOTS:
	case OPTION_EVENTS:
	case OPTION_SEED:
	case OPTION_CPU:
	case OPTION_TIMEOUT:
		return parse_number(key, arg, state, &run->job);
	case OPTION_VCPUS:
	case OPTION_VMS:
		return parse_scales(key, arg, state, job);
	case OPTION_LABEL:
		run->label = arg;
		return 0;
	case OPTION_COMMIT:
		run->commit = arg;
		return 0;
	case OPTION_PAYLOAD:
		job->payload = arg;
		return 0;
	case OPTION_AA:
		run->job.pairs = true;
		return 0;
	case OPTION_STATS:
		run->stats = true;
		return 0;
	case OPTION_METRICS:
		run->metrics = true;
		return 0;
	case OPTION_TIMING:
		run->time_parts = true;
		return 0;
	case OPTION_SAVE:
		if (!baseline_is_name(arg))
			return options_error(
				state,
				"--save: '%s' is not a name (letters, digits and . _ + -)",
				arg);
		run->save = arg;
		return 0;
	case OPTION_JSON:
		run->json = true;
		return 0;
	case OPTION_HOST_COUNTERS:
		job->host_counters = true;
		return 0;
	case OPTION_TRACE_STATES:
		job->trace_states = true;
		return 0;
	case 'o':
		run->output = arg;
		return 0;
	case ARGP_KEY_END:
		order_scales(job);
		return check_scales(run, state) ? EINVAL : check_json(run, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &options_lab, 0, OPTIONS_LAB, 0 },
					      { &touch_argp, 0, TOUCH_OPTIONS, 0 },
					      { &options_common, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Measures the cost of VM exits: boots payloads on each target, prints one "
	       "table, and with -o writes one document per target.\v"
	       "The exit code is 3 if no benchmark was measured, because all were skipped (with "
	       "--against, those of 'wsbench compare', too); 4 if "
	       "a target failed, or if the counted exits do not prove a benchmark.",
	.children = children,
};

/* 32 bits: every JSON reader represents them exactly. */
static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		return 1;
	return seed >> 32;
}

/* An option that a target would ignore is refused. NULL: there is none. */
static const char *ignored_option(const struct job *job, const char *kind,
				  const char **why)
{
	bool is_kvm = !strcmp(kind, "kvm");

	if (job->cpu >= 0 && !is_kvm) {
		*why = "an emulated machine runs its vCPUs, on CPUs of its own";
		return "--cpu";
	}
	if (job->trace_states && !is_kvm) {
		*why = "it does not report the run loop's transitions";
		return "--trace-states";
	}
	if (job->host_counters && !strcmp(kind, "bare")) {
		*why = "there is no host below the guest whose counters could be read";
		return "--host-counters";
	}
	if (job->n_scales && !strcmp(kind, "bare")) {
		*why = "a payload without a hypervisor runs on one CPU";
		return job->scales[0].vms ? "--vms" : "--vcpus";
	}
	if (strcmp(kind, "lab") != 0) {
		*why = "only labs boot a kernel of their own, in an emulator";
		return job->kernel	    ? "--kernel"
		       : job->modules	    ? "--modules"
		       : job->append	    ? "--append"
		       : job->emulator	    ? "--emulator"
		       : job->lab_timeout_s ? "--lab-timeout"
					    : NULL;
	}
	return NULL;
}

enum cli_exit run_check_options(const char *command, const struct job *job,
				const struct target *t)
{
	const char *why, *option = ignored_option(job, t->ops->kind, &why);

	if (!option)
		return CLI_OK;
	message_usage(command, "%s: not for target %s: %s", option, t->name, why);
	return CLI_USAGE;
}

enum cli_exit run_complete(struct run *run)
{
	struct error why;

	if ((!run->targets.n && names_match_targets("kvm", &run->targets, &why)) ||
	    (!run->benches.n && names_match_benches("*", &run->benches, &why))) {
		message_error("%s", why.text);
		return CLI_USAGE;
	}
	run->job.benches = run->benches.names;
	run->job.n_benches = run->benches.n;
	run->job.configs = run->configs.names;
	run->job.n_configs = run->configs.n;
	for (size_t i = 0; i < run->targets.n; i++)
		if (run_check_options("wsbench run", &run->job,
				      names_target(run->targets.names[i])) != CLI_OK)
			return CLI_USAGE;
	return CLI_OK;
}

void run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	touch_options_init(&run->touch);
	run->job.kind = JOB_BOOTS;
	run->job.cpu = -1;
	run->job.seed = random_seed();
}

/* Every target must be able to record. */
static enum cli_exit check_touch(const struct run *run)
{
	const char *wrong = touch_options_wrong(&run->touch);

	if (wrong) {
		message_usage("wsbench run", "%s", wrong);
		return CLI_USAGE;
	}
	for (size_t i = 0; run->touch.wanted && i < run->targets.n; i++) {
		const struct target *t = names_target(run->targets.names[i]);
		const char *why = touch_refusal(t);

		if (run->all_targets || !why)
			continue;
		message_usage("wsbench run", "--touch: not for target %s: %s", t->name,
			      why);
		return CLI_USAGE;
	}
	return CLI_OK;
}

enum cli_exit run_parse(struct run *run, int argc, char **argv, bool *go)
{
	run_init(run);
	run->argc = argc;
	run->argv = argv;
	*go = false;
	switch (options_parse(&argp, "wsbench run", argc, argv, run)) {
	case OPTIONS_BAD:
		return CLI_USAGE;
	case OPTIONS_HELP:
		return CLI_OK;
	case OPTIONS_RUN:
		break;
	}
	*go = true;
	run->job.fetch = run->common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	if (run_complete(run) != CLI_OK || run_against_check(run) != CLI_OK)
		return CLI_USAGE;
	return check_touch(run);
}

void run_free(struct run *run)
{
	names_free(&run->targets);
	names_free(&run->benches);
	names_free(&run->configs);
}
