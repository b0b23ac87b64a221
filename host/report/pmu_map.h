/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vPMU map in a document, registers by configs, and the PMU of host, KVM and guests,
 * whose registers are decoded field by field.
 */
#ifndef WS_REPORT_PMU_MAP_H
#define WS_REPORT_PMU_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/catalogue.h"
#include "bench/pmu.h"
#include "host/result/result.h"

struct json_list;
struct table_options;

/* ------------------------------ registers ------------------------------ */

/*
 * The registers of PMU_READINGS_* (bench/pmu.h), field by field. Pure functions, tested
 * against values computed by hand.
 */

/* By index of pmu_reading_names[arch]. */
struct pmu_values {
	bool known[PMU_READINGS_MAX];
	uint64_t value[PMU_READINGS_MAX];
};

#define PMU_TEXT_BYTES 48

/* The name of an architecture's nth field, or NULL after the last. */
const char *pmu_field_name(enum arch arch, size_t nth);

/* The value as text. false: the register is not known, and `text` is "?". */
bool pmu_field_text(enum arch arch, size_t nth, const struct pmu_values *v,
		    char text[PMU_TEXT_BYTES]);

/* The field's register: an index of pmu_reading_names[arch]. */
size_t pmu_field_reading(enum arch arch, size_t nth);

/*
 * The name of the nth event that the PMU can count: architectural events on x86_64
 * (CPUID leaf 0AH), common events on aarch64. NULL after the last, or if the events are
 * not known.
 */
const char *pmu_event_name(enum arch arch, const struct pmu_values *v, size_t nth);

/* Whether the registers that list the events are known. */
bool pmu_events_known(enum arch arch, const struct pmu_values *v);

/* ------------------------------ the map ------------------------------ */

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

/* Handler and cost of every access, register by register. */
void pmu_map_print(FILE *f, const struct pmu_map *map, const struct table_options *o);

/* The PMU of the host, the PMU that KVM offers, and the PMU that each guest sees. */
void pmu_capabilities_print(FILE *f, const struct pmu_map *map,
			    const struct table_options *o);

/* Both as arrays of flat objects: "map", "capabilities", "events". */
void pmu_map_json(struct json_list *l, const struct pmu_map *map);

#endif
