/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding of documents: from JSON to C structs, checked against the layout. */
#include "host/result/codec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/stats/summary.h"

/* `path`: the current position in the document, "/benchmarks/2/metrics/0". */
struct reader {
	struct result_store *store;
	struct error *err;
	char path[256];
};

/* A member whose "unknown" is negative is signed; other members are unsigned. */
static bool is_signed(const struct field *f)
{
	return f->kind == FIELD_KNOWN && f->none < 0;
}

/* The largest value of a FIELD_COUNT or FIELD_KNOWN. */
static int64_t max_of(const struct field *f)
{
	if (f->max)
		return f->max;
	if (f->bytes == sizeof(uint32_t))
		return is_signed(f) ? INT32_MAX : UINT32_MAX;
	return INT64_MAX;
}

bool codec_get(const struct field *f, const void *base, int64_t *value)
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

void codec_set(const struct field *f, void *base, int64_t value)
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
			codec_set(f, base, f->none);
		else if (f->kind == FIELD_REAL)
			*(double *)member = NAN;
		else if (f->kind == FIELD_OBJECT)
			clear_members(f->of, member);
	}
}

void codec_clear(const struct layout *layout, void *base)
{
	memset(base, 0, layout->bytes);
	clear_members(layout, base);
}

static int read_object(struct reader *rd, const struct layout *layout,
		       const json_t *object, void *base);

/* Appends a key to the path. Returns the previous length, for leave(). */
static size_t enter(struct reader *rd, const char *key)
{
	size_t here = strlen(rd->path);

	snprintf(rd->path + here, sizeof(rd->path) - here, "/%s", key);
	return here;
}

static size_t enter_index(struct reader *rd, size_t index)
{
	size_t here = strlen(rd->path);

	snprintf(rd->path + here, sizeof(rd->path) - here, "/%zu", index);
	return here;
}

static void leave(struct reader *rd, size_t here)
{
	rd->path[here] = '\0';
}

static int wrong(struct reader *rd, const char *what)
{
	return error_set(rd->err, -EINVAL, "%s: %s", *rd->path ? rd->path : "/", what);
}

static int wrong_type(struct reader *rd, const struct field *f, const char *type)
{
	char what[64];

	snprintf(what, sizeof(what), "expected %s%s", type,
		 f->flags & FIELD_NULLABLE ? " or null" : "");
	return wrong(rd, what);
}

/* Lists the valid words. The invalid string is not quoted: it can be arbitrary. */
static int wrong_word(struct reader *rd, const char *const *words)
{
	char what[256] = "expected";

	for (size_t i = 0; words[i]; i++) {
		size_t used = strlen(what);

		snprintf(what + used, sizeof(what) - used, "%s \"%s\"",
			 i == 0		? ""
			 : words[i + 1] ? ","
					: " or",
			 words[i]);
	}
	return wrong(rd, what);
}

/* JSON has one number type: 5.0 and 1e3 are integers. */
static bool whole_number(const json_t *value, int64_t *out)
{
	double real = json_real_value(value);

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return true;
	}
	if (!json_is_real(value) || real != floor(real) || real < (double)INT64_MIN ||
	    real >= -(double)INT64_MIN)
		return false;
	*out = (int64_t)real;
	return true;
}

static int check_integer(struct reader *rd, const json_t *value, int64_t min, int64_t max,
			 int64_t *out)
{
	char what[96];

	if (!whole_number(value, out))
		return wrong(rd, "expected an integer");
	if (*out >= min && *out <= max)
		return 0;
	if (min == 0 && *out < 0)
		return wrong(rd, "expected an integer that is not negative");
	snprintf(what, sizeof(what), "expected an integer from %lld to %lld",
		 (long long)min, (long long)max);
	return wrong(rd, what);
}

static const char *copy_string(struct reader *rd, const json_t *value)
{
	size_t bytes = json_string_length(value) + 1;

	return memcpy(store_alloc(rd->store, bytes), json_string_value(value), bytes);
}

/* The index of a string in a list of words; -1: not found. */
static int word_index(const char *const *words, const char *s)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			return i;
	return -1;
}

static int read_string(struct reader *rd, const struct field *f, const json_t *value,
		       void *base)
{
	const char *s;

	if (!json_is_string(value))
		return wrong_type(rd, f, "a string");
	if (f->words && word_index(f->words, json_string_value(value)) < 0)
		return wrong_word(rd, f->words);
	s = copy_string(rd, value);
	memcpy((char *)base + f->offset, &s, sizeof(s));
	return 0;
}

