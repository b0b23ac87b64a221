/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison as a picture: points with intervals on a linear axis, largest difference
 * first. The axis is in the unit of exact rows, or in percent of the base. Rows that
 * differ far more than the others stand apart at the end, with their figures alone.
 */
#include "host/report/charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/report/picture.h"
#include "host/report/plots.h"
#include "host/result/result.h"

#define LINEAR_SPAN   30 /* largest by median difference that the axis shows in a unit */
#define APART_SPAN    12 /* largest by median difference that is not apart */
#define APART_LEAST   4	 /* fewer rows have no outlier */
#define ROW_PIXELS    24
#define CROWD	      24 /* more rows are drawn smaller */
#define SMALL_PIXELS  19
#define AXIS_PIXELS   108
#define COLUMN_PIXELS 130 /* each of the two columns of figures */
#define HEADS_PIXELS  26
#define TICK_PIXELS   72 /* a number of the axis, with a margin */

/* The parts of the picture, from top to bottom. */
enum forest_part { FOREST_CORE, FOREST_OTHERS, FOREST_APART };

/* A difference and its interval; NAN: none. */
struct forest_value {
	double value, lo, hi;
};

struct forest_point {
	const struct compare_row *row;
	enum forest_part part;
	double at; /* the top of its row, in rows */
	char label[160];
	struct forest_value in_unit, in_percent;
	double value, lo, hi; /* on the axis; NAN: no interval */
};

struct forest {
	const struct compare *compare;
	struct forest_point *points; /* largest first */
	size_t n;
	size_t n_lines;	    /* the rows, and a heading before each part but the first */
	size_t n_equal;	    /* exact rows without a difference: named, not drawn */
	char *equal;	    /* their names */
	size_t n_without;   /* rows that cannot be compared */
	bool percent;	    /* the axis: percent of the base, or the rows' unit */
	double least, most; /* the ends of the axis */
};

static bool is_exact(const struct compare *c)
{
	return c->base->target.exact && c->new->target.exact;
}

/* The shift, which has an interval; rows that changed their class have none. */
static double forest_difference(const struct compare_row *row)
{
	return isnan(row->shift) ? row->difference : row->shift;
}

static double forest_ratio(const struct compare_row *row)
{
	return isnan(row->shift) ? row->ratio : row->shift_ratio;
}

static bool has_point(const struct compare *c, const struct compare_row *row)
{
	if (row->verdict == COMPARE_NONE || isnan(forest_difference(row)))
		return false;
	return is_exact(c) || !isnan(forest_ratio(row));
}

