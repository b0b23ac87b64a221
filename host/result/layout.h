/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each object of the document lies in memory: one row per member of the
 * JSON object. Writing, reading and checking all walk these tables, so that
 * none of the three can forget a member. results/schema.json says the same to
 * the rest of the world; tests/schema_check.py compares the two.
 */
#ifndef WS_RESULT_LAYOUT_H
#define WS_RESULT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "host/result/result.h"

enum field_kind {
	FIELD_STRING,  /* const char * */
	FIELD_STRINGS, /* const char ** and a count */
	FIELD_BOOL,
	FIELD_COUNT,   /* unsigned, 4 or 8 bytes */
	FIELD_KNOWN,   /* the same, or signed; the value `none` is null in JSON */
	FIELD_REAL,    /* double; NAN is null */
	FIELD_CHOICE,  /* an enum: index into `words` */
	FIELD_OBJECT,  /* struct, or some members of this one: see `of` */
	FIELD_ARRAY,   /* pointer to structs, and a count */
	FIELD_BINS,    /* struct histogram_bin * and a count: [[low, count], ...] */
	FIELD_SCHEMA,  /* not in memory: the document's name, its one word */
	FIELD_VERSION, /* not in memory: max */
};

/* A member that may be null may also be missing, unless it is required. */
#define FIELD_REQUIRED (1u << 0)
#define FIELD_NULLABLE (1u << 1)

struct layout;

struct field {
	const char *key;
	enum field_kind kind;
	unsigned int flags;
	size_t offset;		  /* from the start of the struct */
	size_t bytes;		  /* of the member in the struct */
	size_t count_offset;	  /* of an array's size_t */
	int64_t none, min, max;	  /* integers; max 0: what the member can hold */
	const char *const *words; /* what a string or choice may be, to a NULL */
	const struct layout *of;  /* objects, arrays */
};

struct layout {
	const struct field *fields; /* in the order of the document, to a NULL key */
	size_t bytes;		    /* of the struct */
};

extern const struct layout layout_result, layout_benchmark, layout_metric, layout_boot;
extern const struct layout layout_run, layout_subject, layout_target, layout_machine,
	layout_warning, layout_explanation;

extern const char *const layout_status_words[];
extern const char *const layout_handler_words[];

#endif
