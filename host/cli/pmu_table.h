/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map and the capability table, for people and for programs. */
#ifndef WS_CLI_PMU_TABLE_H
#define WS_CLI_PMU_TABLE_H

#include <stdio.h>

#include "host/report/pmu_map.h"

struct json_list;

/* What accesses do, register by register. */
void pmu_table_print(FILE *f, const struct pmu_map *map, size_t columns);

/* Which PMU the host has, KVM offers, and each guest sees. */
void pmu_capabilities_print(FILE *f, const struct pmu_map *map, size_t columns);

/* Both as arrays of flat objects: "map", "capabilities", "events". */
void pmu_json(struct json_list *l, const struct pmu_map *map);

#endif