static bool is_equal(const struct compare_row *row)
{
	return row->verdict == COMPARE_SAME_PLACEMENT ||
	       (row->exact && row->verdict == COMPARE_SAME && row->difference == 0);
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
	const struct forest_point *x = a, *y = b;

	if (x->part != y->part)
		return (x->part > y->part) - (x->part < y->part);
	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

static double forest_percent(double ratio)
{
	return 100 * (ratio - 1);
}

static const char *handled(const struct result_benchmark *b)
{
	return result_class_of(b).handled_by;
}

/* Names the config if the benchmark has several rows, and the handlers if they differ. */
static void label(const struct compare *c, const struct compare_row *row,
		  struct forest_point *point)
{
	const struct result_benchmark *was = row->base.benchmark;
	const struct result_benchmark *is = row->new.benchmark;
	bool several = false;
	int at;

	for (size_t i = 0; i < c->n_rows && !several; i++)
		several = &c->rows[i] != row && !strcmp(c->rows[i].name, row->name);
	at = snprintf(point->label, sizeof(point->label),
		      several ? "%.60s [%.40s]" : "%.90s", row->name,
		      several ? row->new.config : "");
	if (was && is && strcmp(handled(was), handled(is)) != 0)
		snprintf(point->label + at, sizeof(point->label) - (size_t)at,
			 " (%s \u2192 %s)", handled(was), handled(is));
}

static void set_values(const struct forest *f, struct forest_point *p)
{
	const struct forest_value *v = f->percent ? &p->in_percent : &p->in_unit;

	p->value = v->value;
	p->lo = v->lo;
	p->hi = v->hi;
}

static struct forest_point point_of(const struct forest *f, const struct compare_row *row,
				    bool core_first)
{
	struct forest_point p = {
		.row = row,
		.part = !core_first || result_bench_matches("core", row->name)
				? FOREST_CORE
				: FOREST_OTHERS,
		.in_unit = { forest_difference(row), row->lo, row->hi },
		.in_percent = { forest_percent(forest_ratio(row)),
				forest_percent(row->ratio_lo),
				forest_percent(row->ratio_hi) },
	};

	label(f->compare, row, &p);
	return p;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the sizes of the differences, and the largest. */
static double median_size(const struct forest *f, double *most)
{
	double *sizes = calloc(f->n + 1, sizeof(*sizes)), median;
	size_t n = 0;

	if (!sizes)
		abort();
	for (size_t i = 0; i < f->n; i++)
		if (!isnan(f->points[i].value) && f->points[i].value != 0)
			sizes[n++] = fabs(f->points[i].value);
	qsort(sizes, n, sizeof(*sizes), by_size);
	median = n ? sizes[(n - 1) / 2] : 0;
	*most = n ? sizes[n - 1] : 0;
	free(sizes);
	return median;
}

/* Exact rows are in their unit, unless this makes most of them invisible. */
static void choose_axis(struct forest *f)
{
	double most, median;

	f->percent = !is_exact(f->compare);
	for (size_t i = 0; i < f->n; i++)
		set_values(f, &f->points[i]);
	if (f->percent)
		return;
	median = median_size(f, &most);
	f->percent = most > LINEAR_SPAN * median;
	for (size_t i = 0; i < f->n; i++)
		set_values(f, &f->points[i]);
}

static void set_outliers(struct forest *f)
{
	double most, median = median_size(f, &most);

	for (size_t i = 0; i < f->n; i++) {
		struct forest_point *p = &f->points[i];

		/* A percentage of 0 does not exist. */
		if (isnan(p->value) ||
		    (f->n >= APART_LEAST && fabs(p->value) > APART_SPAN * median))
			p->part = FOREST_APART;
	}
}

static void collect(struct forest *f, bool core_first)
{
	const struct compare *c = f->compare;
	size_t bytes;
	FILE *names = open_memstream(&f->equal, &bytes);

	f->points = calloc(c->n_rows + 1, sizeof(*f->points));
	if (!f->points || !names)
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (!has_point(c, row))
			f->n_without++;
		else if (is_equal(row))
			fprintf(names, "%s%s", f->n_equal++ ? ", " : "", row->name);
		else
			f->points[f->n++] = point_of(f, row, core_first);
	}
	if (fclose(names))
		abort();
	choose_axis(f);
	set_outliers(f);
	qsort(f->points, f->n, sizeof(*f->points), by_value);
	for (size_t i = 0; i < f->n; i++) {
		f->n_lines += i && f->points[i].part != f->points[i - 1].part;
		f->points[i].at = (double)f->n_lines++;
	}
}

static void settle(struct forest *f)
{
	double margin;

	f->least = f->most = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct forest_point *p = &f->points[i];

		if (p->part == FOREST_APART)
			continue;
		f->least = fmin(f->least, isnan(p->lo) ? p->value : p->lo);
		f->most = fmax(f->most, isnan(p->hi) ? p->value : p->hi);
	}
	margin = fmax((f->most - f->least) * 0.04, 0.1);
	f->least -= margin;
	f->most += margin;
}

static double forest_band(const struct forest *f, const struct compare_row *row)
{
	if (!(row->band > 0) || (f->percent && !(row->base.value > 0)))
		return 0;
	return f->percent ? 100 * row->band / row->base.value : row->band;
}

static size_t forest_count(const struct forest *f, enum compare_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->points[i].row->verdict == v;
	return n;
}

static void forest_build(struct forest *f, const struct differences *d)
{
	*f = (struct forest){ .compare = d->compare };
	collect(f, d->core_first);
	settle(f);
}

/* ------------------------------ drawing ------------------------------ */

/* Shape, colour and word of each verdict. */
static const struct {
	enum figure_mark mark;
	size_t series;
	const char *word;
} looks[COMPARE_VERDICTS] = {
	[COMPARE_WORSE] = { FIGURE_POINT_UP, COLOR_WORSE - COLOR_SERIES, "worse" },
	[COMPARE_BETTER] = { FIGURE_POINT_DOWN, COLOR_BETTER - COLOR_SERIES, "better" },
	[COMPARE_WORSE_MAYBE] = { FIGURE_POINT_OPEN, COLOR_WORSE - COLOR_SERIES,
				  "worse? (one run of each)" },
	[COMPARE_BETTER_MAYBE] = { FIGURE_POINT_OPEN, COLOR_BETTER - COLOR_SERIES,
				   "better? (one run of each)" },
	[COMPARE_CHANGED] = { FIGURE_POINT, 1, "changed: another class of operation" },
	[COMPARE_INCONCLUSIVE] = { FIGURE_POINT_OPEN, 6, "not decided: noise, or clock" },
	[COMPARE_SAME] = { FIGURE_POINT, 6, "the same" },
};

