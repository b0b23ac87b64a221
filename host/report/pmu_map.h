/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map as a document holds it: registers by configs, and who has which PMU. */
#ifndef WS_VIEW_PMU_MAP_H
#define WS_VIEW_PMU_MAP_H

#include <stdbool.h>

#include "host/result/result.h"
#include "host/report/pmu_decode.h"

#define PMU_MAP_CONFIGS 16

struct pmu_map {
	const struct result *doc;
	enum arch arch; /* of the guest */
	/* In the document's order. Those that ran, and those that did not at all. */
	const char *configs[PMU_MAP_CONFIGS], *skipped[PMU_MAP_CONFIGS];
	size_t n_configs, n_skipped;
	const char *reasons[PMU_MAP_CONFIGS]; /* of `skipped` */
};

/* false: the document has no row of the map. */
bool pmu_map_build(struct pmu_map *map, const struct result *doc);

/* The map's nth line: a register, or RDPMC. false behind the last. */
struct pmu_line {
	const char *name;
	const char *read_row, *write_row; /* benchmarks; NULL: there is no such access */
};
bool pmu_map_line(enum arch arch, size_t nth, struct pmu_line *line);

/* "none", "kernel", "user", "fault"; "?" where this KVM does not tell. */
const char *pmu_map_class(const struct result_benchmark *b);

/* What a source of doc->pmu read. Notes by index of pmu_reading_names, or NULL. */
void pmu_map_values(enum arch arch, const struct result_pmu_source *source,
		    struct pmu_values *values, const char *notes[PMU_READINGS_MAX]);

#endif
