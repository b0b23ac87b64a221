/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result document as JSON text, and in files. */
#include "host/result/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"
#include "host/result/codec.h"
#include "host/result/store.h"

char *result_dump(const struct result *r)
{
	return codec_dump(&layout_result, r);
}

char *result_benchmark_dump(const struct result_benchmark *b)
{
	json_t *object = codec_dump_object(&layout_benchmark, b);
	char *text =
		store_check(json_dumps(object, JSON_REAL_PRECISION(17) | JSON_COMPACT));

	json_decref(object);
	return text;
}

int result_parse(const char *text, size_t bytes, struct result **out, struct error *err)
{
	json_t *value = codec_parse(text, bytes, err);
	struct result *r;
	int rc;

	*out = NULL;
	if (!value)
		return -EINVAL;
	r = result_new();
	rc = codec_load_object(r->store, &layout_result, value, r, err);
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
	json_t *value = codec_parse(text, bytes, err);
	struct result_benchmark b;
	int rc;

	if (!value)
		return -EINVAL;
	codec_clear(&layout_benchmark, &b);
	rc = codec_load_object(r->store, &layout_benchmark, value, &b, err);
	json_decref(value);
	if (rc)
		result_free_bins(&b);
	else
		*result_add_benchmark(r) = b;
	return rc;
}

int result_read(const char *path, struct result **out, struct error *err)
{
	struct error inner;
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	int rc;

	*out = NULL;
	if (bytes < 0) {
		rc = file_error(err, "read", path, (int)bytes);
	} else {
		rc = result_parse(text, (size_t)bytes, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(path), inner.text);
	}
	free(text);
	return rc;
}

int result_write(const char *path, const struct result *r, struct error *err)
{
	char *text = result_dump(r);
	int rc = file_replace(path, text, strlen(text));

	free(text);
	return rc ? file_error(err, "write", path, rc) : 0;
}
