/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Draws a comparison: points with intervals, largest difference first. */
#include "host/view/differences.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/claim/compare.h"
#include "host/result/result.h"
#include "host/view/color.h"
#include "host/view/figure.h"
#include "host/view/number.h"
#include "host/view/plots.h"

#define ROW_PIXELS    24
#define CROWD	      24 /* rows that are drawn at that size; more are drawn smaller */
#define SMALL_PIXELS  19
#define AXIS_PIXELS   96
#define COLUMN_PIXELS 130 /* each of the two columns of figures */
#define HEADS_PIXELS  26
#define LINEAR_MOST   60 /* percent that a linear axis still shows well */

struct point {
	const struct compare_row *row;
	char label[160];
	double value, lo, hi; /* on the axis; NAN: no interval */
};

struct forest {
	const struct differences *in;
	struct point *points;
	size_t n;
	size_t n_equal;	  /* exact rows without any difference: named, not drawn */
	char *equal;	  /* their names */
	size_t n_without; /* rows that cannot be compared */
	bool percent;	  /* the axis: percent of the base, or its unit */
	bool bent;	  /* linear about zero, logarithmic beyond */
	double least, most;
	unsigned int row_pixels;
};

/* How each verdict looks: shape, colour, and word for who sees neither. */
static const struct {
	enum figure_mark mark;
	size_t series;
	const char *word;
} looks[COMPARE_VERDICTS] = {
	[COMPARE_WORSE] = { FIGURE_POINT_UP, COLOR_WORSE - COLOR_SERIES, "worse" },
	[COMPARE_BETTER] = { FIGURE_POINT_DOWN, COLOR_BETTER - COLOR_SERIES, "better" },
	[COMPARE_INCONCLUSIVE] = { FIGURE_POINT_OPEN, 6, "not decided: noise" },
	[COMPARE_SAME] = { FIGURE_POINT, 6, "the same" },
};

static const struct figure_pen left_pen = { FIGURE_LEFT, 12, COLOR_INK };
static const struct figure_pen right_pen = { FIGURE_RIGHT, 12, COLOR_INK };
static const struct figure_pen head_pen = { FIGURE_RIGHT, 11, COLOR_SOFT };

static bool is_exact(const struct compare *c)
{
	return c->base->target.exact && c->new->target.exact;
}

static bool has_point(const struct compare *c, const struct compare_row *row)
{
	if (row->verdict == COMPARE_NONE || isnan(row->difference))
		return false;
	return is_exact(c) || !isnan(row->ratio);
}

static bool is_equal(const struct compare_row *row)
{
	return row->exact && row->verdict == COMPARE_SAME && row->difference == 0;
}

size_t differences_count(const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n += has_point(c, &c->rows[i]) && !is_equal(&c->rows[i]);
	return n;
}

static int by_value(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

static double percent(double ratio)
{
	return 100 * (ratio - 1);
}

/* The config is said where one benchmark has several rows. */
static void label(const struct compare *c, const struct compare_row *row,
		  struct point *point)
{
	bool several = false;

	for (size_t i = 0; i < c->n_rows && !several; i++)
		several = &c->rows[i] != row && !strcmp(c->rows[i].name, row->name);
	snprintf(point->label, sizeof(point->label), several ? "%.90s [%.60s]" : "%.90s",
		 row->name, several ? row->new.config : "");
}

static struct point point_of(const struct forest *f, const struct compare_row *row)
{
	struct point p = { .row = row };

	p.value = f->percent ? percent(row->ratio) : row->difference;
	p.lo = f->percent ? percent(row->ratio_lo) : row->lo;
	p.hi = f->percent ? percent(row->ratio_hi) : row->hi;
	label(f->in->compare, row, &p);
	return p;
}

static void collect(struct forest *f)
{
	const struct compare *c = f->in->compare;
	size_t bytes;
	FILE *names = open_memstream(&f->equal, &bytes);

	f->points = calloc(c->n_rows + 1, sizeof(*f->points));
	if (!f->points || !names)
		abort();
	f->percent = !is_exact(c);
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (!has_point(c, row))
			f->n_without++;
		else if (is_equal(row))
			fprintf(names, "%s%s", f->n_equal++ ? ", " : "", row->name);
		else
			f->points[f->n++] = point_of(f, row);
	}
	if (fclose(names))
		abort();
	qsort(f->points, f->n, sizeof(*f->points), by_value);
}

