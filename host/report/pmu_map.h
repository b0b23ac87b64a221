/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map in a document: registers by configs, and the PMU of host, KVM and guests.
 */
#ifndef WS_REPORT_PMU_MAP_H
#define WS_REPORT_PMU_MAP_H

#include <stdbool.h>
#include <stdio.h>

#include "host/result/result.h"
#include "host/report/pmu_decode.h"

#define PMU_MAP_CONFIGS 16

struct pmu_map {
	const struct result *doc;
	enum arch arch; /* of the guest */
	/* In the document's order: configs that ran, and configs whose rows were all
	 * skipped. */
	const char *configs[PMU_MAP_CONFIGS], *skipped[PMU_MAP_CONFIGS];
	size_t n_configs, n_skipped;
	const char *reasons[PMU_MAP_CONFIGS]; /* of `skipped` */
};

/* false: the document has no benchmark of the map. */
bool pmu_map_build(struct pmu_map *map, const struct result *doc);

/* The map's nth line: a register, or RDPMC. false after the last. */
struct pmu_line {
	const char *name;
	const char *read_row,
		*write_row; /* benchmarks; NULL: not an access of this register */
};
bool pmu_map_line(enum arch arch, size_t nth, struct pmu_line *line);

/* "none", "kernel", "user", "fault"; "?" if this KVM does not report the handler. */
const char *pmu_map_class(const struct result_benchmark *b);

/* The registers that a source of doc->pmu read. Notes by index of pmu_reading_names, or
 * NULL. */
void pmu_map_values(enum arch arch, const struct result_pmu_source *source,
		    struct pmu_values *values, const char *notes[PMU_READINGS_MAX]);

struct json_list;
struct table_options;

/* Handler and cost of every access, register by register. */
void pmu_map_print(FILE *f, const struct pmu_map *map, const struct table_options *o);

/* The PMU of the host, the PMU that KVM offers, and the PMU that each guest sees. */
void pmu_capabilities_print(FILE *f, const struct pmu_map *map,
			    const struct table_options *o);

/* Both as arrays of flat objects: "map", "capabilities", "events". */
void pmu_map_json(struct json_list *l, const struct pmu_map *map);

#endif
