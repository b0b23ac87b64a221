/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history's file: lines that are only ever added.
 *
 * Whoever adds holds the file's lock (flock) alone, and whoever reads shares it: a
 * reader never sees half of an addition that is under way. An addition is one write
 * and one sync; one that fails is taken back. What a crash has left of a line at the
 * end is torn: readers leave it out, and who adds next moves it to FILE.torn.
 */
#ifndef WS_RESULT_ROW_FILE_H
#define WS_RESULT_ROW_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"
#include "host/history/row.h"

struct row_file;

/*
 * Opens and locks; waits for whoever has it locked. To add, the file is created where
 * there is none. 0, or a negative errno with `err`.
 */
int row_file_open(const char *path, bool add, struct row_file **out, struct error *err);
void row_file_close(struct row_file *f);

/* Bytes of a torn last line; moved to FILE.torn where the file was opened to add. */
size_t row_file_torn(const struct row_file *f);

/*
 * Calls take() for every line but a torn one, in order, until it returns what is not
 * 0. Strings belong to `names`. That, or 0, or -EINVAL with `err` that names the line.
 */
int row_file_read(const struct row_file *f, struct row_names *names,
		  int (*take)(void *ctx, const struct row *row), void *ctx,
		  struct error *err);

/* Adds lines: all of them, synced, or none and a negative errno with `err`. */
int row_file_add(struct row_file *f, const char *lines, size_t bytes, struct error *err);

#endif
