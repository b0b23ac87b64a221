/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row claims under a config: bench/effects.def. */
#include <fnmatch.h>
#include <string.h>

#include "host/measure/under.h"

struct bench bench_under(const struct bench *row, const struct config *config,
			 const char **skip)
{
	struct bench under = *row;
	const struct config_effect *e;

	*skip = NULL;
	for (e = config_effect_table; e->config; e++) {
		if (strcmp(e->config, config->name) || fnmatch(e->rows, row->id, 0))
			continue;
		*skip = e->skip;
		if (!e->skip) {
			under.handled_by = e->handled_by;
			under.exits = e->exits;
		}
		break;
	}
	return under;
}
