/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pprof's profile.proto, gzipped. The messages are encoded here: a field is its number
 * and wire type, then a variable-length integer, or a length and bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/formats.h"
#include "host/lib/file.h"

/* Numbers of the fields of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	VALUE_TYPE_TYPE = 1,
	VALUE_TYPE_UNIT = 2,
	SAMPLE_LOCATION_ID = 1,
	SAMPLE_VALUE = 2,
	MAPPING_ID = 1,
	MAPPING_FILENAME = 5,
	MAPPING_HAS_FUNCTIONS = 7,
	LOCATION_ID = 1,
	LOCATION_MAPPING_ID = 2,
	LOCATION_LINE = 4,
	LINE_FUNCTION_ID = 1,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILENAME = 4,
};

struct message {
	unsigned char *bytes;
	size_t n, room;
};

static void append(struct message *m, const void *bytes, size_t n)
{
	if (!n) /* `bytes` of an empty message is NULL */
		return;
	if (m->n + n > m->room) {
		m->room = 2 * (m->n + n) + 64;
		m->bytes = realloc(m->bytes, m->room);
		if (!m->bytes)
			abort();
	}
	memcpy(m->bytes + m->n, bytes, n);
	m->n += n;
}

static void append_varint(struct message *m, uint64_t value)
{
	unsigned char byte;

	do {
		byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		append(m, &byte, 1);
		value >>= 7;
	} while (value);
}

static void append_number(struct message *m, unsigned int field, uint64_t value)
{
	append_varint(m, field << 3);
	append_varint(m, value);
}

static void append_bytes(struct message *m, unsigned int field, const void *bytes,
			 size_t n)
{
	append_varint(m, field << 3 | 2);
	append_varint(m, n);
	append(m, bytes, n);
}

/* Appends and empties `inner`. */
static void append_message(struct message *m, unsigned int field, struct message *inner)
{
	append_bytes(m, field, inner->bytes, inner->n);
	inner->n = 0;
}

struct strings {
	const char **list;
	size_t n, room;
};

/* The number of a string in the table, whose first string is empty. */
static size_t string_of(struct strings *t, const char *text)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->list[i], text) != 0)
		i++;
	if (i < t->n)
		return i;
	if (t->n == t->room) {
		t->room = 2 * t->room + 64;
		t->list = realloc(t->list, t->room * sizeof(*t->list));
		if (!t->list)
			abort();
	}
	t->list[t->n] = text;
	return t->n++;
}

static void append_types(struct message *m, struct strings *t, size_t n)
{
	struct message type = { 0 };

	for (size_t i = 0; i < n; i++) {
		append_number(&type, VALUE_TYPE_TYPE,
			      string_of(t, format_costs[i].title));
		append_number(&type, VALUE_TYPE_UNIT, string_of(t, "count"));
		append_message(m, PROFILE_SAMPLE_TYPE, &type);
	}
	free(type.bytes);
}

/* A function's location has the number of the function, from 1. */
static void append_samples(struct message *m, const struct explanation *e,
			   const struct format_functions *fs, size_t n)
{
	struct message sample = { 0 }, list = { 0 };
	uint64_t costs[FORMAT_COSTS];

	for (size_t i = 0; i < e->n_stacks; i++) {
		/* The innermost function is first. */
		for (size_t k = e->stacks[i].n_frames; k > 0; k--)
			append_varint(&list, fs->of[i][k - 1] + 1);
		append_message(&sample, SAMPLE_LOCATION_ID, &list);
		format_costs_get(&e->stacks[i], n, costs);
		for (size_t c = 0; c < n; c++)
			append_varint(&list, costs[c]);
		append_message(&sample, SAMPLE_VALUE, &list);
		append_message(m, PROFILE_SAMPLE, &sample);
	}
	free(sample.bytes);
	free(list.bytes);
}

/* Mappings are modules and spaces. */
static void append_functions(struct message *m, struct strings *t,
			     const struct format_functions *fs)
{
	struct message inner = { 0 }, line = { 0 };
	struct strings mappings = { 0 };

	string_of(&mappings, ""); /* numbers begin at 1 */
	for (size_t i = 0; i < fs->n; i++) {
		const char *object = format_object(&fs->list[i]);
		const size_t known = mappings.n, mapping = string_of(&mappings, object);

		if (mapping == known) {
			append_number(&inner, MAPPING_ID, mapping);
			append_number(&inner, MAPPING_FILENAME, string_of(t, object));
			append_number(&inner, MAPPING_HAS_FUNCTIONS, 1);
			append_message(m, PROFILE_MAPPING, &inner);
		}
		append_number(&line, LINE_FUNCTION_ID, i + 1);
		append_number(&inner, LOCATION_ID, i + 1);
		append_number(&inner, LOCATION_MAPPING_ID, mapping);
		append_message(&inner, LOCATION_LINE, &line);
		append_message(m, PROFILE_LOCATION, &inner);
		append_number(&inner, FUNCTION_ID, i + 1);
		append_number(&inner, FUNCTION_NAME, string_of(t, fs->list[i].name));
		append_number(&inner, FUNCTION_SYSTEM_NAME,
			      string_of(t, fs->list[i].name));
		append_number(&inner, FUNCTION_FILENAME, string_of(t, object));
		append_message(m, PROFILE_FUNCTION, &inner);
	}
	free(inner.bytes);
	free(line.bytes);
	free(mappings.list);
}

int format_pprof(FILE *f, const struct explanation *e)
{
	const size_t n = format_costs_of(e);
	struct message m = { 0 };
	struct format_functions fs;
	struct strings t = { 0 };
	char *title = format_title(e);
	unsigned char *packed = NULL;
	size_t bytes;
	int err;

	string_of(&t, "");
	format_functions(&fs, e);
	append_types(&m, &t, n);
	append_samples(&m, e, &fs, n);
	append_functions(&m, &t, &fs);
	append_number(&m, PROFILE_COMMENT, string_of(&t, title));
	append_number(&m, PROFILE_DEFAULT_SAMPLE_TYPE,
		      string_of(&t, format_costs[0].title));
	for (size_t i = 0; i < t.n; i++)
		append_bytes(&m, PROFILE_STRING_TABLE, t.list[i], strlen(t.list[i]));
	err = gzip_pack((const char *)m.bytes, m.n, &packed, &bytes);
	if (!err)
		fwrite(packed, 1, bytes, f);
	format_functions_free(&fs, e);
	free(packed);
	free(title);
	free(t.list);
	free(m.bytes);
	return err;
}
