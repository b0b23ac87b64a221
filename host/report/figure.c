/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The elements of pictures, as gnuplot commands: text, legends, panels, axes. */
#include "host/report/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/text.h"

/* Pixels per point of font size and character, at most: 4/3 pixels per point, wide
 * letters. */
#define CHARACTER_WIDTH 0.78

static const struct figure_pen title_pen = { FIGURE_LEFT, 20, COLOR_INK };
static const struct figure_pen subtitle_pen = { FIGURE_LEFT, 12, COLOR_SOFT };
static const struct figure_pen legend_pen = { FIGURE_LEFT, 12, COLOR_INK };
static const struct figure_pen foot_pen = { FIGURE_RIGHT, 11, COLOR_SOFT };

void figure_quote(FILE *f, const char *text)
{
	unsigned int unsafe;
	size_t n;

	fputc('\'', f);
	for (; *text; text += n) {
		n = text_char(text, &unsafe);
		if (unsafe != TEXT_SAFE || *text == '`')
			fputc('?', f);
		else if (*text == '\'')
			fputs("''", f);
		else
			fwrite(text, 1, n, f);
	}
	fputc('\'', f);
}

void figure_begin(const struct figure *g)
{
	fputs("set encoding utf8\nunset key\nset border 1 lc rgb ", g->f);
	figure_quote(g->f, color_light(COLOR_AXIS));
	fputs("\nset style fill solid 1.0 noborder\n", g->f);
}

double figure_text_width(const char *text, unsigned int size)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return CHARACTER_WIDTH * size * (double)n;
}

static void finish_text(const struct figure *g, const struct figure_pen *pen)
{
	static const char *const words[] = { "left", "center", "right" };

	fprintf(g->f, " %s front font ',%u' tc rgb '%s'", words[pen->align], pen->size,
		color_light(pen->color));
}

void figure_text(const struct figure *g, double x, double y, const struct figure_pen *pen,
		 const char *text)
{
	fputs("set label ", g->f);
	figure_quote(g->f, text);
	fprintf(g->f, " at screen %.6f, screen %.6f", x / g->width, 1 - y / g->height);
	finish_text(g, pen);
	fputc('\n', g->f);
}

void figure_text_at(const struct figure *g, double x, double y, double dx,
		    const struct figure_pen *pen, const char *text)
{
	fputs("set label ", g->f);
	figure_quote(g->f, text);
	fprintf(g->f, " at first %.9g, first %.9g", x, y);
	finish_text(g, pen);
	fprintf(g->f, " offset screen %.6f, 0\n", dx / g->width);
}

void figure_head(const struct figure *g, const char *title, const char *subtitle)
{
	figure_text(g, FIGURE_EDGE, 24, &title_pen, title);
	figure_text(g, FIGURE_EDGE, 52, &subtitle_pen, subtitle);
}

void figure_foot(const struct figure *g, const char *text)
{
	figure_text(g, g->width - FIGURE_EDGE, g->height - 14, &foot_pen, text);
}

void figure_foot_above(const struct figure *g, const char *text)
{
	figure_text(g, g->width - FIGURE_EDGE, g->height - 34, &foot_pen, text);
}

static void box(const struct figure *g, double x, double y, double width, double height,
		const char *style)
{
	fprintf(g->f,
		"set object rectangle from screen %.6f, screen %.6f to screen %.6f, screen %.6f front %s\n",
		x / g->width, 1 - y / g->height, (x + width) / g->width,
		1 - (y + height) / g->height, style);
}

unsigned int figure_point_type(enum figure_mark mark)
{
	switch (mark) {
	case FIGURE_POINT_UP:
		return 9;
	case FIGURE_POINT_DOWN:
		return 11;
	case FIGURE_POINT_OPEN:
		return 6;
	default:
		return 7;
	}
}

void figure_line_style(const struct figure *g, size_t series)
{
	/* gnuplot's dash types: solid, dashes, dots, dash and dot, ... */
	fprintf(g->f, "lc rgb '%s' dt %zu", color_light(COLOR_SERIES + series),
		series % 5 + 1);
}

