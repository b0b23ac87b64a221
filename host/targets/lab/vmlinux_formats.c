/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels in LZ4 and Zstandard, by liblz4 and libzstd. */
#include <lz4.h>
#include <zstd.h>

#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"

/* What `lz4 -l` compresses at once: a block is not longer, unpacked. */
#define LZ4_BLOCK_BYTES (8u << 20)

/* Blocks after their sizes, which do not refer to each other. */
bool lab_vmlinux_lz4(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes)
{
	size_t at = 4, done = 0;

	while (done < out_bytes && bytes - at > 4) {
		const size_t size = lab_get_le32(in + at), left = out_bytes - done;
		const size_t room = left < LZ4_BLOCK_BYTES ? left : LZ4_BLOCK_BYTES;
		int n;

		at += 4;
		if (size > bytes - at || size > LZ4_COMPRESSBOUND(LZ4_BLOCK_BYTES))
			return false;
		n = LZ4_decompress_safe((const char *)in + at, (char *)out + done,
					(int)size, (int)room);
		if (n <= 0)
			return false;
		at += size;
		done += (size_t)n;
	}
	return done == out_bytes && at == bytes;
}

bool lab_vmlinux_zstd(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes)
{
	return ZSTD_decompress(out, out_bytes, in, bytes) == out_bytes;
}
