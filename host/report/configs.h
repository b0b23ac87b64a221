/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmarks of one document that were measured under more than one counter
 * config, and those configs.
 */
#ifndef WS_VIEW_CONFIGS_H
#define WS_VIEW_CONFIGS_H

#include <stddef.h>

struct result;
struct result_benchmark;

struct configs {
	const char **names; /* in the catalogue's order; newcomers last */
	size_t n;
	const char **rows; /* benchmarks with a figure under two of them or more */
	size_t n_rows;
	const struct result_benchmark **cells; /* n per row; NULL: not measured */
};

/*
 * `only` NULL NULL: all configs. Names and cells are the document's. Aborts on lack
 * of memory.
 */
void configs_collect(struct configs *c, const struct result *r,
		     const char *const only[2]);
void configs_free(struct configs *c);

const struct result_benchmark *configs_at(const struct configs *c, size_t row,
					  size_t config);

/* What a config does, as the table of configs has it; "" where it is not known. */
const char *configs_summary(const char *name);

#endif