/* Stores the pointer of an array. The count grows with each element that is read. */
static void set_array(const struct field *f, void *base, const void *array)
{
	memcpy((char *)base + f->offset, &array, sizeof(array));
}

static void set_count(const struct field *f, void *base, size_t n)
{
	memcpy((char *)base + f->count_offset, &n, sizeof(n));
}

static int read_strings(struct reader *rd, const struct field *f, const json_t *array,
			void *base)
{
	size_t n = json_array_size(array);
	const char **strings;

	if (!json_is_array(array))
		return wrong_type(rd, f, "an array");
	strings = store_array(rd->store, n, sizeof(*strings));
	set_array(f, base, strings);
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(array, i);

		if (!json_is_string(value)) {
			enter_index(rd, i);
			return wrong(rd, "expected a string");
		}
		strings[i] = copy_string(rd, value);
		set_count(f, base, i + 1);
	}
	return 0;
}

static int read_array(struct reader *rd, const struct field *f, const json_t *array,
		      void *base)
{
	size_t n = json_array_size(array);
	char *elements;

	if (!json_is_array(array))
		return wrong_type(rd, f, "an array");
	elements = store_array(rd->store, n, f->of->bytes);
	set_array(f, base, elements);
	for (size_t i = 0; i < n; i++) {
		char *element = elements + i * f->of->bytes;
		size_t here = enter_index(rd, i);
		int err;

		codec_clear(f->of, element);
		set_count(f, base, i + 1);
		err = read_object(rd, f->of, json_array_get(array, i), element);
		if (err)
			return err;
		leave(rd, here);
	}
	return 0;
}

static int read_bin(struct reader *rd, const json_t *pair, struct histogram_bin *bin)
{
	int64_t count = 0;
	size_t here;
	int err;

	if (!json_is_array(pair) || json_array_size(pair) != 2)
		return wrong(rd, "expected a pair [low, count]");
	here = enter_index(rd, 0);
	err = check_integer(rd, json_array_get(pair, 0), INT64_MIN, INT64_MAX, &bin->low);
	if (err)
		return err;
	leave(rd, here);
	enter_index(rd, 1);
	err = check_integer(rd, json_array_get(pair, 1), 1, INT64_MAX, &count);
	bin->count = (uint64_t)count;
	return err;
}

static int read_bins(struct reader *rd, const struct field *f, const json_t *array,
		     void *base)
{
	size_t n = json_array_size(array);
	struct histogram_bin *bins;

	if (!json_is_array(array))
		return wrong_type(rd, f, "an array");
	if (n == 0)
		return 0;
	bins = store_check(calloc(n, sizeof(*bins)));
	set_array(f, base, bins);
	set_count(f, base, n);
	for (size_t i = 0; i < n; i++) {
		size_t here = enter_index(rd, i);
		int err = read_bin(rd, json_array_get(array, i), &bins[i]);

		if (err)
			return err;
		leave(rd, here);
	}
	return 0;
}

static int read_value(struct reader *rd, const struct field *f, const json_t *value,
		      void *base)
{
	char *member = (char *)base + f->offset, what[96];
	int64_t integer = 0;
	double real;
	bool set;
	int rc;

	switch (f->kind) {
	case FIELD_STRING:
		return read_string(rd, f, value, base);
	case FIELD_STRINGS:
		return read_strings(rd, f, value, base);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong_type(rd, f, "true or false");
		set = json_is_true(value);
		memcpy(member, &set, sizeof(set));
		return 0;
	case FIELD_COUNT:
	case FIELD_KNOWN:
		rc = check_integer(rd, value, f->min, max_of(f), &integer);
		if (!rc)
			codec_set(f, base, integer);
		return rc;
	case FIELD_CHOICE:
		if (!json_is_string(value))
			return wrong_type(rd, f, "a string");
		integer = word_index(f->words, json_string_value(value));
		if (integer < 0)
			return wrong_word(rd, f->words);
		codec_set(f, base, integer);
		return 0;
	case FIELD_REAL:
		if (!json_is_number(value))
			return wrong_type(rd, f, "a number");
		real = json_number_value(value);
		memcpy(member, &real, sizeof(real));
		return 0;
	case FIELD_OBJECT:
		return read_object(rd, f->of, value, member);
	case FIELD_ARRAY:
		return read_array(rd, f, value, base);
	case FIELD_BINS:
		return read_bins(rd, f, value, base);
	case FIELD_SCHEMA:
		if (json_is_string(value) &&
		    !strcmp(json_string_value(value), f->words[0]))
			return 0;
		return wrong_word(rd, f->words);
	case FIELD_VERSION:
		if (whole_number(value, &integer) && integer == f->max)
			return 0;
		if (integer > f->max)
			snprintf(what, sizeof(what),
				 "version %lld is newer than this program's, %lld",
				 (long long)integer, (long long)f->max);
		else
			snprintf(what, sizeof(what), "expected %lld", (long long)f->max);
		return wrong(rd, what);
	}
	return -EINVAL;
}

