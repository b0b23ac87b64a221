/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures: what is to be drawn, and drawing it by gnuplot, into memory or into
 * files that appear whole or not at all.
 */
#ifndef WS_VIEW_PICTURE_H
#define WS_VIEW_PICTURE_H

#include <stddef.h>

#include "host/lib/error.h"

struct picture {
	char *stem;    /* of the file: letters, digits, '-', '_', '.' */
	char *caption; /* one line for whoever cannot see it */
	unsigned int width, height;
	char *script; /* gnuplot commands, but for `set terminal` and `set output` */
	size_t script_bytes;
};

/* Grows; the pictures and their strings are the list's own. */
struct picture_list {
	struct picture *pictures;
	size_t n;
};

/* An empty picture at the end of the list. */
struct picture *picture_add(struct picture_list *list);
void picture_list_free(struct picture_list *list);

/*
 * A stem for the list's newest picture: what may not stand in a file name becomes
 * '-', and a name that is taken gets a number.
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
 * `err` filled in: -ENOENT (no gnuplot), -EIO (it failed), or what running it said.
 */
int picture_render(const struct picture *p, enum picture_format format, char **text,
		   size_t *bytes, struct error *err);

/* Paths of files that were written; the strings are the list's own. */
struct picture_files {
	char **paths;
	size_t n;
};
void picture_files_free(struct picture_files *files);

/*
 * Draws each picture as DIR/STEM.svg and .png. Makes `dir`, replaces files whole or
 * not at all, and adds their paths to `files`, which is filled in either way. Ends
 * with the first failure: as above, or what opening and writing said.
 */
int picture_save(const struct picture_list *list, const char *dir,
		 struct picture_files *files, struct error *err);

#endif
