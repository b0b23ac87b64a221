/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result document as JSON text, and in files. */
#include "host/result/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"
#include "host/result/codec.h"

char *result_dump(const struct result *r)
{
	return codec_dump(&layout_result, r);
}

int result_parse(const char *text, size_t bytes, struct result **out, struct error *err)
{
	struct result *r = result_new();
	int rc = codec_load(r->store, &layout_result, text, bytes, r, err);

	if (rc)
		result_free(r);
	*out = rc ? NULL : r;
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

bool result_is_not_in(const char *path)
{
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	bool other = bytes > 0 && codec_is_other(text, (size_t)bytes, RESULT_SCHEMA);

	free(text);
	return other;
}

int result_write(const char *path, const struct result *r, struct error *err)
{
	char *text = result_dump(r);
	int rc = file_replace(path, text, strlen(text));

	free(text);
	return rc ? file_error(err, "write", path, rc) : 0;
}
