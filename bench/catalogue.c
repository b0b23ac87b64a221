/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of catalogue.def, configs.def and effects.def as values, for the host. */
#include "bench/catalogue.h"

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

const struct config config_table[] = {
#include "bench/configs.def"
	{ .name = NULL },
};

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
