/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures: scripts that gnuplot draws into memory, or into files that are replaced as a
 * whole; and the elements that the scripts consist of.
 */
#ifndef WS_REPORT_PICTURE_H
#define WS_REPORT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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

/* ------------------------------ elements ------------------------------ */

/*
 * As gnuplot commands. Text, swatches and panels are placed in pixels from the top left
 * corner, so that the layout does not depend on gnuplot's font metrics.
 */

#define FIGURE_WIDTH 1280u
#define FIGURE_EDGE  24 /* pixels between text and the edge */

/* Heights, in pixels. */
#define FIGURE_HEAD   78 /* title and subtitle */
#define FIGURE_LEGEND 22 /* a line of the legend */

struct figure {
	FILE *f;
	unsigned int width, height;
};

enum figure_align {
	FIGURE_LEFT,
	FIGURE_CENTER,
	FIGURE_RIGHT,
};

struct figure_pen {
	enum figure_align align;
	unsigned int size; /* points */
	unsigned int color;
};

/* The area of the axes, in pixels. */
struct figure_panel {
	double left, top, right, bottom;
};

/* The mark of a series in a legend. */
enum figure_mark {
	FIGURE_SWATCH,
	FIGURE_LINE,	 /* dashed by the series' number */
	FIGURE_HATCH,	 /* outlined */
	FIGURE_BREAK,	 /* upright, dashed */
	FIGURE_POINT_UP, /* filled triangles and circles */
	FIGURE_POINT_DOWN,
	FIGURE_POINT,
	FIGURE_POINT_OPEN,
};

/*
 * Prints `text` as a gnuplot string: single-quoted, where gnuplot expands neither escapes
 * nor `commands`; characters that could end the line or the quotes are replaced.
 */
void figure_quote(FILE *f, const char *text);

void figure_begin(const struct figure *g);

/* An upper bound of the width of `text` in pixels: the font is not known. */
double figure_text_width(const char *text, unsigned int size);

void figure_text(const struct figure *g, double x, double y, const struct figure_pen *pen,
		 const char *text);
/* Text at a position of the axes, `dx` pixels to the right. */
void figure_text_at(const struct figure *g, double x, double y, double dx,
		    const struct figure_pen *pen, const char *text);

/* Title and subtitle. */
void figure_head(const struct figure *g, const char *title, const char *subtitle);
/* A remark in the bottom right corner. */
void figure_foot(const struct figure *g, const char *text);
/* A second remark, above the first. */
void figure_foot_above(const struct figure *g, const char *text);
/* Line `line` of the legend, below the head. */
void figure_legend(const struct figure *g, size_t line, enum figure_mark mark,
		   size_t series, const char *text);

/* The background of a row from `top` to `bottom`, in units of the y axis. */
void figure_band(const struct figure *g, double top, double bottom);

void figure_panel(const struct figure *g, const struct figure_panel *p);

/* Axes are "x" or "y"; `suffix` follows each number. */

/*
 * Ticks at powers of ten in [lo, hi], about `most` of them, and between powers if there
 * are few.
 */
void figure_log_axis(const struct figure *g, const char *axis, double lo, double hi,
		     unsigned int most, const char *suffix);
/* Ticks at multiples of a round step, at most `most` of them. */
void figure_linear_axis(const struct figure *g, const char *axis, double lo, double hi,
			unsigned int most, const char *suffix);
/* Ticks at the given positions. */
struct figure_tick {
	double at, value;
};
void figure_tick_axis(const struct figure *g, const char *axis, double lo, double hi,
		      const struct figure_tick *ticks, size_t n, const char *suffix);
/* Names as ticks; those of "x" are rotated. Without names, no ticks. */
struct figure_name {
	double at;
	const char *text;
};
void figure_name_axis(const struct figure *g, const char *axis, double lo, double hi,
		      const struct figure_name *names, size_t n);
void figure_axis_label(const struct figure *g, const char *axis, const char *text);

/* "lc rgb '...'" and the dash pattern of the series. */
void figure_line_style(const struct figure *g, size_t series);
/* gnuplot's number of a point type. */
unsigned int figure_point_type(enum figure_mark mark);

#endif
