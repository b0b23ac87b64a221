/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of pmu.def as values, for the host. */
#include "bench/pmu.h"

#include "bench/catalogue.h"

#define ROWS_RO(id) .read_row = "pmu_" #id "_read"
#define ROWS_WO(id) .write_row = "pmu_" #id "_write"
#define ROWS_RW(id) ROWS_RO(id), ROWS_WO(id)

#define PMU_REGISTER(id_, archs_, name_, operand_, index_, access_, write_, what_)       \
	{                                                                                \
		.name = name_,                                                           \
		.what = what_,                                                           \
		.archs = archs_,                                                         \
		.operand = operand_,                                                     \
		.index = index_,                                                         \
		.write = write_,                                                         \
		ROWS_##access_(id_),                                                     \
	},

const struct pmu_register pmu_table[] = {
#include "bench/pmu.def"
	{ .name = NULL },
};

#define NAME(id, name) [id] = (name),

const char *const pmu_reading_names[ARCHS][PMU_READINGS_MAX + 1] = {
	[ARCH_X86_64] = { PMU_READINGS_X86_64(NAME) },
	[ARCH_AARCH64] = { PMU_READINGS_AARCH64(NAME) },
};
