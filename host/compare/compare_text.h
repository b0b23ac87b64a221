/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `wsbench compare` prints, in three forms. For compare*.c. */
#ifndef WS_CLI_COMPARE_H
#define WS_CLI_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "host/compare/compare.h"

/* What the two are called in what is printed: files, or configs. */
struct compare_names {
	const char *base, *new;
};

/* Tables; `all`: rows that are the same, too. */
void compare_print(FILE *f, const struct compare *c, const struct compare_names *names,
		   bool all);
/* For a comment on a change: what changed first, the rest folded up. */
void compare_print_markdown(FILE *f, const struct compare *c,
			    const struct compare_names *names);
void compare_print_json(FILE *f, const struct compare *c,
			const struct compare_names *names);

#endif
