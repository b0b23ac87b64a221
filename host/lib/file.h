/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: reading a whole file, replacing a file atomically; and gzip in memory. */
#ifndef WS_LIB_FILE_H
#define WS_LIB_FILE_H

#include <stddef.h>

#include "host/lib/error.h"

/*
 * Reads a file or a pipe into *text, which the caller frees, also after an error. The
 * number of bytes, or a negative errno; -EFBIG: more than `max` bytes.
 */
long file_read(const char *path, size_t max, char **text);

/* Writes all bytes, restarted after signals. 0 or a negative errno. */
int file_write(int fd, const char *text, size_t bytes);

/* fsync(), restarted after signals. 0 or a negative errno. */
int file_sync(int fd);

/* Syncs the directory entry of `path`. 0 or a negative errno. */
int file_sync_folder(const char *path);

/*
 * Gives a new, open file of root's to the user that started the program by sudo, if the
 * folder around it is that user's, or one for all users like /tmp.
 */
void file_give(int fd, const char *path);

/* Makes a folder, which is given like a file. 0 or a negative errno, such as -EEXIST. */
int file_make_folder(const char *path);
/* Makes a folder and those above it. 0, also if it exists, or a negative errno. */
int file_make_folders(const char *path);

/*
 * Writes `bytes` of `data` to a temporary file beside `path`, syncs the file, renames it
 * to `path` and syncs the folder: a reader sees the old contents or the new ones, never a
 * part. Temporary files of `path` that killed processes left are removed. Follows a
 * symbolic link. A pipe or a device is written in place. 0, or a negative errno; then the
 * temporary file is removed and the old file is unchanged.
 */
int file_replace(const char *path, const void *data, size_t bytes);

/* The last 256 bytes of a path, so that an error message keeps its cause. */
const char *file_tail(const char *path);

/* Sets "cannot WHAT PATH: strerror(-code)". Returns `code`. */
int file_error(struct error *err, const char *what, const char *path, int code);

/* *out: free() it. 0 or a negative errno. */
int gzip_pack(const char *text, size_t bytes, unsigned char **out, size_t *packed);

/*
 * *out, about `max` bytes at most: free() it, also after an error. 0 or a negative errno;
 * -EBADMSG: not gzip, cut short, or longer.
 */
int gzip_unpack(const char *packed, size_t bytes, size_t max, char **out, size_t *size);

#endif
