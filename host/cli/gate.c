/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --threshold and --fail-on of `compare` and `history check`. */
#include "host/cli/gate.h"

#include <stdlib.h>
#include <string.h>

#include "host/cli/options.h"

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

static error_t parse(int key, char *arg, struct argp_state *state)
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
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "threshold", KEY_THRESHOLD, "[GLOB=]AMOUNT", 0,
	  "Pass benchmarks that became worse by at most AMOUNT: 1%, 20insns (ticks, "
	  "ns, cycles, counts, traps), or mmio_*=2% for some benchmarks. Can be repeated: "
	  "a threshold with a GLOB precedes one without, and a later threshold "
	  "precedes an earlier one",
	  0 },
	{ "fail-on", KEY_FAIL_ON, "changed|distribution|worse?", 0,
	  "End with 1 also if the class of a benchmark changed (another handler, "
	  "another number of exits, an exception), if the distribution of its events "
	  "changed (in a history), or if a benchmark is 'worse?' (one run of each side "
	  "differs). Can be repeated",
	  0 },
	{ 0 },
};

const struct argp gate_options = { options, parse, NULL, NULL, NULL, NULL, NULL };

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