/* Linear about zero and logarithmic far from it, where a linear axis shows nothing. */
static double bend(const struct forest *f, double value)
{
	return f->bent ? asinh(value) : value;
}

static void settle(struct forest *f)
{
	double margin;

	f->least = f->most = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct point *p = &f->points[i];

		f->least = fmin(f->least, isnan(p->lo) ? p->value : p->lo);
		f->most = fmax(f->most, isnan(p->hi) ? p->value : p->hi);
	}
	f->bent = !f->percent || fmax(-f->least, f->most) > LINEAR_MOST;
	f->least = bend(f, f->least);
	f->most = bend(f, f->most);
	margin = fmax((f->most - f->least) * 0.04, 0.1);
	f->least -= margin;
	f->most += margin;
	f->row_pixels = f->n > CROWD ? SMALL_PIXELS : ROW_PIXELS;
}

static double left_pixels(const struct forest *f)
{
	double longest = 100;

	for (size_t i = 0; i < f->n; i++)
		longest = fmax(longest, figure_text_width(f->points[i].label, 12));
	return FIGURE_EDGE + 14 + fmin(longest, 420);
}

static size_t count(const struct forest *f, enum compare_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->points[i].row->verdict == v;
	return n;
}

static size_t legend_lines(const struct forest *f)
{
	size_t n = 0;

	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++)
		n += count(f, v) > 0;
	return n;
}

static unsigned int top_pixels(const struct forest *f)
{
	return FIGURE_HEAD + FIGURE_LEGEND * (unsigned int)legend_lines(f) + HEADS_PIXELS;
}

static struct figure_panel panel_of(const struct figure *g, const struct forest *f)
{
	return (struct figure_panel){ left_pixels(f), top_pixels(f),
				      g->width - FIGURE_EDGE - 2 * COLUMN_PIXELS - 10,
				      g->height - AXIS_PIXELS };
}

static void print_legend(const struct figure *g, const struct forest *f)
{
	char text[96];
	size_t line = 0;

	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++) {
		size_t n = count(f, v);

		if (!n)
			continue;
		snprintf(text, sizeof(text), "%s (%zu)", looks[v].word, n);
		figure_legend(g, line++, looks[v].mark, looks[v].series, text);
	}
}

static const char *unit_of(const struct forest *f)
{
	return plot_unit_words(f->points[0].row->unit);
}

/* Ticks of an axis that is linear about zero: 0, and powers of ten to both sides. */
static void print_bent_axis(const struct figure *g, const struct forest *f)
{
	struct figure_tick ticks[64];
	size_t n = 0;

	for (int e = 15; e >= 0; e--)
		if (n < 30 && asinh(-pow(10, e)) > f->least)
			ticks[n++] =
				(struct figure_tick){ asinh(-pow(10, e)), -pow(10, e) };
	ticks[n++] = (struct figure_tick){ 0, 0 };
	for (int e = 0; e <= 15; e++)
		if (asinh(pow(10, e)) < f->most)
			ticks[n++] =
				(struct figure_tick){ asinh(pow(10, e)), pow(10, e) };
	figure_tick_axis(g, "x", f->least, f->most, ticks, n, f->percent ? " %" : "");
}

static void print_axes(const struct figure *g, const struct forest *f)
{
	struct figure_panel p = panel_of(g, f);
	char label[96];

	figure_panel(g, &p);
	if (f->bent)
		print_bent_axis(g, f);
	else
		figure_linear_axis(g, "x", f->least, f->most, 6, " %");
	fprintf(g->f, "set yrange [%zu:0]\nunset ytics\n", f->n);
	snprintf(label, sizeof(label), "difference, %s%s",
		 f->percent ? "percent of the base" : unit_of(f),
		 f->bent ? " (logarithmic away from zero)" : "");
	figure_axis_label(g, "x", label);
	fprintf(g->f,
		"set arrow from first 0, graph 0 to first 0, graph 1 nohead back lw 1.5 "
		"lc rgb '%s'\n",
		color_light(COLOR_INK));
}

