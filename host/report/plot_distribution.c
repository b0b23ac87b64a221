/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The distribution of the events of a noisy target: a row per benchmark, with the
 * cumulative distribution on the left and the tail on the right.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/report/charts.h"
#include "host/report/picture.h"
#include "host/report/plots.h"
#include "host/report/run_table.h"
#include "host/result/result.h"

/* ------------------------------ curves ------------------------------ */

#define POINTS_MAX 2000

struct histogram curve_merge(const struct result_metric *m)
{
	struct histogram all = { .bits = HISTOGRAM_BITS };

	if (m->n_boots)
		all.bits = m->boots[0].histogram.bits;
	for (size_t i = 0; i < m->n_boots; i++) {
		struct histogram sum;
		int err;

		if (!m->boots[i].valid)
			continue;
		err = histogram_merge(&all, &m->boots[i].histogram, &sum);
		if (err == -ENOMEM)
			abort();
		if (err)
			continue;
		free(all.bins);
		all = sum;
	}
	if (!all.n_bins) {
		free(all.bins);
		all.bins = NULL;
	}
	return all;
}

/* The middle of a bin. */
static double value_of(const struct histogram *h, size_t bin)
{
	int64_t low = h->bins[bin].low;
	double half = ((double)histogram_width(low, h->bits) - 1) / 2;

	return (double)low + (low < 0 ? -half : half);
}

double curve_quantile(const struct histogram *h, double q)
{
	double want = q * (double)histogram_total(h), have = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		have += (double)h->bins[i].count;
		if (have >= want)
			return value_of(h, i);
	}
	return NAN;
}

/* Whether a bin's point is drawn: at most POINTS_MAX, at equal distances. */
static int is_drawn(const struct histogram *h, size_t bin)
{
	size_t stride = h->n_bins / POINTS_MAX + 1;

	return bin % stride == 0 || bin == h->n_bins - 1;
}

/*
 * Prints lines "x percent": the share of the events that are at most x (rising), or at
 * least x (falling). A few thousand lines at most.
 */
static void curve_print_cumulative(FILE *f, const struct histogram *h, double from)
{
	double total = (double)histogram_total(h), have = 0;

	fprintf(f, "%.9g 0\n", from);
	for (size_t i = 0; i < h->n_bins; i++) {
		have += (double)h->bins[i].count;
		if (is_drawn(h, i))
			fprintf(f, "%.9g %.9g\n", value_of(h, i), 100 * have / total);
	}
}

static void curve_print_tail(FILE *f, const struct histogram *h)
{
	double total = (double)histogram_total(h), left = total;

	for (size_t i = 0; i < h->n_bins; i++) {
		if (is_drawn(h, i))
			fprintf(f, "%.9g %.9g\n", value_of(h, i), 100 * left / total);
		left -= (double)h->bins[i].count;
	}
}

/* ------------------------------ the picture ------------------------------ */

#define ROWS_MAX    8 /* one printed page; --bench chooses others */
#define SERIES_MAX  14
#define BOOTS_DRAWN 20 /* thin lines beside the thick one */

#define ROW_PIXELS   200 /* of a row; a single row is larger */
#define ALONE_PIXELS 470
#define HEADS_PIXELS 34
#define NAME_PIXELS  30
#define TICKS_PIXELS 62 /* below a panel */
#define LEFT_PIXELS  92
#define RIGHT_PIXELS 48 /* half of the last number of an axis */
#define GAP_PIXELS   110

static const struct figure_pen name_pen = { FIGURE_LEFT, 14, COLOR_INK };
static const struct figure_pen numbers_pen = { FIGURE_RIGHT, 11, COLOR_SOFT };
static const struct figure_pen head_pen = { FIGURE_LEFT, 12, COLOR_SOFT };

struct series { /* a document under a config */
	const struct result *doc;
	const char *config;
};

struct row {
	const char *bench, *unit;
	const struct result_metric *metrics[SERIES_MAX];
	struct histogram all[SERIES_MAX]; /* bins NULL: nothing to draw */
};

struct sheet {
	struct series series[SERIES_MAX];
	size_t n_series;
	struct row rows[ROWS_MAX];
	size_t n_rows, n_left_out;
	unsigned int row_pixels;
};

