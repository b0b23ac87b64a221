/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of documents: from C structs to JSON and back, by tables.
 *
 * A layout is a table with a row per member of a JSON object. Encoding, decoding and
 * checking all walk the table, so that none of them can miss a member.
 * results/schema.json is the public form of the tables of document.c;
 * tests/schema_check.py compares the two. Only files of the codecs include this header.
 */
#ifndef WS_RESULT_CODEC_H
#define WS_RESULT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "host/lib/error.h"

enum field_kind {
	FIELD_STRING,  /* const char * */
	FIELD_STRINGS, /* const char ** and a count */
	FIELD_BOOL,
	FIELD_COUNT,   /* unsigned, 4 or 8 bytes */
	FIELD_KNOWN,   /* signed or unsigned; the value `none` is null in JSON */
	FIELD_REAL,    /* double; NAN is null */
	FIELD_CHOICE,  /* an enum: index into `words` */
	FIELD_OBJECT,  /* a struct, or members of the enclosing struct: see `of` */
	FIELD_ARRAY,   /* pointer to structs, and a count */
	FIELD_BINS,    /* struct histogram_bin * and a count: [[low, count], ...] */
	FIELD_SCHEMA,  /* constant: the only string of `words` */
	FIELD_VERSION, /* constant: `max` */
};

/* A nullable member can also be missing, unless it is required. */
#define FIELD_REQUIRED (1u << 0)
#define FIELD_NULLABLE (1u << 1)
#define FIELD_LEFT_OUT (1u << 2) /* null, false or an empty array is not written */

struct layout;
struct result_store;

struct field {
	const char *key;
	enum field_kind kind;
	unsigned int flags;
	size_t offset;		  /* from the start of the struct */
	size_t bytes;		  /* of the member in the struct */
	size_t count_offset;	  /* of an array's size_t */
	int64_t none, min, max;	  /* integers; max 0: the range of the type */
	const char *const *words; /* of a string or choice; ends with NULL */
	const struct layout *of;  /* objects, arrays */
};

struct layout {
	const struct field *fields; /* in the order of the document; ends with END */
	size_t bytes;		    /* of the struct */
};

/* Rows of the tables. */
#define REQUIRED FIELD_REQUIRED
#define NULLABLE FIELD_NULLABLE
#define BOTH	 (FIELD_REQUIRED | FIELD_NULLABLE)
#define LEFT_OUT (FIELD_NULLABLE | FIELD_LEFT_OUT)

#define MEMBER(type, member)                                                             \
	.offset = offsetof(struct type, member),                                         \
	.bytes = sizeof(((struct type *)0)->member)
#define ROW(kind_, key_, flags_) .key = (key_), .kind = FIELD_##kind_, .flags = (flags_)

#define FIELD(kind, key, flags, type, member)                                            \
	{                                                                                \
		ROW(kind, key, flags), MEMBER(type, member)                              \
	}
/* An integer; the value `unknown` is null. */
#define KNOWN(key, flags, type, member, unknown)                                         \
	{                                                                                \
		ROW(KNOWN, key, flags), MEMBER(type, member), .none = (unknown)          \
	}
/* A string or an enum out of a list of words. */
#define WORD(kind, key, type, member, list)                                              \
	{                                                                                \
		ROW(kind, key, REQUIRED), MEMBER(type, member), .words = (list)          \
	}
#define ARRAY(kind, key, type, member, element)                                          \
	{                                                                                \
		ROW(kind, key, REQUIRED), MEMBER(type, member),                          \
			.of = (element),                                                 \
			.count_offset = offsetof(struct type, n_##member)                \
	}
/* Arrays that older documents do not have: then they are empty. */
#define OPTIONAL_STRINGS(key, type, member)                                              \
	{                                                                                \
		ROW(STRINGS, key, 0), MEMBER(type, member),                              \
			.count_offset = offsetof(struct type, n_##member)                \
	}
#define OPTIONAL_ARRAY(key, type, member, element)                                       \
	{                                                                                \
		ROW(ARRAY, key, 0), MEMBER(type, member),                                \
			.of = (element),                                                 \
			.count_offset = offsetof(struct type, n_##member)                \
	}
/* An array that most documents do not have. */
#define RARE_ARRAY(key, type, member, element)                                           \
	{                                                                                \
		ROW(ARRAY, key, FIELD_LEFT_OUT), MEMBER(type, member),                   \
			.of = (element),                                                 \
			.count_offset = offsetof(struct type, n_##member)                \
	}
#define OBJECT(key, flags, type, member, layout)                                         \
	{                                                                                \
		ROW(OBJECT, key, flags), MEMBER(type, member), .of = (layout)            \
	}
/* A JSON object whose members are members of the enclosing struct. */
#define GROUP(key, flags, layout)                                                        \
	{                                                                                \
		ROW(OBJECT, key, flags), .of = (layout)                                  \
	}
/* The first two members of each document. */
#define NAMED(word)                                                                      \
	{                                                                                \
		ROW(SCHEMA, "schema", REQUIRED), .words = (word)                         \
	}
#define VERSIONED(version)                                                               \
	{                                                                                \
		ROW(VERSION, "schema_version", REQUIRED), .max = (version)               \
	}
#define END                                                                              \
	{                                                                                \
		.key = NULL                                                              \
	}

extern const struct layout layout_result, layout_benchmark, layout_metric, layout_boot;
extern const struct layout layout_run, layout_subject, layout_target, layout_machine,
	layout_warning;

extern const char *const layout_status_words[];
extern const char *const layout_handler_words[];

/* Clears a struct: zero, or `none` or NAN where a field has such a value. */
void codec_clear(const struct layout *layout, void *base);

/* JSON text of a document, as result_dump() returns it. */
char *codec_dump(const struct layout *layout, const void *base);

/*
 * Checks a JSON object or text against `layout` and fills in `base`, which is cleared.
 * 0, or -EINVAL with `err`. In both cases `store` owns the memory of the struct except
 * the bins of histograms, which the caller frees.
 */
int codec_load_object(struct result_store *store, const struct layout *layout,
		      const json_t *object, void *base, struct error *err);
int codec_load(struct result_store *store, const struct layout *layout, const char *text,
	       size_t bytes, void *base, struct error *err);

/* Whether a text is a JSON object whose member `schema` is `name`. */
bool codec_is_schema(const char *text, size_t bytes, const char *name);
/* Whether a text is JSON, but not such an object. */
bool codec_is_other(const char *text, size_t bytes, const char *name);

/*
 * A JSON string, number or null for any text and any value: JSON is UTF-8 without NaN,
 * but a command line, the name of a machine or a truncated name need not be UTF-8. In
 * such a text all bytes beyond ASCII are replaced: the document is not lost.
 */
json_t *codec_text(const char *text);
json_t *codec_number(double value);

/* A member of an object, an element of an array; `value` may be NULL: out of memory. */
void codec_add(json_t *object, const char *key, json_t *value);
void codec_append(json_t *array, json_t *value);

/* The integer of a FIELD_COUNT, FIELD_KNOWN or FIELD_CHOICE; false: null. */
bool codec_get(const struct field *f, const void *base, int64_t *value);
void codec_set(const struct field *f, void *base, int64_t value);

#endif