static const struct figure_pen left_pen = { FIGURE_LEFT, 12, COLOR_INK };
static const struct figure_pen right_pen = { FIGURE_RIGHT, 12, COLOR_INK };
static const struct figure_pen part_pen = { FIGURE_LEFT, 11, COLOR_SOFT };
static const struct figure_pen head_pen = { FIGURE_RIGHT, 11, COLOR_SOFT };

static double left_pixels(const struct forest *f)
{
	double longest = 100;

	for (size_t i = 0; i < f->n; i++)
		longest = fmax(longest, figure_text_width(f->points[i].label, 12));
	return FIGURE_EDGE + 14 + fmin(longest, 420);
}

static size_t legend_lines(const struct forest *f)
{
	size_t n = 0;

	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++)
		n += forest_count(f, v) > 0;
	return n;
}

static unsigned int row_pixels(const struct forest *f)
{
	return f->n > CROWD ? SMALL_PIXELS : ROW_PIXELS;
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
		size_t n = forest_count(f, v);

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

static void print_axes(const struct figure *g, const struct forest *f)
{
	struct figure_panel p = panel_of(g, f);
	char label[192];

	figure_panel(g, &p);
	figure_linear_axis(g, "x", f->least, f->most, 6, f->percent ? " %" : "");
	fprintf(g->f, "set yrange [%zu:0]\nunset ytics\n", f->n_lines);
	snprintf(label, sizeof(label), "difference, %s%s%s",
		 f->percent ? "percent of the base" : unit_of(f), f->percent ? "" : ": ",
		 f->percent ? "" : plot_unit_caution(f->points[0].row->unit));
	figure_axis_label(g, "x", label);
	fprintf(g->f,
		"set arrow from first 0, graph 0 to first 0, graph 1 nohead front lw 1.5 lc rgb '%s'\n",
		color_light(COLOR_INK));
}

/* "+1,234 insns" and "+2.4 %", in their columns. */
static void print_figures(const struct figure *g, const struct forest *f, size_t i)
{
	const struct compare_row *row = f->points[i].row;
	double y = top_pixels(f) + row_pixels(f) * (f->points[i].at + 0.5);
	double difference = forest_difference(row), ratio = forest_ratio(row);
	char number[NUMBER_BYTES], text[64];

	number_format(number, difference, row->exact);
	snprintf(text, sizeof(text), "%s%s", difference > 0 ? "+" : "", number);
	figure_text(g, g->width - FIGURE_EDGE - COLUMN_PIXELS, y, &right_pen, text);
	if (isnan(ratio))
		snprintf(text, sizeof(text), "from %.3g", row->base.value);
	else if (ratio > 10)
		snprintf(text, sizeof(text), "x %.4g", ratio);
	else if (fabs(forest_percent(ratio)) < 0.1)
		snprintf(text, sizeof(text), "%+.2g %%", forest_percent(ratio));
	else
		snprintf(text, sizeof(text), "%+.1f %%", forest_percent(ratio));
	figure_text(g, g->width - FIGURE_EDGE, y, &right_pen, text);
}

static void print_rows(const struct figure *g, const struct forest *f)
{
	static const char *const words[] = {
		[FOREST_OTHERS] = "Beyond the core benchmarks",
		[FOREST_APART] = "Apart, beyond the axis",
	};
	double head = top_pixels(f) - HEADS_PIXELS / 2.0;

	for (size_t i = 0; i < f->n; i++) {
		if (i % 2 == 0)
			figure_band(g, f->points[i].at, f->points[i].at + 1);
		figure_text(g, FIGURE_EDGE,
			    top_pixels(f) + row_pixels(f) * (f->points[i].at + 0.5),
			    &left_pen, f->points[i].label);
		print_figures(g, f, i);
		if (i && f->points[i].part != f->points[i - 1].part)
			figure_text(g, FIGURE_EDGE,
				    top_pixels(f) +
					    row_pixels(f) * (f->points[i].at - 0.4),
				    &part_pen, words[f->points[i].part]);
	}
	figure_text(g, g->width - FIGURE_EDGE - COLUMN_PIXELS, head, &head_pen,
		    unit_of(f));
	figure_text(g, g->width - FIGURE_EDGE, head, &head_pen, "of the base");
}

static void print_stem(FILE *out, const struct forest *f, size_t i, double from,
		       double to)
{
	fprintf(out, "%.9g %.1f %.9g %.9g\n", f->points[i].value, f->points[i].at + 0.5,
		from, to);
}

/* A block of points per verdict, and one of all intervals and stems. */
static void print_data(FILE *out, const struct forest *f)
{
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++) {
		fprintf(out, "$points_%u << EOD\n", v);
		for (size_t i = 0; i < f->n; i++)
			if (f->points[i].row->verdict == v &&
			    f->points[i].part != FOREST_APART)
				fprintf(out, "%.9g %.1f\n", f->points[i].value,
					f->points[i].at + 0.5);
		fputs("EOD\n", out);
	}
	fputs("$stems << EOD\n", out);
	for (size_t i = 0; i < f->n; i++) {
		const struct forest_point *p = &f->points[i];
		bool interval = !isnan(p->lo) && p->hi > p->lo;

		if (p->part == FOREST_APART)
			continue;
		if (interval)
			print_stem(out, f, i, p->lo, p->hi);
		/* The range of an exact row is narrow: the row has a stem from zero, too.
		 */
		if (!interval || is_exact(f->compare))
			print_stem(out, f, i, fmin(0, p->value), fmax(0, p->value));
	}
	fputs("EOD\n", out);
}