/* `base` is cleared: members that are null or missing keep the cleared value. */
static int read_object(struct reader *rd, const struct layout *layout,
		       const json_t *object, void *base)
{
	if (!json_is_object(object))
		return wrong(rd, "expected an object");
	for (const struct field *f = layout->fields; f->key; f++) {
		const json_t *value = json_object_get(object, f->key);
		size_t here = enter(rd, f->key);
		int err = 0;

		if (!value && f->flags & FIELD_REQUIRED)
			err = wrong(rd, "missing");
		else if (value && !(json_is_null(value) && f->flags & FIELD_NULLABLE))
			err = read_value(rd, f, value, base);
		if (err)
			return err;
		leave(rd, here);
	}
	return 0;
}

int codec_load_object(struct result_store *store, const struct layout *layout,
		      const json_t *object, void *base, struct error *err)
{
	struct reader rd = { .store = store, .err = err };

	return read_object(&rd, layout, object, base);
}

#define READ_HISTORY "'wsbench history show --db FILE'"
#define IS_A_HISTORY " (a history: " READ_HISTORY ")"

/* Lines of JSON, of which the first is a row of a history. */
static bool is_history(const char *text, size_t bytes)
{
	json_t *row = json_loadb(text, bytes, JSON_DISABLE_EOF_CHECK, NULL);
	const char *schema = json_string_value(json_object_get(row, "schema"));
	bool is = schema && !strcmp(schema, "worldswitch.history");

	json_decref(row);
	return is;
}

/* A file of another kind: the error of its schema gets its kind. */
static void name_schema(const json_t *value, struct error *err)
{
	static const struct {
		const char *schema, *what;
	} kinds[] = {
		{ "worldswitch.result", "a result document" },
		{ "worldswitch.explanation", "an explanation" },
		{ "worldswitch.compare", "a comparison" },
		{ "worldswitch.budget", "a budget" },
	};
	const char *schema = json_string_value(json_object_get(value, "schema"));
	const size_t used = strlen(err->text);

	if (strncmp(err->text, "/schema: ", strlen("/schema: ")) != 0 || !schema)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(schema, kinds[i].schema))
			snprintf(err->text + used, sizeof(err->text) - used,
				 " (the file is %s)", kinds[i].what);
}

int codec_load(struct result_store *store, const struct layout *layout, const char *text,
	       size_t bytes, void *base, struct error *err)
{
	/* Parsers disagree which of two equal keys counts. */
	json_error_t json;
	json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &json);
	int rc;

	if (!value && bytes > 1 && (unsigned char)text[0] == 0x1f &&
	    (unsigned char)text[1] == 0x8b)
		return error_set(
			err, -EINVAL,
			"not JSON, but compressed by gzip (a history: " READ_HISTORY
			"; anything else: gunzip it first)");
	if (!value)
		return error_set(err, -EINVAL, "not JSON: line %d column %d: %s%s",
				 json.line, json.column, json.text,
				 is_history(text, bytes) ? IS_A_HISTORY : "");
	rc = codec_load_object(store, layout, value, base, err);
	if (rc)
		name_schema(value, err);
	json_decref(value);
	return rc;
}

bool codec_is_schema(const char *text, size_t bytes, const char *name)
{
	json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(value, "schema"));
	bool is_schema = schema && !strcmp(schema, name);

	json_decref(value);
	return is_schema;
}

bool codec_is_other(const char *text, size_t bytes, const char *name)
{
	json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	bool is_json = value;

	json_decref(value);
	return is_json && !codec_is_schema(text, bytes, name);
}
