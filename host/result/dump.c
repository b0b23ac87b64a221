/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From C values to JSON text. */
#include "host/result/dump.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/result/layout.h"
#include "host/result/member.h"
#include "host/result/result.h"
#include "host/result/store.h"

/* 17 digits tell any two doubles apart. */
#define DUMP_FLAGS JSON_REAL_PRECISION(17)

static json_t *dump_object(const struct layout *layout, const void *base);

static const void *member(const struct field *f, const void *base)
{
	return (const char *)base + f->offset;
}

static size_t count(const struct field *f, const void *base)
{
	size_t n;

	memcpy(&n, (const char *)base + f->count_offset, sizeof(n));
	return n;
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		store_check(NULL);
}

/*
 * JSON is UTF-8, a command line or a machine's own name for itself need not be:
 * what is not becomes question marks rather than the loss of a run.
 */
static json_t *string_value(const char *s)
{
	json_t *value = json_string(s);
	char *plain;

	if (value)
		return value;
	plain = store_check(strdup(s));
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	value = json_string(plain);
	free(plain);
	return value;
}

static json_t *dump_string(const struct field *f, const void *base)
{
	const char *s;

	memcpy(&s, member(f, base), sizeof(s));
	if (!s && f->flags & FIELD_NULLABLE)
		return json_null();
	return string_value(s ? s : "");
}

static json_t *dump_strings(const struct field *f, const void *base)
{
	json_t *array = json_array();
	size_t n = count(f, base);
	const char **strings;

	memcpy(&strings, member(f, base), sizeof(strings));
	for (size_t i = 0; i < n; i++)
		append(array, string_value(strings[i]));
	return array;
}

static json_t *dump_integer(const struct field *f, const void *base)
{
	int64_t value;

	return member_get(f, base, &value) ? json_integer(value) : json_null();
}

static json_t *dump_choice(const struct field *f, const void *base)
{
	int64_t value = 0;

	member_get(f, base, &value);
	return json_string(f->words[value]);
}

static json_t *dump_real(const struct field *f, const void *base)
{
	double value;

	memcpy(&value, member(f, base), sizeof(value));
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *dump_array(const struct field *f, const void *base)
{
	json_t *array = json_array();
	size_t n = count(f, base);
	const char *elements;

	memcpy(&elements, member(f, base), sizeof(elements));
	for (size_t i = 0; i < n; i++)
		append(array, dump_object(f->of, elements + i * f->of->bytes));
	return array;
}

static json_t *dump_bins(const struct field *f, const void *base)
{
	json_t *array = json_array();
	size_t n = count(f, base);
	const struct histogram_bin *bins;

	memcpy(&bins, member(f, base), sizeof(bins));
	for (size_t i = 0; i < n; i++)
		append(array, json_pack("[II]", (json_int_t)bins[i].low,
					(json_int_t)(bins[i].count & INT64_MAX)));
	return array;
}

static json_t *dump_field(const struct field *f, const void *base)
{
	bool set;

	switch (f->kind) {
	case FIELD_STRING:
		return dump_string(f, base);
	case FIELD_STRINGS:
		return dump_strings(f, base);
	case FIELD_BOOL:
		memcpy(&set, member(f, base), sizeof(set));
		return json_boolean(set);
	case FIELD_COUNT:
	case FIELD_KNOWN:
		return dump_integer(f, base);
	case FIELD_CHOICE:
		return dump_choice(f, base);
	case FIELD_REAL:
		return dump_real(f, base);
	case FIELD_OBJECT:
		return dump_object(f->of, member(f, base));
	case FIELD_ARRAY:
		return dump_array(f, base);
	case FIELD_BINS:
		return dump_bins(f, base);
	case FIELD_SCHEMA:
		return json_string(f->words[0]);
	case FIELD_VERSION:
		return json_integer(f->max);
	}
	return NULL;
}

/* Nothing known about it: every member null, or an array of nothing. */
static bool is_blank(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key,
			    value) if (!json_is_null(value) &&
				       !(json_is_array(value) &&
					 json_array_size(value) == 0)) return false;
	return true;
}

static json_t *dump_object(const struct layout *layout, const void *base)
{
	json_t *object = store_check(json_object());

	for (const struct field *f = layout->fields; f->key; f++) {
		json_t *value = store_check(dump_field(f, base));

		if (f->kind == FIELD_OBJECT && f->flags & FIELD_NULLABLE &&
		    is_blank(value)) {
			json_decref(value);
			if (!(f->flags & FIELD_REQUIRED))
				continue;
			value = json_null();
		}
		if (json_object_set_new(object, f->key, value))
			store_check(NULL);
	}
	return object;
}

/*
 * Puts every array of plain numbers on one line, in place: a histogram has
 * hundreds of pairs, and a pair in four lines is of no use to anybody. Returns
 * the end of the text.
 */
static char *join_number_lines(char *text)
{
	char *out = text;
	bool quoted = false;

	for (const char *in = text; *in; in++) {
		size_t span = *in == '[' ? strspn(in + 1, "0123456789+-.eE, \n") : 0;

		if (*in == '"')
			quoted = !quoted;
		*out++ = *in;
		if (quoted && *in == '\\')
			*out++ = *++in;
		if (quoted || span == 0 || in[1 + span] != ']')
			continue;
		for (const char *end = in + 1 + span; in + 1 < end; in++)
			if (!isspace((unsigned char)in[1]))
				*out++ = in[1];
			else if (out[-1] == ',')
				*out++ = ' ';
	}
	*out = '\0';
	return out;
}

char *dump_document(const struct layout *layout, const void *base)
{
	json_t *object = dump_object(layout, base);
	char *text = store_check(json_dumps(object, DUMP_FLAGS | JSON_INDENT(2)));
	size_t bytes;

	json_decref(object);
	bytes = (size_t)(join_number_lines(text) - text);
	text = store_check(realloc(text, bytes + 2));
	memcpy(text + bytes, "\n", 2);
	return text;
}

char *result_dump(const struct result *r)
{
	return dump_document(&layout_result, r);
}

char *result_benchmark_dump(const struct result_benchmark *b)
{
	json_t *object = dump_object(&layout_benchmark, b);
	char *text = store_check(json_dumps(object, DUMP_FLAGS | JSON_COMPACT));

	json_decref(object);
	return text;
}
