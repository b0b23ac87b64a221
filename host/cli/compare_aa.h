/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare --aa`. */
#ifndef WS_CLI_COMPARE_AA_H
#define WS_CLI_COMPARE_AA_H

#include <stddef.h>

#include "host/cli/cmd.h"
#include "host/compare/compare.h"

/*
 * Compares runs of one kernel with each other, for each target: those with odd numbers in
 * the order of time with the others. Every difference is false. CLI_UNTRUSTED if there is
 * one; CLI_USAGE after a message: fewer than four runs, or runs that cannot be compared.
 */
enum cli_exit compare_aa(const struct result *const *docs, size_t n,
			 const struct compare_options *o);

#endif