static bool is_noisy(const struct result_metric *m)
{
	for (size_t i = 0; m && i < m->n_boots; i++)
		if (m->boots[i].valid && m->boots[i].histogram.n_bins > 1)
			return true;
	return false;
}

static void add_series(struct sheet *sheet, const struct result *doc, const char *config)
{
	for (size_t s = 0; s < sheet->n_series; s++)
		if (sheet->series[s].doc == doc &&
		    !strcmp(sheet->series[s].config, config))
			return;
	if (sheet->n_series < SERIES_MAX)
		sheet->series[sheet->n_series++] = (struct series){ doc, config };
}

static const struct result_metric *metric_of(const struct series *s, const char *bench)
{
	const struct result_benchmark *b = result_find(s->doc, bench, s->config);

	return b && b->status == RESULT_OK ? result_find_metric(b, "round_trip") : NULL;
}

static void add_row(struct sheet *sheet, const char *bench)
{
	struct row row = { .bench = bench };
	bool any = false;

	for (size_t s = 0; s < sheet->n_series; s++) {
		const struct result_metric *m = metric_of(&sheet->series[s], bench);

		/* One unit per axis: that of the first series. */
		if (!m || (row.unit && strcmp(row.unit, m->unit)))
			continue;
		row.unit = m->unit;
		row.metrics[s] = m;
		any |= is_noisy(m);
	}
	if (!any)
		return;
	if (sheet->n_rows == ROWS_MAX) {
		sheet->n_left_out++;
		return;
	}
	for (size_t s = 0; s < sheet->n_series; s++)
		if (row.metrics[s])
			row.all[s] = curve_merge(row.metrics[s]);
	sheet->rows[sheet->n_rows++] = row;
}

static void collect(struct sheet *sheet, const struct plot_input *in, const char *target)
{
	struct rows rows;

	rows_collect(&rows, in->docs, in->n_docs);
	for (size_t d = 0; d < in->n_docs; d++)
		for (size_t i = 0;
		     i < rows.n && !strcmp(in->docs[d]->target.name, target); i++) {
			const struct series s = { in->docs[d], rows.rows[i].config };

			if (plot_wants(in, rows.rows[i].name) &&
			    is_noisy(metric_of(&s, rows.rows[i].name)))
				add_series(sheet, s.doc, s.config);
		}
	for (size_t i = 0; i < rows.n; i++)
		if (plot_wants(in, rows.rows[i].name) &&
		    (!i || strcmp(rows.rows[i].name, rows.rows[i - 1].name)))
			add_row(sheet, rows.rows[i].name);
	rows_free(&rows);
	sheet->row_pixels = sheet->n_rows == 1 ? ALONE_PIXELS : ROW_PIXELS;
}

static void discard(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->n_rows; i++)
		for (size_t s = 0; s < sheet->n_series; s++)
			free(sheet->rows[i].all[s].bins);
}

static double top_pixels(const struct sheet *sheet)
{
	return FIGURE_HEAD + FIGURE_LEGEND * (double)sheet->n_series + HEADS_PIXELS;
}

static struct figure_panel panel_of(const struct figure *g, const struct sheet *sheet,
				    size_t row, size_t column)
{
	double width = (g->width - LEFT_PIXELS - GAP_PIXELS - RIGHT_PIXELS) / 2.0;
	double top = top_pixels(sheet) + sheet->row_pixels * (double)row;
	struct figure_panel p;

	p.left = LEFT_PIXELS + (width + GAP_PIXELS) * (double)column;
	p.right = p.left + width;
	p.top = top + NAME_PIXELS;
	p.bottom = top + sheet->row_pixels - TICKS_PIXELS;
	return p;
}

/* The range of a row: minimum, 98 % quantile, maximum. */
struct range {
	double least, most_of, most, rarest;
};

static struct range range_of(const struct row *row)
{
	struct range r = { INFINITY, -INFINITY, -INFINITY, 1 };

	for (size_t s = 0; s < SERIES_MAX; s++) {
		const struct histogram *h = &row->all[s];

		if (!h->bins)
			continue;
		r.least = fmin(r.least, curve_quantile(h, 0));
		r.most_of = fmax(r.most_of, curve_quantile(h, 0.98));
		r.most = fmax(r.most, curve_quantile(h, 1));
		r.rarest = fmin(r.rarest, 1 / (double)histogram_total(h));
	}
	/* A margin, also if all values are equal. */
	r.most_of += fmax((r.most_of - r.least) * 0.05, 1);
	return r;
}