void figure_legend(const struct figure *g, size_t line, enum figure_mark mark,
		   size_t series, const char *text)
{
	double y = FIGURE_HEAD - 8 + FIGURE_LEGEND * ((double)line + 0.5);
	const char *color = color_light(COLOR_SERIES + series);
	char style[96];

	switch (mark) {
	case FIGURE_SWATCH:
	case FIGURE_HATCH:
		snprintf(style, sizeof(style),
			 mark == FIGURE_SWATCH
				 ? "fc rgb '%s' fs solid noborder"
				 : "fc rgb '%s' fs solid 0.25 border lw 1.5",
			 color);
		box(g, FIGURE_EDGE, y - 6, 24, 12, style);
		break;
	case FIGURE_LINE:
		fprintf(g->f,
			"set arrow from screen %.6f, screen %.6f rto screen %.6f, 0 nohead front lw 3 ",
			(double)FIGURE_EDGE / g->width, 1 - y / g->height,
			24.0 / g->width);
		figure_line_style(g, series);
		fputc('\n', g->f);
		break;
	case FIGURE_BREAK:
		fprintf(g->f,
			"set arrow from screen %.6f, screen %.6f to screen %.6f, screen %.6f nohead front lw 1.5 lc rgb '%s'\n",
			(FIGURE_EDGE + 12.0) / g->width, 1 - (y + 9) / g->height,
			(FIGURE_EDGE + 12.0) / g->width, 1 - (y - 9) / g->height, color);
		break;
	default:
		fprintf(g->f,
			"set label '' at screen %.6f, screen %.6f front point pt %u ps 1.3 lw 2 lc rgb '%s'\n",
			(FIGURE_EDGE + 12.0) / g->width, 1 - y / g->height,
			figure_point_type(mark), color);
		break;
	}
	figure_text(g, FIGURE_EDGE + 32, y, &legend_pen, text);
}

void figure_band(const struct figure *g, double top, double bottom)
{
	fprintf(g->f,
		"set object rectangle from screen 0, first %.9g to screen 1, first %.9g behind fc rgb '%s' fs solid noborder\n",
		top, bottom, color_light(COLOR_BAND));
}

void figure_panel(const struct figure *g, const struct figure_panel *p)
{
	fprintf(g->f,
		"set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
		"set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
		p->left / g->width, p->right / g->width, 1 - p->top / g->height,
		1 - p->bottom / g->height);
}

/* Begins a list of ticks; close_ticks() ends it. */
static void open_ticks(const struct figure *g, const char *axis)
{
	fprintf(g->f, "set %stics out nomirror scale 0.6 tc rgb '%s' font ',12' (", axis,
		color_light(COLOR_SOFT));
}

static void close_ticks(const struct figure *g, const char *axis)
{
	fprintf(g->f, ")\nset grid %stics back lt 1 lc rgb '%s'\n", axis,
		color_light(COLOR_GRID));
}

/* "20,000", "1 M": short texts beside an axis. */
static void tick_text(char text[NUMBER_BYTES], double value)
{
	double size = fabs(value);
	char unit = size >= 1e9 ? 'G' : 'M';

	if (size < 1 && size > 0)
		snprintf(text, NUMBER_BYTES, "%g", value);
	else if (size < 1e6)
		number_format(text, value, true);
	else
		snprintf(text, NUMBER_BYTES, "%g %c", value / (unit == 'G' ? 1e9 : 1e6),
			 unit);
}

/* The text of a tick is a format: '%' is doubled. */
static char *format_free(const char *text)
{
	char *doubled = malloc(2 * strlen(text) + 1), *at = doubled;

	if (!doubled)
		abort();
	for (; *text; text++) {
		*at++ = *text;
		if (*text == '%')
			*at++ = '%';
	}
	*at = '\0';
	return doubled;
}

