/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that several commands have: gates of comparisons, labs, simulated caches. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/compare.h"
#include "host/cli/options.h"
#include "host/explain/trace.h"
#include "host/targets/job.h"
#include "host/targets/lab/emulator.h"

/* ------------------------------ comparisons ------------------------------ */

#define KEY_THRESHOLD 0x7101
#define KEY_FAIL_ON   0x7102

static error_t add_threshold(const struct argp_state *state, const char *arg,
			     struct gate *gate)
{
	struct threshold t;
	struct error err;

	if (threshold_parse(&t, arg, &err))
		return options_error(state, "--threshold %s: %s", arg, err.text);
	gate->thresholds = reallocarray(gate->thresholds, gate->n_thresholds + 1,
					sizeof(*gate->thresholds));
	if (!gate->thresholds)
		abort();
	gate->thresholds[gate->n_thresholds++] = t;
	return 0;
}

static error_t parse_gate(int key, char *arg, struct argp_state *state)
{
	struct gate *gate = state->input;

	switch (key) {
	case KEY_THRESHOLD:
		return add_threshold(state, arg, gate);
	case KEY_FAIL_ON:
		if (!strcmp(arg, "changed"))
			gate->fail_on_changed = true;
		else if (!strcmp(arg, "distribution"))
			gate->fail_on_distribution = true;
		else if (!strcmp(arg, "worse?"))
			gate->fail_on_worse_maybe = true;
		else
			return options_error(
				state,
				"--fail-on %s: not a verdict (changed, distribution, worse?)",
				arg);
		if (gate->fail_on_distribution && !gate->of_history)
			return options_error(
				state,
				"--fail-on distribution: only of a history (wsbench history check)");
		if (gate->fail_on_worse_maybe && gate->of_history)
			return options_error(
				state,
				"--fail-on worse?: only of documents (wsbench compare)");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option gate_table[] = {
	{ "threshold", KEY_THRESHOLD, "[GLOB=]AMOUNT", 0,
	  "Pass benchmarks that became worse by at most AMOUNT: 1%, 20insns (ticks, "
	  "ns, cycles, counts, traps), or mmio_*=2% for some benchmarks. Can be repeated: "
	  "a threshold with a GLOB precedes one without, and a later threshold "
	  "precedes an earlier one",
	  0 },
	{ "fail-on", KEY_FAIL_ON, "changed|distribution|worse?", 0,
	  "End with 1 also if the class of a benchmark changed (another handler, "
	  "another number of exits, an exception), if the distribution of its events "
	  "changed (only history check), or if a benchmark is 'worse?' (only compare: one "
	  "run of each side differs). Can be repeated",
	  0 },
	{ 0 },
};

const struct argp gate_options = { gate_table, parse_gate, NULL, NULL, NULL, NULL, NULL };

void gate_free(struct gate *gate)
{
	free(gate->thresholds);
	*gate = (struct gate){ 0 };
}

enum cli_exit gate_exit(const struct gate *gate, const struct compare *c)
{
	if (gate->fail_on_changed && c->count[COMPARE_CHANGED])
		return CLI_WORSE;
	switch (compare_outcome(c)) {
	case COMPARE_WORSE:
		return CLI_WORSE;
	case COMPARE_WORSE_MAYBE:
		return gate->fail_on_worse_maybe ? CLI_WORSE : CLI_UNTRUSTED;
	case COMPARE_INCONCLUSIVE:
		return CLI_UNTRUSTED;
	default:
		return CLI_OK;
	}
}

enum cli_exit gate_gravest(enum cli_exit a, enum cli_exit b)
{
	static const enum cli_exit order[] = { CLI_FAILED, CLI_USAGE, CLI_WORSE,
					       CLI_UNTRUSTED };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return CLI_OK;
}

/* ------------------------------ labs ------------------------------ */

#define ONE_CPU "explain follows machines of one CPU"

#define KEY_KERNEL	0x7201
#define KEY_MODULES	0x7202
#define KEY_APPEND	0x7203
#define KEY_EMULATOR	0x7204
#define KEY_LAB_TIMEOUT 0x7205

static const struct argp_option lab_options[] = {
	{ "kernel", KEY_KERNEL, "KERNEL", 0,
	  "Boot this kernel: the path of an image, a release of Debian such as 6.12.113, "
	  "or the newest of a series such as 7.3; fetched if it is not cached",
	  0 },
	{ "modules", KEY_MODULES, "DIR", 0,
	  "Load KVM's modules from DIR (default: the folder 'modules' beside the kernel)",
	  0 },
	{ "append", KEY_APPEND, "ARGS", 0, "Add ARGS to the kernel's command line", 0 },
	{ "emulator", KEY_EMULATOR, "NAME|DIR", 0,
	  "Run on this QEMU: 'system', a version such as 10.0, a folder or a program (see "
	  "'wsbench list emulators'; default: the system's)",
	  0 },
	{ "lab-timeout", KEY_LAB_TIMEOUT, "SECONDS", 0,
	  "End the run in a lab after this time, and keep what it has measured (default: "
	  "3600, and in proportion to more boots and events than the default)",
	  0 },
	{ 0 },
};

static error_t parse_lab(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;
	uint64_t n;
	error_t err;

	switch (key) {
	case KEY_KERNEL:
		job->kernel = arg;
		return 0;
	case KEY_MODULES:
		job->modules = arg;
		return 0;
	case KEY_APPEND:
		job->append = arg;
		return 0;
	case KEY_EMULATOR:
		job->emulator = arg;
		return 0;
	case KEY_LAB_TIMEOUT:
		err = options_number(state, "--lab-timeout", arg, 1, 86400 * 30, &n);
		if (!err)
			job->lab_timeout_s = (unsigned int)n;
		return err;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp options_lab = { lab_options, parse_lab, NULL, NULL, NULL, NULL, NULL };

/* ------------------------------ simulated caches ------------------------------ */

#define KEY_TOUCH 0x7101
#define KEY_I1	  0x7102
#define KEY_D1	  0x7103
#define KEY_LL	  0x7104

static const struct argp_option touch_options[] = {
	{ "touch", KEY_TOUCH, NULL, 0,
	  "Simulate caches and branch predictors in labs: misses, pages and branches of "
	  "an event, also after a guest with a working set",
	  0 },
	{ "i1", KEY_I1, "BYTES,WAYS,LINE", 0,
	  "Simulate this first-level instruction cache (default: 32768,8,64)", 0 },
	{ "d1", KEY_D1, "BYTES,WAYS,LINE", 0,
	  "Simulate this first-level data cache (default: 32768,8,64)", 0 },
	{ "ll", KEY_LL, "BYTES,WAYS,LINE", 0,
	  "Simulate this last-level cache (default: 1048576,16,64)", 0 },
	{ 0 },
};

static error_t parse_touch(int key, char *arg, struct argp_state *state)
{
	struct touch_options *o = state->input;
	struct touch_cache *cache;
	const char *option, *why;

	switch (key) {
	case KEY_TOUCH:
		o->wanted = true;
		return 0;
	case KEY_I1:
		option = "--i1";
		cache = &o->caches.i1;
		break;
	case KEY_D1:
		option = "--d1";
		cache = &o->caches.d1;
		break;
	case KEY_LL:
		option = "--ll";
		cache = &o->caches.ll;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	o->caches_given = true;
	if (touch_cache_parse(arg, cache, &why))
		return options_error(state, "%s: '%s': %s", option, arg, why);
	return 0;
}

const struct argp touch_argp = {
	touch_options, parse_touch, NULL, NULL, NULL, NULL, NULL
};

void touch_options_init(struct touch_options *o)
{
	*o = (struct touch_options){ .caches = TOUCH_CACHES_DEFAULT };
}

const char *touch_options_wrong(const struct touch_options *o)
{
	if (o->caches_given && !o->wanted)
		return "--i1, --d1, --ll: nothing is simulated (give --touch, too)";
	return NULL;
}

const char *touch_refusal(const struct target *t)
{
	const struct lab_machine *m;

	if (strcmp(t->ops->kind, "lab") != 0)
		return "only labs can record every instruction";
	m = lab_machine_find(strchr(t->name, ':') + 1);
	return t->only & NEEDS_VCPUS_2 || (m && m->cpus > 1) ? ONE_CPU : NULL;
}

const char *row_refusal(const struct bench *bench)
{
	if (!bench)
		return "this program does not have the benchmark";
	if (bench->needs & NEEDS_VCPUS_2)
		return "needs two CPUs: " ONE_CPU;
	return regions_refusal(bench->id);
}
