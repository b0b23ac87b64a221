/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip in memory, by zlib. */
#include "host/lib/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_BITS (15 + 16) /* of the window, and a gzip header */

int gzip_pack(const char *text, size_t bytes, unsigned char **out, size_t *packed)
{
	z_stream z = { .zalloc = Z_NULL };
	int rc;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_BITS, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	*packed = deflateBound(&z, bytes);
	*out = malloc(*packed);
	if (!*out) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (unsigned char *)text;
	z.avail_in = (uInt)bytes;
	z.next_out = *out;
	z.avail_out = (uInt)*packed;
	rc = deflate(&z, Z_FINISH);
	*packed = z.total_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -EIO;
}

int gzip_unpack(const char *packed, size_t bytes, size_t max, char **out, size_t *size)
{
	z_stream z = { .next_in = (unsigned char *)packed, .avail_in = (uInt)bytes };
	size_t room = 0;
	int rc = Z_OK;

	*out = NULL;
	if (inflateInit2(&z, GZIP_BITS) != Z_OK)
		return -ENOMEM;
	while (rc == Z_OK && z.total_out == room && room < max) {
		char *grown = realloc(*out, room = 2 * room + 65536);

		if (!grown) {
			rc = Z_MEM_ERROR;
			break;
		}
		*out = grown;
		z.next_out = (unsigned char *)grown + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		rc = inflate(&z, Z_NO_FLUSH);
	}
	*size = z.total_out;
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_STREAM_END ? 0 : -EBADMSG;
}