static void print_blocks(FILE *f, const struct row *row, size_t i, const struct range *r)
{
	for (size_t s = 0; s < SERIES_MAX; s++) {
		if (!row->all[s].bins)
			continue;
		fprintf(f, "$below_%zu_%zu << EOD\n", i, s);
		curve_print_cumulative(f, &row->all[s], r->least - 1);
		fprintf(f, "EOD\n$above_%zu_%zu << EOD\n", i, s);
		curve_print_tail(f, &row->all[s]);
		fputs("EOD\n", f);
		for (size_t b = 0, n = 0; b < row->metrics[s]->n_boots; b++) {
			const struct result_boot *boot = &row->metrics[s]->boots[b];

			if (!boot->valid || !boot->histogram.n_bins || n++ >= BOOTS_DRAWN)
				continue;
			fprintf(f, "$boot_%zu_%zu_%zu << EOD\n", i, s, n - 1);
			curve_print_cumulative(f, &boot->histogram, r->least - 1);
			fputs("EOD\n", f);
		}
	}
}

static void plot_below(const struct figure *g, const struct row *row, size_t i)
{
	fputs("plot NaN notitle", g->f);
	for (size_t s = 0; s < SERIES_MAX; s++) {
		size_t n = 0;

		if (!row->all[s].bins)
			continue;
		for (size_t b = 0; b < row->metrics[s]->n_boots; b++)
			n += row->metrics[s]->boots[b].valid &&
			     row->metrics[s]->boots[b].histogram.n_bins;
		for (size_t b = 0; n > 1 && b < n && b < BOOTS_DRAWN; b++)
			fprintf(g->f, ", $boot_%zu_%zu_%zu with steps lw 0.5 lc rgb '%s'",
				i, s, b, color_light(COLOR_SERIES + s));
		fprintf(g->f, ", $below_%zu_%zu with steps lw 2.5 ", i, s);
		figure_line_style(g, s);
	}
	fputc('\n', g->f);
}

static void plot_above(const struct figure *g, const struct row *row, size_t i)
{
	fputs("plot NaN notitle", g->f);
	for (size_t s = 0; s < SERIES_MAX; s++) {
		if (!row->all[s].bins)
			continue;
		fprintf(g->f, ", $above_%zu_%zu with fsteps lw 2.5 ", i, s);
		figure_line_style(g, s);
	}
	fputc('\n', g->f);
}

static void print_numbers(const struct figure *g, const struct row *row,
			  const struct figure_panel *p)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "max", 1 } };
	char text[256], number[NUMBER_BYTES];
	const struct histogram *only = NULL;
	size_t n = 0, at = 0;

	for (size_t s = 0; s < SERIES_MAX; s++) {
		n += row->all[s].bins != NULL;
		only = row->all[s].bins ? &row->all[s] : only;
	}
	if (n != 1) /* a text for one series only */
		return;
	for (size_t i = 0; i < 3; i++) {
		number_format(number, curve_quantile(only, quantiles[i].q), false);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s",
				       i ? "   " : "", quantiles[i].name, number);
	}
	figure_text(g, p->right, p->top - NAME_PIXELS / 2.0, &numbers_pen, text);
}

static void draw_row(const struct figure *g, const struct sheet *sheet, size_t i)
{
	const struct row *row = &sheet->rows[i];
	struct range r = range_of(row);
	struct figure_panel p = panel_of(g, sheet, i, 0);
	char unit[64];

	snprintf(unit, sizeof(unit), "%.30s, logarithmic axis",
		 plot_unit_words(row->unit));
	fputs("unset label\nunset object\nunset arrow\nset border 3\n", g->f);
	figure_panel(g, &p);
	figure_text(g, p.left, p.top - NAME_PIXELS / 2.0, &name_pen, row->bench);
	print_numbers(g, row, &p);
	figure_linear_axis(g, "x", r.least - 1, r.most_of, 5, "");
	figure_linear_axis(g, "y", 0, 102, 4, " %");
	figure_axis_label(g, "x", plot_unit_words(row->unit));
	plot_below(g, row, i);

	p = panel_of(g, sheet, i, 1);
	fputs("unset label\n", g->f);
	figure_panel(g, &p);
	if (r.least > 0)
		figure_log_axis(g, "x", r.least * 0.9, fmax(r.most * 1.2, r.least * 10),
				6, "");
	else
		figure_linear_axis(g, "x", r.least, r.most + 1, 5, "");
	figure_log_axis(g, "y", 50 * r.rarest, 150, 5, " %");
	figure_axis_label(g, "x", r.least > 0 ? unit : plot_unit_words(row->unit));
	plot_above(g, row, i);
}

