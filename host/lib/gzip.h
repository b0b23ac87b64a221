/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip in memory. */
#ifndef WS_LIB_GZIP_H
#define WS_LIB_GZIP_H

#include <stddef.h>

/* *out: free() it. 0 or a negative errno. */
int gzip_pack(const char *text, size_t bytes, unsigned char **out, size_t *packed);

/*
 * *out, about `max` bytes at most: free() it, also after an error. 0 or a negative errno;
 * -EBADMSG: not gzip, cut short, or longer.
 */
int gzip_unpack(const char *packed, size_t bytes, size_t max, char **out, size_t *size);

#endif
