/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row claims under a config: bench/effects.def. */
#include <stdbool.h>
#include <string.h>

#include "host/measure/under.h"

static bool fits(const char *rows, const char *id)
{
	size_t n = strcspn(rows, "*");

	return rows[n] ? !strncmp(rows, id, n) : !strcmp(rows, id);
}

struct bench bench_under(const struct bench *row, const struct config *config)
{
	struct bench under = *row;
	const struct config_effect *e;

	for (e = config_effect_table; e->config; e++) {
		if (strcmp(e->config, config->name) || !fits(e->rows, row->id))
			continue;
		under.handled_by = e->handled_by;
		under.exits = e->exits;
		break;
	}
	return under;
}
