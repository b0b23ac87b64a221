/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map in a document: registers by configs, and the PMU of host, KVM and guests.
 */
#include "host/report/pmu_map.h"

#include <stdlib.h>
#include <string.h>

/* Instructions that read counters and are not registers. */
static const struct {
	unsigned int archs;
	struct pmu_line line;
} others[] = {
	{ ARCHS_X86_64, { "RDPMC, general counter 0", "rdpmc_general", NULL } },
	{ ARCHS_X86_64, { "RDPMC, fixed counter 0", "rdpmc_fixed", NULL } },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

bool pmu_map_line(enum arch arch, size_t nth, struct pmu_line *line)
{
	const struct pmu_register *r;
	size_t i;

	for (r = pmu_table; r->name; r++) {
		if (!(r->archs & 1u << arch) || nth--)
			continue;
		*line = (struct pmu_line){ r->name, r->read_row, r->write_row };
		return true;
	}
	for (i = 0; i < OTHERS; i++) {
		if (!(others[i].archs & 1u << arch) || nth--)
			continue;
		*line = others[i].line;
		return true;
	}
	return false;
}

static const struct pmu_register *register_of(const struct result_benchmark *b)
{
	const struct pmu_register *r;

	for (r = pmu_table; r->name; r++)
		if ((r->read_row && !strcmp(b->name, r->read_row)) ||
		    (r->write_row && !strcmp(b->name, r->write_row)))
			return r;
	return NULL;
}

static bool has(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void note_config(struct pmu_map *map, const struct result_benchmark *b)
{
	if (b->status == RESULT_SKIP || map->n_configs == PMU_MAP_CONFIGS ||
	    has(map->configs, map->n_configs, b->config))
		return;
	map->configs[map->n_configs++] = b->config;
}

static void note_skipped(struct pmu_map *map, const struct result_benchmark *b)
{
	if (has(map->configs, map->n_configs, b->config) ||
	    has(map->skipped, map->n_skipped, b->config) ||
	    map->n_skipped == PMU_MAP_CONFIGS)
		return;
	map->reasons[map->n_skipped] = b->reason ? b->reason : "no reason is given";
	map->skipped[map->n_skipped++] = b->config;
}

bool pmu_map_build(struct pmu_map *map, const struct result *doc)
{
	bool any = false;

	*map = (struct pmu_map){ .doc = doc };
	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct pmu_register *r = register_of(&doc->benchmarks[i]);

		if (!r)
			continue;
		any = true;
		map->arch = r->archs & ARCHS_X86_64 ? ARCH_X86_64 : ARCH_AARCH64;
		note_config(map, &doc->benchmarks[i]);
	}
	for (size_t i = 0; i < doc->n_benchmarks; i++)
		if (register_of(&doc->benchmarks[i]))
			note_skipped(map, &doc->benchmarks[i]);
	return any;
}

const char *pmu_map_class(const struct result_benchmark *b)
{
	if (b->exits.faults > 0)
		return "fault";
	return b->handled_by == HANDLED_UNKNOWN ? "?"
						: result_handler_name(b->handled_by);
}

static size_t index_of(enum arch arch, const char *name)
{
	size_t i = 0;

	while (pmu_reading_names[arch][i] && strcmp(pmu_reading_names[arch][i], name))
		i++;
	return i;
}

void pmu_map_values(enum arch arch, const struct result_pmu_source *source,
		    struct pmu_values *values, const char *notes[PMU_READINGS_MAX])
{
	*values = (struct pmu_values){ .known = { false } };
	memset(notes, 0, PMU_READINGS_MAX * sizeof(*notes));
	for (size_t i = 0; i < source->n_registers; i++) {
		const struct result_pmu_register *r = &source->registers[i];
		size_t at = index_of(arch, r->name);
		char *end;

		if (!pmu_reading_names[arch][at])
			continue; /* of a newer version */
		notes[at] = r->note;
		if (!r->value)
			continue;
		values->value[at] = strtoull(r->value, &end, 16);
		values->known[at] = end != r->value && !*end;
	}
}
