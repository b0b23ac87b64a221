/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up layers. */
#include "host/explain/layer.h"

#include <fnmatch.h>
#include <string.h>

struct row {
	unsigned int archs;
	const char *module, *pattern, *layer;
};

#define LAYER(archs_, module_, pattern_, layer_)                                         \
	{ .archs = (archs_),                                                             \
	  .module = (module_),                                                           \
	  .pattern = (pattern_),                                                         \
	  .layer = (layer_) },

static const struct row rows[] = {
#include "host/explain/layers.def"
};

#define HYP_PREFIX "__kvm_nvhe_"

/* A module's name, with hyphens or underscores. */
static bool is_in(const struct row *r, const char *module)
{
	return !strcmp(r->module, "*") || !fnmatch(r->module, module ? module : "", 0);
}

static const char *layer_of_kernel(enum arch arch, const char *module, const char *name)
{
	size_t prefix = strlen(HYP_PREFIX), i;

	if (!strncmp(name, HYP_PREFIX, prefix))
		name += prefix;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].archs & 1u << arch && is_in(&rows[i], module) &&
		    !fnmatch(rows[i].pattern, name, 0))
			return rows[i].layer;
	return "kernel, other";
}

const char *layer_of(enum arch arch, enum trace_space space, const char *module,
		     const char *name)
{
	if (space == SPACE_GUEST)
		return "guest";
	if (space == SPACE_USER)
		return "VMM";
	return name ? layer_of_kernel(arch, module, name) : "no symbol";
}
