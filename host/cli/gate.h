/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --threshold and --fail-on of `compare` and `history check`. */
#ifndef WS_CLI_GATE_H
#define WS_CLI_GATE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/cli/cmd.h"
#include "host/compare/compare.h"
#include "host/compare/threshold.h"

struct gate {
	struct threshold *thresholds; /* the texts are in argv */
	size_t n_thresholds;
	bool fail_on_changed, fail_on_distribution, fail_on_worse_maybe;
};

/* For `struct argp.children`; the input is a struct gate, zeroed. */
extern const struct argp gate_options;

void gate_free(struct gate *gate);

/* The exit code of a comparison. */
enum cli_exit gate_exit(const struct gate *gate, const struct compare *c);

/* Of two codes, the first of these: failed, bad input, worse, no verdict. */
enum cli_exit gate_gravest(enum cli_exit a, enum cli_exit b);

#endif