static void print_tick_at(const struct figure *g, double at, double value,
			  const char *suffix, bool first)
{
	char text[NUMBER_BYTES];

	tick_text(text, value);
	/* The text of a tick is a format: '%' is doubled. */
	fprintf(g->f, "%s'%s%s%s' %.9g", first ? "" : ", ", text, suffix,
		strchr(suffix, '%') ? "%" : "", at);
}

static void print_tick(const struct figure *g, double value, const char *suffix,
		       bool first)
{
	print_tick_at(g, value, value, suffix, first);
}

void figure_log_axis(const struct figure *g, const char *axis, double lo, double hi,
		     unsigned int most, const char *suffix)
{
	double decades = log10(hi / lo);
	int step = (int)ceil(decades / most), first_e = (int)ceil(log10(lo) - 1e-9);
	bool between = decades * 3 < most, first = true;

	fprintf(g->f, "set logscale %s 10\nset %srange [%.6g:%.6g]\n", axis, axis, lo,
		hi);
	open_ticks(g, axis);
	for (int e = between ? first_e - 1 : first_e; pow(10, e) <= hi; e += step) {
		for (unsigned int by = 1; by <= (between ? 5 : 1);
		     by += by == 1 ? 1 : 3) {
			double at = by * pow(10, e);

			if (at < lo * (1 - 1e-9) || at > hi)
				continue;
			print_tick(g, at, suffix, first);
			first = false;
		}
	}
	close_ticks(g, axis);
}

/* 1, 2 or 5 times a power of ten. */
static double round_step(double least)
{
	double ten = pow(10, floor(log10(least)));

	for (unsigned int by = 1; by <= 5; by += by == 1 ? 1 : 3)
		if (ten * by >= least * (1 - 1e-9))
			return ten * by;
	return ten * 10;
}

void figure_linear_axis(const struct figure *g, const char *axis, double lo, double hi,
			unsigned int most, const char *suffix)
{
	double step = round_step((hi - lo) / most);
	bool first = true;

	fprintf(g->f, "unset logscale %s\nset %srange [%.9g:%.9g]\n", axis, axis, lo, hi);
	open_ticks(g, axis);
	/* Counted: adding a small step to a large number may not change it. */
	for (unsigned int i = 0; i <= most + 1; i++) {
		double at = (ceil(lo / step) + i) * step;

		if (!(at <= hi + step * 1e-9))
			break;
		print_tick(g, fabs(at) < step / 2 ? 0 : at, suffix, first);
		first = false;
	}
	close_ticks(g, axis);
}

void figure_tick_axis(const struct figure *g, const char *axis, double lo, double hi,
		      const struct figure_tick *ticks, size_t n, const char *suffix)
{
	fprintf(g->f, "unset logscale %s\nset %srange [%.9g:%.9g]\n", axis, axis, lo, hi);
	open_ticks(g, axis);
	for (size_t i = 0; i < n; i++)
		print_tick_at(g, ticks[i].at, ticks[i].value, suffix, !i);
	close_ticks(g, axis);
}

void figure_name_axis(const struct figure *g, const char *axis, double lo, double hi,
		      const struct figure_name *names, size_t n)
{
	fprintf(g->f, "unset logscale %s\nset %srange [%.9g:%.9g]\n", axis, axis, lo, hi);
	fprintf(g->f, "unset %stics\nset grid no%stics\n", axis, axis);
	if (!n)
		return;
	fprintf(g->f,
		"set %stics out nomirror scale 0.6 rotate by 30 right tc rgb '%s' font ',11' (",
		axis, color_light(COLOR_SOFT));
	for (size_t i = 0; i < n; i++) {
		char *text = format_free(names[i].text);

		fputs(i ? ", " : "", g->f);
		figure_quote(g->f, text);
		fprintf(g->f, " %.9g", names[i].at);
		free(text);
	}
	fputs(")\n", g->f);
}

void figure_axis_label(const struct figure *g, const char *axis, const char *text)
{
	fprintf(g->f, "set %slabel ", axis);
	figure_quote(g->f, text);
	fprintf(g->f, " font ',13' tc rgb '%s'\n", color_light(COLOR_INK));
}