static void print_heads(const struct figure *g, const struct plot_input *in,
			const struct sheet *sheet)
{
	bool configs = false;

	figure_head(
		g, "How round trips are distributed",
		"All events of all valid boots; thin lines are single boots. The same "
		"figures twice: the bulk, and the tail.");
	for (size_t s = 1; s < sheet->n_series; s++)
		configs |= strcmp(sheet->series[s].config, sheet->series[0].config) != 0;
	for (size_t s = 0; s < sheet->n_series; s++) {
		char *subject = plot_subject(in, sheet->series[s].doc), *text;

		if (asprintf(&text, "%s%s%s", configs ? sheet->series[s].config : "",
			     configs ? ", " : "", subject) < 0)
			abort();
		figure_legend(g, s, FIGURE_LINE, s, text);
		free(subject);
		free(text);
	}
	for (size_t column = 0; column < 2; column++) {
		struct figure_panel p = panel_of(g, sheet, 0, column);

		figure_text(g, p.left, p.top - NAME_PIXELS - HEADS_PIXELS / 2.0,
			    &head_pen,
			    column ? "share of the events that cost at least x, "
				     "logarithmic"
				   : "share of the events that cost at most x");
	}
}

static void draw(const struct plot_input *in, const struct sheet *sheet,
		 struct picture *p)
{
	char remark[128] = "";
	struct figure g;

	p->width = FIGURE_WIDTH;
	p->height = (unsigned int)top_pixels(sheet) +
		    sheet->row_pixels * (unsigned int)sheet->n_rows + 24;
	plot_open(&g, p);
	for (size_t i = 0; i < sheet->n_rows; i++) {
		struct range r = range_of(&sheet->rows[i]);

		print_blocks(g.f, &sheet->rows[i], i, &r);
	}
	print_heads(&g, in, sheet);
	if (sheet->n_left_out)
		snprintf(remark, sizeof(remark),
			 "%zu more benchmark%s not drawn; --bench chooses.",
			 sheet->n_left_out, sheet->n_left_out == 1 ? " is" : "s are");
	figure_foot(&g, remark);
	/* Heads belong to no panel: an empty panel draws them. */
	fputs("set multiplot\nset xrange [0:1]\nset yrange [0:1]\nunset xtics\nunset "
	      "ytics\nunset border\nplot NaN notitle\n",
	      g.f);
	for (size_t i = 0; i < sheet->n_rows; i++)
		draw_row(&g, sheet, i);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}

static bool draw_target(const struct plot_input *in, const char *target,
			struct picture_list *list)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));
	bool any;

	if (!sheet)
		abort();
	collect(sheet, in, target);
	any = sheet->n_rows;
	if (any) {
		struct picture *p = picture_add(list);

		picture_name(list, "distribution-%s", target);
		if (asprintf(&p->caption, "Distribution of the round trips' events on %s",
			     target) < 0)
			abort();
		draw(in, sheet, p);
	}
	discard(sheet);
	free(sheet);
	return any;
}

void plot_distribution(const struct plot_input *in, struct picture_list *list,
		       struct plot_reason *why)
{
	bool any = false;

	for (size_t d = 0; d < in->n_docs; d++) {
		const char *target = in->docs[d]->target.name;
		bool first = true;

		for (size_t k = 0; k < d; k++)
			first &= strcmp(in->docs[k]->target.name, target) != 0;
		/* The events of an exact target have no distribution. */
		if (first && !in->docs[d]->target.exact && draw_target(in, target, list))
			any = true;
	}
	if (!any)
		snprintf(why->text, sizeof(why->text),
			 "no noisy target was measured: every event cost the same");
}
