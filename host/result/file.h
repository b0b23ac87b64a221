/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What writing to files has in common. For host/result/ alone. */
#ifndef WS_RESULT_FILE_H
#define WS_RESULT_FILE_H

#include <stddef.h>

#include "host/lib/error.h"

/* All of a file or a pipe, in *text, which the caller frees. Its bytes, or a negative
 * errno. */
long file_read(const char *path, char **text);

/* All of it, and what lies on the disk, whatever interrupts. 0 or a negative errno. */
int file_write(int fd, const char *text, size_t bytes);
int file_sync(int fd);

/* Makes the entry of a file in its folder last. */
int file_sync_folder(const char *path);

/* The readable end of a path: an error is one line, and its reason comes last. */
const char *file_tail(const char *path);

/* "cannot WHAT PATH: strerror(-code)". Returns `code`. */
int file_cannot(struct error *err, const char *what, const char *path, int code);

#endif
