/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access to the members that the layout's rows describe. */
#include "host/result/member.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A member with a negative word for "unknown" is signed, all others are not. */
static bool is_signed(const struct field *f)
{
	return f->kind == FIELD_KNOWN && f->none < 0;
}

int64_t member_max(const struct field *f)
{
	if (f->max)
		return f->max;
	if (f->bytes == sizeof(uint32_t))
		return is_signed(f) ? INT32_MAX : UINT32_MAX;
	return INT64_MAX;
}

bool member_get(const struct field *f, const void *base, int64_t *value)
{
	const void *member = (const char *)base + f->offset;

	if (f->bytes == sizeof(uint64_t)) {
		memcpy(value, member, sizeof(*value));
	} else {
		uint32_t small;

		memcpy(&small, member, sizeof(small));
		*value = is_signed(f) ? (int32_t)small : (int64_t)small;
	}
	if (f->kind == FIELD_KNOWN && (*value == f->none || *value < 0))
		return false;
	*value &= INT64_MAX; /* see RESULT_SEED_MAX */
	return true;
}

void member_set(const struct field *f, void *base, int64_t value)
{
	void *member = (char *)base + f->offset;
	uint32_t small = (uint32_t)value;

	if (f->bytes == sizeof(uint64_t))
		memcpy(member, &value, sizeof(value));
	else
		memcpy(member, &small, sizeof(small));
}

static void clear_members(const struct layout *layout, void *base)
{
	for (const struct field *f = layout->fields; f->key; f++) {
		void *member = (char *)base + f->offset;

		if (f->kind == FIELD_KNOWN)
			member_set(f, base, f->none);
		else if (f->kind == FIELD_REAL)
			*(double *)member = NAN;
		else if (f->kind == FIELD_OBJECT)
			clear_members(f->of, member);
	}
}

void member_clear(const struct layout *layout, void *base)
{
	memset(base, 0, layout->bytes);
	clear_members(layout, base);
}

void member_free_bins(struct result_benchmark *b)
{
	for (size_t i = 0; i < b->n_metrics; i++)
		for (size_t j = 0; j < b->metrics[i].n_boots; j++)
			free(b->metrics[i].boots[j].histogram.bins);
}
