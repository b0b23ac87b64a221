/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of saved state. */
#include <errno.h>
#include <string.h>

#include "host/vmm/records.h"

const uint8_t *record_next(const uint8_t **state, size_t *bytes, struct record *record)
{
	const uint8_t *data;

	if (*bytes < sizeof(*record))
		return NULL;
	memcpy(record, *state, sizeof(*record));
	if (record->bytes > *bytes - sizeof(*record) || record->zero)
		return NULL;
	data = *state + sizeof(*record);
	*state = data + record->bytes;
	*bytes -= sizeof(*record) + record->bytes;
	return data;
}

int record_write(FILE *out, uint64_t id, const void *data, size_t bytes)
{
	const struct record record = { .id = id, .bytes = (uint32_t)bytes };

	fwrite(&record, sizeof(record), 1, out);
	fwrite(data, 1, bytes, out);
	return ferror(out) ? -ENOMEM : 0;
}
