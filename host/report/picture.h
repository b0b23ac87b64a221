/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures: scripts that gnuplot draws into memory, or into files that are replaced as a
 * whole. */
#ifndef WS_REPORT_PICTURE_H
#define WS_REPORT_PICTURE_H

#include <stddef.h>

#include "host/lib/error.h"

struct picture {
	char *stem;    /* of the file: letters, digits, '-', '_', '.' */
	char *caption; /* one line: the text alternative */
	unsigned int width, height;
	char *script; /* gnuplot commands, without `set terminal` and `set output` */
	size_t script_bytes;
};

/* Owns the pictures and their strings. */
struct picture_list {
	struct picture *pictures;
	size_t n;
};

/* An empty picture at the end of the list. */
struct picture *picture_add(struct picture_list *list);
void picture_list_free(struct picture_list *list);

/*
 * Sets the stem of the list's last picture: other characters become '-', and a stem that
 * another picture has gets a number.
 */
void picture_name(struct picture_list *list, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum picture_format {
	PICTURE_SVG,
	PICTURE_PNG,
	PICTURE_FORMATS,
};

/*
 * Draws into memory: *text, `*bytes` long, for free(). 0, or a negative errno with
 * `err`: -ENOENT (no gnuplot), -EIO (gnuplot failed), or the error of starting gnuplot.
 */
int picture_render(const struct picture *p, enum picture_format format, char **text,
		   size_t *bytes, struct error *err);

/* Paths of files that were written; owns the strings. */
struct picture_files {
	char **paths;
	size_t n;
};
void picture_files_free(struct picture_files *files);

/*
 * Draws each picture as DIR/STEM.svg and .png. Creates `dir` and adds the paths of the
 * files to `files`, also on failure. Stops at the first failure: as above, or of opening
 * and writing.
 */
int picture_save(const struct picture_list *list, const char *dir,
		 struct picture_files *files, struct error *err);

#endif
