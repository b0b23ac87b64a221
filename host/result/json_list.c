/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON object of values, flat objects and arrays of flat objects. */
#include "host/result/json_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/result/codec.h"

struct json_list {
	json_t *root;
	json_t *row; /* borrowed from root, or root itself */
};

/* jansson fails only if out of memory, or if `value` is NULL. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		abort();
}

static json_t *text(const char *value)
{
	return value ? codec_text(value) : json_null();
}

struct json_list *json_list_new(void)
{
	struct json_list *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->root = l->row = json_object();
	if (!l->root)
		abort();
	return l;
}

static json_t *rows(struct json_list *l, const char *array)
{
	json_t *found = json_object_get(l->root, array);

	if (found)
		return found;
	found = json_array();
	set(l->root, array, found);
	return found;
}

void json_list_array(struct json_list *l, const char *array)
{
	rows(l, array);
}

void json_list_row(struct json_list *l, const char *array)
{
	l->row = json_object();
	if (json_array_append_new(rows(l, array), l->row))
		abort();
}

void json_list_object(struct json_list *l, const char *key)
{
	l->row = json_object();
	set(l->root, key, l->row);
}

void json_list_top(struct json_list *l)
{
	l->row = l->root;
}

void json_list_real(struct json_list *l, const char *key, double value)
{
	set(l->row, key, isfinite(value) ? json_real(value) : json_null());
}

void json_list_count(struct json_list *l, const char *key, size_t value)
{
	set(l->row, key, json_integer((json_int_t)value));
}

void json_list_string(struct json_list *l, const char *key, const char *value)
{
	set(l->row, key, text(value));
}

void json_list_bool(struct json_list *l, const char *key, bool value)
{
	set(l->row, key, json_boolean(value));
}

void json_list_strings(struct json_list *l, const char *key, const char *const *values,
		       size_t n)
{
	json_t *array = json_array();

	set(l->row, key, array);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, text(values[i])))
			abort();
}

void json_list_number(struct json_list *l, const char *key, double value)
{
	set(l->row, key, codec_number(value));
}

char *json_list_dump(const struct json_list *l)
{
	char *body = json_dumps(l->root, JSON_INDENT(2)), *line;

	if (!body || asprintf(&line, "%s\n", body) < 0)
		abort();
	free(body);
	return line;
}

void json_list_free(struct json_list *l)
{
	json_decref(l->root);
	free(l);
}
