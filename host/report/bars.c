/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draws grouped bars: they lie, each with its value and its series' name behind it,
 * so that colour is not needed.
 */
#include <math.h>
#include <stdio.h>

#include "host/report/bars_model.h"
#include "host/lib/color.h"
#include "host/report/figure.h"
#include "host/lib/number.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

#define BAR_PIXELS   24
#define BAR_HALF     0.40 /* half a bar's thickness, in bars */
#define AXIS_PIXELS  96	  /* below the bars: numbers, axis label, remark */
#define PANEL_PIXELS 30	  /* a panel's title */
#define PANEL_GAP    24
#define TICK_PIXELS  90 /* a number of an axis, and some room */
#define NAME_SIZE    14
#define LABEL_SIZE   12

static const struct figure_pen name_pen = { FIGURE_RIGHT, NAME_SIZE, COLOR_INK };
static const struct figure_pen value_pen = { FIGURE_LEFT, LABEL_SIZE, COLOR_INK };
static const struct figure_pen panel_pen = { FIGURE_LEFT, 13, COLOR_INK };

/* Room for the longest name of a benchmark, within reason. */
static double left_pixels(const struct bars_model *m)
{
	double longest = 0;

	for (size_t i = 0; i < m->n_groups; i++)
		longest = fmax(longest, figure_text_width(m->groups[i].label, NAME_SIZE));
	return 30 + fmin(longest, 520);
}

static unsigned int top_pixels(const struct bars_model *m)
{
	return FIGURE_HEAD + FIGURE_LEGEND * (unsigned int)m->n_series +
	       (m->panels[0].title ? PANEL_PIXELS : 0);
}

/* Panels share the room beside the names. */
static struct figure_panel panel_of(const struct figure *g, const struct bars_model *m,
				    size_t panel)
{
	double left = left_pixels(m), gaps = PANEL_GAP * ((double)m->n_panels - 1);
	double width = (g->width - FIGURE_EDGE - left - gaps) / (double)m->n_panels;
	struct figure_panel p;

	p.left = left + (width + PANEL_GAP) * (double)panel;
	p.right = p.left + width;
	p.top = top_pixels(m);
	p.bottom = g->height - AXIS_PIXELS;
	return p;
}

static void bar_text(const struct bars_model *m, const struct bar *bar, char *text,
		     size_t bytes)
{
	char number[NUMBER_BYTES];

	number_format(number, bar->value, bar->exact);
	snprintf(text, bytes, "%s  %.200s", bar->failed ? "FAILED" : number,
		 m->series[bar->series].label);
}

/* The axis goes on beyond the longest bar, for the text behind it. */
static double axis_end(const struct bars_model *m, size_t panel,
		       const struct figure_panel *p)
{
	const struct bars_panel *axis = &m->panels[panel];
	double plot = p->right - p->left, label = 0;
	char text[256];

	for (size_t i = 0; i < m->n_bars; i++) {
		if (m->bars[i].panel != panel)
			continue;
		bar_text(m, &m->bars[i], text, sizeof(text));
		label = fmax(label, 14 + figure_text_width(text, LABEL_SIZE));
	}
	label = fmin(label, plot * 0.6);
	/* Far below where doubles end, whatever a document says. */
	return fmin(axis->foot * pow(axis->most / axis->foot, plot / (plot - label)),
		    1e200);
}

static void print_axes(const struct figure *g, const struct bars_model *m, size_t panel)
{
	const struct bars_panel *axis = &m->panels[panel];
	struct figure_panel p = panel_of(g, m, panel);
	char label[64];

	figure_panel(g, &p);
	figure_log_axis(g, "x", axis->foot, axis->most * 2,
			(unsigned int)((p.right - p.left) / TICK_PIXELS) + 1, "");
	/* The axis goes on for the text behind bars, its numbers do not. */
	fprintf(g->f, "set xrange [%.6g:%.6g]\n", axis->foot, axis_end(m, panel, &p));
	fprintf(g->f, "set yrange [%.3f:0]\nunset ytics\n", m->height);
	snprintf(label, sizeof(label), "%s, logarithmic axis",
		 plot_unit_words(axis->unit));
	figure_axis_label(g, "x", label);
	if (axis->title)
		figure_text(g, p.left, p.top - PANEL_PIXELS / 2.0, &panel_pen,
			    axis->title);
}

static void print_groups(const struct figure *g, const struct bars_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++) {
		const struct bars_group *group = &m->groups[i];

		if (i % 2 == 0)
			figure_band(g, group->top, group->bottom);
		figure_text_at(g, m->panels[0].foot, (group->top + group->bottom) / 2,
			       -12, &name_pen, group->label);
	}
}

