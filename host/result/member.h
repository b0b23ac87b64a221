/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access to the members that the layout's rows describe. */
#ifndef WS_RESULT_MEMBER_H
#define WS_RESULT_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/result/layout.h"

/* Makes a struct empty: zero, and `none` or NAN where a field has that. */
void member_clear(const struct layout *layout, void *base);

/* What a benchmark holds beside the store's memory: the bins of its histograms. */
void member_free_bins(struct result_benchmark *b);

/*
 * The value of a FIELD_COUNT, FIELD_KNOWN or FIELD_CHOICE in *value, or false
 * where it is null.
 */
bool member_get(const struct field *f, const void *base, int64_t *value);
void member_set(const struct field *f, void *base, int64_t value);

/* The largest value that a FIELD_COUNT or FIELD_KNOWN may have. */
int64_t member_max(const struct field *f);

#endif
