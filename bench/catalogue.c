/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of all .def files as values, for the host. */
#include "bench/catalogue.h"

#include "bench/pmu.h"

#define BENCH(id_, group_, archs_, handled_by_, exits_, needs_, summary_)                \
	{                                                                                \
		.id = #id_,                                                              \
		.group = #group_,                                                        \
		.archs = archs_,                                                         \
		.handled_by = handled_by_,                                               \
		.exits = exits_,                                                         \
		.needs = needs_,                                                         \
		.summary = summary_,                                                     \
	},

const struct bench bench_table[] = {
#include "bench/catalogue.def"
	{ .id = NULL },
};
#undef BENCH

#define STATISTIC(id_, archs_, doorbell_, what_)                                         \
	[STATISTIC_##id_] = {                                                            \
		.name = #id_,                                                            \
		.archs = archs_,                                                         \
		.doorbell = doorbell_,                                                   \
		.what = what_,                                                           \
	},

const struct bench_statistic bench_statistic_table[STATISTICS] = {
#include "bench/statistics.def"
};

/* The places of the rows in bench_table. */
enum {
#define BENCH(id_, ...) ROW_##id_,
#include "bench/catalogue.def"
#undef BENCH
	ROWS,
};

#define COUNTED(arch_, row_, statistic_, times_)                                         \
	[arch_][ROW_##row_] = { STATISTIC_##statistic_, times_ },

static const struct bench_claim claims[ARCHS][ROWS] = {
#include "bench/statistics.def"
};

const struct bench_claim *bench_claim(const struct bench *row, enum arch arch)
{
	const uintptr_t at = (uintptr_t)row - (uintptr_t)bench_table;
	const struct bench_claim *claim;

	if (at >= ROWS * sizeof(*row))
		return NULL;
	claim = &claims[arch][at / sizeof(*row)];
	return claim->times ? claim : NULL;
}

#define CONFIG(id_, name_, archs_, summary_)                                             \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.summary = summary_,                                                     \
	},

#define CONFIG_CMDLINE(id_, name_, archs_, cmdline_, summary_)                           \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.cmdline = cmdline_,                                                     \
		.summary = summary_,                                                     \
	},

#define CONFIG_MODULES(id_, name_, archs_, cmdline_, summary_)                           \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.cmdline = cmdline_,                                                     \
		.modules_only = true,                                                    \
		.summary = summary_,                                                     \
	},

#define CONFIG_MITIGATION(id_, name_, archs_, cmdline_, summary_)                        \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.cmdline = cmdline_,                                                     \
		.mitigation = true,                                                      \
		.summary = summary_,                                                     \
	},

#define CONFIG_VM(id_, name_, archs_, vm_, summary_)                                     \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.vm = vm_,                                                               \
		.summary = summary_,                                                     \
	},

#define CONFIG_SETTING(id_, name_, archs_, setting_, summary_)                           \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.settings = 1u << (setting_),                                            \
		.summary = summary_,                                                     \
	},

const struct config config_table[] = {
#include "bench/configs.def"
	{ .name = NULL },
};

#define SETTING(id_, name_, archs_, vms_, source_, summary_)                             \
	{                                                                                \
		.name = name_,                                                           \
		.archs = archs_,                                                         \
		.vms = vms_,                                                             \
		.source = source_,                                                       \
		.summary = summary_,                                                     \
	},

const struct setting setting_table[] = {
#include "bench/shapes.def"
	{ .name = NULL },
};
#undef SETTING

_Static_assert(SETTINGS <= 32, "a set of settings is a uint32_t");

/*
 * Without noise a batch is short, so that few have a timer tick in them. Bodies that
 * differ with a period of 2, 4 or 8 have their mean in it; the events of a phase show the
 * other periods (EXACT_REPEAT in host/measure/plan.c). The vPMU map has many rows: short
 * batches on a noisy target, none on an exact one, whose clock counts instructions.
 *
 * Between two events from a deadline the guest waits for a deadline, which is a tick of
 * the clock: the steps of the samples do not average out in a batch, and what has its
 * ticks in it are the waits.
 */
#define NOISY_BATCH 50
#define MAP_BATCH   5
#define EXACT_BATCH 8

unsigned int bench_batch(const struct bench *b, bool exact)
{
	if (b && b->needs & (NEEDS_COUNTS | FROM_DEADLINE))
		return 0;
	if (!b || b->needs & NEEDS_OPERAND)
		return exact ? 0 : MAP_BATCH;
	return exact ? EXACT_BATCH : NOISY_BATCH;
}

uint32_t config_settings(const struct config *config, enum arch arch)
{
	const unsigned int vm = config->vm ? config->vm : VM_LEAST;
	uint32_t settings = config->settings;
	unsigned int i;

	for (i = 0; i < SETTINGS; i++)
		if (setting_table[i].vms & vm)
			settings |= 1u << i;
	for (i = 0; i < SETTINGS; i++)
		if (!(setting_table[i].archs & 1u << arch))
			settings &= ~(1u << i);
	return settings;
}

#define EFFECT(config_, rows_, handled_by_, exits_)                                      \
	{                                                                                \
		.config = config_,                                                       \
		.rows = rows_,                                                           \
		.handled_by = handled_by_,                                               \
		.exits = exits_,                                                         \
	},

#define EFFECT_SKIP(config_, rows_, reason_)                                             \
	{                                                                                \
		.config = config_,                                                       \
		.rows = rows_,                                                           \
		.skip = reason_,                                                         \
	},

const struct config_effect config_effect_table[] = {
#include "bench/effects.def"
	{ .config = NULL },
};

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

#define ACCURACY(id_, archs_, exits_, needs_, subject_, text_)                           \
	{ .id = "pmu_accuracy_" #id_, .subject = subject_ },

const struct accuracy_row accuracy_table[] = {
#include "bench/accuracy.def"
	{ .id = NULL },
};

#define PMU_TEST(vendor, id, text) [PMU_TEST_##vendor##_##id] = (text),

const char *const pmu_test_texts[PMU_TESTS] = {
#include "bench/pmu_tests.def"
};
