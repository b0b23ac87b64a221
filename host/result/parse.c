/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From text to a document, or to one benchmark of it. */
#include "host/result/result.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "host/lib/error.h"
#include "host/result/layout.h"
#include "host/result/member.h"
#include "host/result/load.h"

/*
 * A key that stands twice means something else to every reader, so it is an
 * error. Integers beyond 64 bits, NaN and Infinity are errors to jansson.
 */
static json_t *parse_json(const char *text, size_t bytes, struct error *err)
{
	json_error_t json;
	json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &json);

	if (!value)
		error_set(err, -EINVAL, "line %d column %d: %s", json.line, json.column,
			  json.text);
	return value;
}

int load_text(struct result_store *store, const struct layout *layout, const char *text,
	      size_t bytes, void *base, struct error *err)
{
	json_t *value = parse_json(text, bytes, err);
	int rc;

	if (!value)
		return -EINVAL;
	rc = load_object(store, layout, value, base, err);
	json_decref(value);
	return rc;
}

bool load_names(const char *text, size_t bytes, const char *name)
{
	json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(value, "schema"));
	bool names = schema && !strcmp(schema, name);

	json_decref(value);
	return names;
}

int result_parse(const char *text, size_t bytes, struct result **out, struct error *err)
{
	json_t *value = parse_json(text, bytes, err);
	struct result *r;
	int rc;

	*out = NULL;
	if (!value)
		return -EINVAL;
	r = result_new();
	rc = load_object(r->store, &layout_result, value, r, err);
	json_decref(value);
	if (rc)
		result_free(r);
	else
		*out = r;
	return rc;
}

int result_benchmark_parse(struct result *r, const char *text, size_t bytes,
			   struct error *err)
{
	json_t *value = parse_json(text, bytes, err);
	struct result_benchmark b;
	int rc;

	if (!value)
		return -EINVAL;
	member_clear(&layout_benchmark, &b);
	rc = load_object(r->store, &layout_benchmark, value, &b, err);
	json_decref(value);
	if (rc)
		member_free_bins(&b);
	else
		*result_add_benchmark(r) = b;
	return rc;
}