static bool has_bands(const struct forest *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (forest_band(f, f->points[i].row) > 0)
			return true;
	return false;
}

static void print_bands(FILE *out, const struct forest *f)
{
	fputs("$bands << EOD\n", out);
	for (size_t i = 0; i < f->n; i++) {
		double band = forest_band(f, f->points[i].row);

		/* The band may be wider than the axis. */
		if (band > 0)
			fprintf(out, "0 %.1f %.9g %.9g %.2f %.2f\n",
				f->points[i].at + 0.5, fmax(-band, f->least),
				fmin(band, f->most), f->points[i].at + 0.1,
				f->points[i].at + 0.9);
	}
	fputs("EOD\n", out);
}

/* gnuplot draws no block without points. */
static bool is_drawn(const struct forest *f, enum compare_verdict v)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->points[i].row->verdict == v && f->points[i].part != FOREST_APART)
			return true;
	return false;
}

static void print_plot(FILE *out, const struct forest *f)
{
	fputs("plot ", out);
	if (has_bands(f))
		fprintf(out, "$bands using 1:2:3:4:5:6 with boxxyerror lc rgb '%s', ",
			color_light(COLOR_GRID));
	fprintf(out, "$stems using 1:2:3:4 with xerrorbars pt -1 lw 2 lc rgb '%s'",
		color_light(COLOR_AXIS));
	for (unsigned int v = 0; v < COMPARE_VERDICTS; v++)
		if (is_drawn(f, v))
			fprintf(out,
				", $points_%u with points pt %u ps %s lw 2 lc rgb '%s'",
				v, figure_point_type(looks[v].mark),
				f->n > CROWD ? "1" : "1.6",
				color_light(COLOR_SERIES + looks[v].series));
	fputc('\n', out);
}

static void print_remark(const struct figure *g, const struct forest *f)
{
	char text[448], equal[320] = "", without[64] = "";

	if (f->n_equal)
		snprintf(equal, sizeof(equal), "No difference in %zu: %.120s%s ",
			 f->n_equal, f->equal, strlen(f->equal) > 120 ? " ..." : ".");
	if (f->n_without)
		snprintf(without, sizeof(without), "%zu cannot be compared.",
			 f->n_without);
	snprintf(text, sizeof(text), "%s%s", equal, without);
	if (has_bands(f))
		figure_foot_above(g, "By how much the boots moved (Hodges-Lehmann "
				     "shift). Grey ground: too small to matter "
				     "here (1 %, or two steps of the clock).");
	figure_foot(g, text);
}

void differences_draw(const struct differences *d, struct picture *p)
{
	struct forest f;
	struct figure g;

	forest_build(&f, d);
	p->width = FIGURE_WIDTH;
	p->height =
		top_pixels(&f) + row_pixels(&f) * (unsigned int)f.n_lines + AXIS_PIXELS;
	plot_open(&g, p);
	print_data(g.f, &f);
	print_bands(g.f, &f);
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
