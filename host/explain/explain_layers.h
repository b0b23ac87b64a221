/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation's functions, summed up by layer. */
#ifndef WS_VIEW_EXPLAIN_LAYERS_H
#define WS_VIEW_EXPLAIN_LAYERS_H

#include <stddef.h>
#include <stdint.h>

struct explanation;

struct explain_layer {
	const char *name;
	uint64_t insns;
};

/* The layers that occur, the largest first, in memory the caller frees. How many. */
size_t explain_layers(const struct explanation *e, struct explain_layer **layers);

#endif
