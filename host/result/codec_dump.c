/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encoding of documents: from C structs to JSON text. */
#include "host/result/codec.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/stats/summary.h"

/* 17 digits distinguish all doubles. */
#define DUMP_FLAGS JSON_REAL_PRECISION(17)

static size_t count(const struct field *f, const void *base)
{
	size_t n;

	memcpy(&n, (const char *)base + f->count_offset, sizeof(n));
	return n;
}

void codec_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, store_check(value)))
		store_check(NULL);
}

void codec_add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, store_check(value)))
		store_check(NULL);
}

json_t *codec_text(const char *text)
{
	json_t *value = json_string(text);
	char *plain;

	if (value)
		return value;
	plain = store_check(strdup(text));
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	value = store_check(json_string(plain));
	free(plain);
	return value;
}

json_t *codec_number(double value)
{
	if (!isfinite(value))
		return json_null();
	if (value == floor(value) && fabs(value) < 1e15)
		return json_integer((json_int_t)value);
	return json_real(value);
}

static json_t *dump_strings(const char *const *strings, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		codec_append(array, codec_text(strings[i]));
	return array;
}

static json_t *dump_object(const struct layout *layout, const void *base);

static json_t *dump_array(const struct layout *of, const char *elements, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		codec_append(array, dump_object(of, elements + i * of->bytes));
	return array;
}

static json_t *dump_bins(const struct histogram_bin *bins, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		codec_append(array, json_pack("[II]", (json_int_t)bins[i].low,
					      (json_int_t)(bins[i].count & INT64_MAX)));
	return array;
}

static json_t *dump_field(const struct field *f, const void *base)
{
	const void *member = (const char *)base + f->offset;
	const void *pointer;
	int64_t integer = 0;
	double real;
	bool set;

	switch (f->kind) {
	case FIELD_STRING:
		memcpy(&pointer, member, sizeof(pointer));
		if (!pointer && f->flags & FIELD_NULLABLE)
			return json_null();
		return codec_text(pointer ? pointer : "");
	case FIELD_STRINGS:
		memcpy(&pointer, member, sizeof(pointer));
		return dump_strings(pointer, count(f, base));
	case FIELD_BOOL:
		memcpy(&set, member, sizeof(set));
		return json_boolean(set);
	case FIELD_COUNT:
	case FIELD_KNOWN:
		return codec_get(f, base, &integer) ? json_integer(integer) : json_null();
	case FIELD_CHOICE:
		codec_get(f, base, &integer);
		return json_string(f->words[integer]);
	case FIELD_REAL:
		memcpy(&real, member, sizeof(real));
		return isfinite(real) ? json_real(real) : json_null();
	case FIELD_OBJECT:
		return dump_object(f->of, member);
	case FIELD_ARRAY:
		memcpy(&pointer, member, sizeof(pointer));
		return dump_array(f->of, pointer, count(f, base));
	case FIELD_BINS:
		memcpy(&pointer, member, sizeof(pointer));
		return dump_bins(pointer, count(f, base));
	case FIELD_SCHEMA:
		return json_string(f->words[0]);
	case FIELD_VERSION:
		return json_integer(f->max);
	}
	return NULL;
}

/* Whether all members are null or empty arrays. */
static bool is_blank(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!json_is_null(value) &&
		    !(json_is_array(value) && json_array_size(value) == 0))
			return false;
	}
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
		if (f->flags & FIELD_LEFT_OUT &&
		    (json_is_null(value) || json_is_false(value) ||
		     (f->kind == FIELD_ARRAY && !count(f, base)))) {
			json_decref(value);
			continue;
		}
		codec_add(object, f->key, value);
	}
	return object;
}

/*
 * Puts each array of numbers on one line, in place: a histogram has hundreds of pairs,
 * which jansson writes on four lines each. Returns the end of the text.
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

char *codec_dump(const struct layout *layout, const void *base)
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
