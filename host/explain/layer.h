/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function is part of. layers.def is the table. */
#ifndef WS_TRACE_LAYER_H
#define WS_TRACE_LAYER_H

#include "bench/catalogue.h"
#include "host/explain/trace.h"

/* `name` NULL: no symbol covers it. `module` NULL: of the kernel proper. Never NULL. */
const char *layer_of(enum arch arch, enum trace_space space, const char *module,
		     const char *name);

#endif
