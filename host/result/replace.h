/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that appear whole or not at all. */
#ifndef WS_RESULT_REPLACE_H
#define WS_RESULT_REPLACE_H

#include <stddef.h>

/*
 * Writes `bytes` of `data` to a temporary file beside `path`, syncs it, renames it
 * into its place and syncs the folder. 0, or a negative errno, and then the
 * temporary file is gone and the old file untouched. A symbolic link is followed; a
 * pipe or a device is written straight.
 */
int replace_file(const char *path, const void *data, size_t bytes);

#endif
