/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From JSON values to C values, checked. For host/result/ alone. */
#ifndef WS_RESULT_LOAD_H
#define WS_RESULT_LOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "host/lib/error.h"
#include "host/result/result.h"

struct layout;
struct result_store;

/*
 * Checks `object` against `layout` and fills in `base`, which is clear. 0, or
 * -EINVAL and `err`. In either case what `base` then holds is for the caller to
 * free: bins by member_free_bins(), all else by `store`.
 */
int load_object(struct result_store *store, const struct layout *layout,
		const json_t *object, void *base, struct error *err);

/* The same for text. */
int load_text(struct result_store *store, const struct layout *layout, const char *text,
	      size_t bytes, void *base, struct error *err);

/* Whether a text is a JSON object whose member `schema` is `name`. */
bool load_names(const char *text, size_t bytes, const char *name);

#endif
