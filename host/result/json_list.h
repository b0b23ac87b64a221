/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object of values, flat objects and arrays of flat objects: the --json output of
 * the commands. Keeps <jansson.h> out of other folders. All functions abort if out of
 * memory. Text that is not UTF-8 becomes null.
 */
#ifndef WS_RESULT_JSON_LIST_H
#define WS_RESULT_JSON_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct json_list;

struct json_list *json_list_new(void);

/* Creates the array `array` unless it exists. */
void json_list_array(struct json_list *l, const char *array);

/* Begins an object in the array `array`, which is created if needed. */
void json_list_row(struct json_list *l, const char *array);

/* json_list_object(): begins an object, member `key`. json_list_top(): back to the root.
 */
void json_list_object(struct json_list *l, const char *key);
void json_list_top(struct json_list *l);

/*
 * Sets a member of the object begun last, or of the root. NULL, NAN and infinity become
 * null. json_list_number() writes a whole number as an integer.
 */
void json_list_string(struct json_list *l, const char *key, const char *value);
void json_list_real(struct json_list *l, const char *key, double value);
void json_list_count(struct json_list *l, const char *key, size_t value);
void json_list_bool(struct json_list *l, const char *key, bool value);
void json_list_strings(struct json_list *l, const char *key, const char *const *values,
		       size_t n);
void json_list_number(struct json_list *l, const char *key, double value);

/* The text: 2 spaces, keys in the order of the calls, newline at the end. free() it. */
char *json_list_dump(const struct json_list *l);
void json_list_free(struct json_list *l);

#endif