static bool has_length(const struct bars_model *m, const struct bar *b)
{
	return b->value > m->panels[b->panel].foot;
}

static void print_bar_label(const struct figure *g, const struct bars_model *m,
			    const struct bar *bar)
{
	double at = m->panels[bar->panel].foot;
	char text[256];

	if (has_length(m, bar)) /* behind the whisker */
		at = bar->hi > bar->value ? bar->hi : bar->value;
	bar_text(m, bar, text, sizeof(text));
	figure_text_at(g, at, bar->y, 8, &value_pen, text);
}

/* Bars that have a length, one block per panel and series, for its colour. */
static void print_data(FILE *f, const struct bars_model *m, size_t panel, size_t series)
{
	double foot = m->panels[panel].foot;

	fprintf(f, "$bars_%zu_%zu << EOD\n", panel, series);
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bar *b = &m->bars[i];

		if (b->panel == panel && b->series == series && has_length(m, b))
			fprintf(f, "%.9g %.3f %.9g %.9g %.3f %.3f\n", b->value, b->y,
				foot, b->value, b->y - BAR_HALF, b->y + BAR_HALF);
	}
	fputs("EOD\n", f);
}

static void print_intervals(FILE *f, const struct bars_model *m, size_t panel)
{
	double foot = m->panels[panel].foot;

	fprintf(f, "$intervals_%zu << EOD\n", panel);
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bar *b = &m->bars[i];

		if (b->panel == panel && !isnan(b->hi) && has_length(m, b))
			fprintf(f, "%.9g %.3f %.9g %.9g\n", b->value, b->y,
				b->lo > foot ? b->lo : foot, b->hi);
	}
	fputs("EOD\n", f);
}

/*
 * A plot of nothing is an error to gnuplot, so an invisible function of x stands
 * first: it gives the axes their life where no bar has a length.
 */
static void print_plot(FILE *f, const struct bars_model *m, size_t panel)
{
	size_t intervals = 0;

	fputs("plot NaN notitle", f);
	for (size_t s = 0; s < m->n_series; s++) {
		bool any = false;

		for (size_t i = 0; i < m->n_bars; i++)
			any |= m->bars[i].panel == panel && m->bars[i].series == s &&
			       has_length(m, &m->bars[i]);
		if (any)
			fprintf(f,
				", $bars_%zu_%zu using 1:2:3:4:5:6 with boxxyerror lc "
				"rgb '%s'",
				panel, s, color_light(COLOR_SERIES + s));
	}
	for (size_t i = 0; i < m->n_bars; i++)
		intervals += m->bars[i].panel == panel && !isnan(m->bars[i].hi) &&
			     has_length(m, &m->bars[i]);
	if (intervals)
		fprintf(f,
			", $intervals_%zu using 1:2:3:4 with xerrorbars pt -1 lw 1.5 lc "
			"rgb '%s'",
			panel, color_light(COLOR_INK));
	fputc('\n', f);
}

static void draw_panel(const struct figure *g, const struct bars_model *m, size_t panel)
{
	if (panel) /* what has been drawn stays, and is not to be drawn again */
		fputs("unset label\nunset object\nunset arrow\n", g->f);
	print_axes(g, m, panel);
	if (!panel)
		print_groups(g, m);
	for (size_t i = 0; i < m->n_bars; i++)
		if (m->bars[i].panel == panel)
			print_bar_label(g, m, &m->bars[i]);
	print_plot(g->f, m, panel);
}

void bars_draw(const struct bars_model *m, struct picture *p)
{
	struct figure g;

	p->width = FIGURE_WIDTH;
	p->height = top_pixels(m) + (unsigned int)(m->height * BAR_PIXELS) + AXIS_PIXELS;
	plot_open(&g, p);
	for (size_t panel = 0; panel < m->n_panels; panel++) {
		for (size_t s = 0; s < m->n_series; s++)
			print_data(g.f, m, panel, s);
		print_intervals(g.f, m, panel);
	}
	figure_head(&g, m->title, m->subtitle);
	for (size_t s = 0; s < m->n_series; s++)
		figure_legend(&g, s, FIGURE_SWATCH, s, m->series[s].legend);
	figure_foot(&g, m->remark);
	fputs("set multiplot\n", g.f);
	for (size_t panel = 0; panel < m->n_panels; panel++)
		draw_panel(&g, m, panel);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}
