/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs without liblz4 and libzstd: static ones, and builds without the libraries.
 * Such kernels decompress themselves in the machine.
 */
#include "host/targets/lab/preload.h"

bool lab_vmlinux_lz4(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes)
{
	(void)in;
	(void)bytes;
	(void)out;
	(void)out_bytes;
	return false;
}

bool lab_vmlinux_zstd(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes)
{
	(void)in;
	(void)bytes;
	(void)out;
	(void)out_bytes;
	return false;
}
