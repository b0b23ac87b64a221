/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object of values, flat objects and arrays of these, for what commands print
 * under --json, so that <jansson.h> stays in this folder. All calls abort on lack of
 * memory. Text that is not UTF-8 becomes null.
 */
#ifndef WS_RESULT_JSON_LIST_H
#define WS_RESULT_JSON_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct json_list;

struct json_list *json_list_new(void);

/* Makes sure that there is an array called `array`, if only an empty one. */
void json_list_array(struct json_list *l, const char *array);

/* Begins a row of the array called `array`, which is created where it is new. */
void json_list_row(struct json_list *l, const char *array);

/* Begins an object that is the member `key`; back to the whole. */
void json_list_object(struct json_list *l, const char *key);
void json_list_top(struct json_list *l);

/*
 * Members of the row or object begun last, or of the whole. A NULL value, NAN and
 * infinity are written as null.
 */
void json_list_string(struct json_list *l, const char *key, const char *value);
void json_list_real(struct json_list *l, const char *key, double value);
void json_list_count(struct json_list *l, const char *key, size_t value);
void json_list_bool(struct json_list *l, const char *key, bool value);
void json_list_strings(struct json_list *l, const char *key, const char *const *values,
		       size_t n);

/* NAN and infinite: null. */
void json_list_number(struct json_list *l, const char *key, double value);

/* The text, 2 spaces, keys in the order given, newline at the end. free() it. */
char *json_list_dump(const struct json_list *l);
void json_list_free(struct json_list *l);

#endif
