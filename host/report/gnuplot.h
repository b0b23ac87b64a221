/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs gnuplot on a script. */
#ifndef WS_VIEW_GNUPLOT_H
#define WS_VIEW_GNUPLOT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Prints `text` as a gnuplot string. Single-quoted, where gnuplot expands neither
 * escapes nor `commands`; what could end the line or the quotes is replaced.
 */
void gnuplot_quote(FILE *f, const char *text);

/* Where a script finds the file that it is to write. */
#define GNUPLOT_OUTPUT "/dev/fd/3"

/*
 * Runs `script`; what it writes to GNUPLOT_OUTPUT goes to `output_fd`. 0; -ENOENT
 * where there is no gnuplot; -EIO where it failed, with its last words in `why`; or
 * the negative errno of starting it.
 */
int gnuplot_run(const char *script, int output_fd, char *why, size_t why_bytes);

#endif