/* "+1,234 insns" and "+2.4 %", in their columns. */
static void print_figures(const struct figure *g, const struct forest *f, size_t i)
{
	const struct compare_row *row = f->points[i].row;
	double y = top_pixels(f) + f->row_pixels * ((double)i + 0.5);
	char number[NUMBER_BYTES], text[64];

	number_format(number, row->difference, row->exact);
	snprintf(text, sizeof(text), "%s%s", row->difference > 0 ? "+" : "", number);
	figure_text(g, g->width - FIGURE_EDGE - COLUMN_PIXELS, y, &right_pen, text);
	if (isnan(row->ratio))
		snprintf(text, sizeof(text), "from %.3g", row->base.value);
	else if (row->ratio > 10)
		snprintf(text, sizeof(text), "x %.4g", row->ratio);
	else if (fabs(percent(row->ratio)) < 0.1)
		snprintf(text, sizeof(text), "%+.2g %%", percent(row->ratio));
	else
		snprintf(text, sizeof(text), "%+.1f %%", percent(row->ratio));
	figure_text(g, g->width - FIGURE_EDGE, y, &right_pen, text);
}

static void print_rows(const struct figure *g, const struct forest *f)
{
	double head = top_pixels(f) - HEADS_PIXELS / 2.0;

	for (size_t i = 0; i < f->n; i++) {
		if (i % 2 == 0)
			figure_band(g, (double)i, (double)i + 1);
		figure_text(g, FIGURE_EDGE,
			    top_pixels(f) + f->row_pixels * ((double)i + 0.5), &left_pen,
			    f->points[i].label);
		print_figures(g, f, i);
	}
	figure_text(g, g->width - FIGURE_EDGE - COLUMN_PIXELS, head, &head_pen,
		    unit_of(f));
	figure_text(g, g->width - FIGURE_EDGE, head, &head_pen, "of the base");
}

/* A block of points per verdict, and one of all intervals. */
static void print_data(FILE *out, const struct forest *f)
{
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++) {
		fprintf(out, "$points_%u << EOD\n", v);
		for (size_t i = 0; i < f->n; i++)
			if (f->points[i].row->verdict == v)
				fprintf(out, "%.9g %.1f\n", bend(f, f->points[i].value),
					(double)i + 0.5);
		fputs("EOD\n", out);
	}
	fputs("$stems << EOD\n", out);
	for (size_t i = 0; i < f->n; i++) {
		const struct point *p = &f->points[i];
		bool interval = !isnan(p->lo) && p->hi > p->lo;

		/* Without an interval, a stem from zero leads the eye to the point. */
		fprintf(out, "%.9g %.1f %.9g %.9g\n", bend(f, p->value), (double)i + 0.5,
			interval ? bend(f, p->lo) : fmin(0, bend(f, p->value)),
			interval ? bend(f, p->hi) : fmax(0, bend(f, p->value)));
	}
	fputs("EOD\n", out);
}

static void print_plot(FILE *out, const struct forest *f)
{
	fprintf(out, "plot $stems using 1:2:3:4 with xerrorbars pt -1 lw 1.5 lc rgb '%s'",
		color_light(COLOR_AXIS));
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++)
		if (count(f, v))
			fprintf(out,
				", $points_%u with points pt %u ps %s lw 2 lc rgb '%s'",
				v, figure_point_type(looks[v].mark),
				f->n > CROWD ? "1" : "1.3",
				color_light(COLOR_SERIES + looks[v].series));
	fputc('\n', out);
}

static void print_remark(const struct figure *g, const struct forest *f)
{
	char text[512], equal[320] = "", without[64] = "";

	if (f->n_equal)
		snprintf(equal, sizeof(equal), "No difference in %zu: %.120s%s ",
			 f->n_equal, f->equal, strlen(f->equal) > 120 ? " ..." : ".");
	if (f->n_without)
		snprintf(without, sizeof(without), "%zu cannot be compared.",
			 f->n_without);
	snprintf(text, sizeof(text), "%s%s", equal, without);
	figure_foot(g, text);
}

void differences_draw(const struct differences *d, struct picture *p)
{
	struct forest f = { .in = d };
	struct figure g;

	collect(&f);
	settle(&f);
	p->width = FIGURE_WIDTH;
	p->height = top_pixels(&f) + f.row_pixels * (unsigned int)f.n + AXIS_PIXELS;
	plot_open(&g, p);
	print_data(g.f, &f);
	figure_head(&g, d->title, d->subtitle);
	print_legend(&g, &f);
	print_axes(&g, &f);
	print_rows(&g, &f);
	print_remark(&g, &f);
	print_plot(g.f, &f);
	plot_close(&g, p);
	free(f.points);
	free(f.equal);
}
