/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draws grouped horizontal bars. The value follows each bar, and the letter of the series
 * precedes it, so that the picture is readable without colours.
 */
#include "host/report/charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

#define BAR_PIXELS    24
#define BAR_HALF      0.40 /* half of the thickness of a bar, in bars */
#define AXIS_PIXELS   96   /* below the bars: numbers, axis label, remark */
#define PANEL_PIXELS  30   /* a panel's title */
#define PANEL_GAP     24
#define TICK_PIXELS   90 /* a number of the axis, with a margin */
#define NAME_SIZE     14
#define LABEL_SIZE    12
#define NAME_PIXELS   520 /* at most, of a name */
#define LETTER_PIXELS 16  /* between a name and the axis */
#define LETTER_BYTES  24

static const struct figure_pen name_pen = { FIGURE_RIGHT, NAME_SIZE, COLOR_INK };
static const struct figure_pen value_pen = { FIGURE_LEFT, LABEL_SIZE, COLOR_INK };
static const struct figure_pen letter_pen = { FIGURE_RIGHT, LABEL_SIZE, COLOR_SOFT };
static const struct figure_pen panel_pen = { FIGURE_LEFT, 13, COLOR_INK };

/* "A" of the first of several series; "" if there is one. */
static void letter_of(const struct bars_model *m, size_t series, char text[LETTER_BYTES])
{
	*text = '\0';
	if (m->n_series > 26)
		snprintf(text, LETTER_BYTES, "%zu", series + 1);
	else if (m->n_series > 1)
		snprintf(text, LETTER_BYTES, "%c", (char)('A' + series));
}

/* The bytes of the first `n` characters. */
static size_t bytes_of(const char *text, size_t n)
{
	size_t at = 0;

	while (text[at] && (n || ((unsigned char)text[at] & 0xc0) == 0x80))
		n -= ((unsigned char)text[at++] & 0xc0) != 0x80;
	return at;
}

/* A name, with dots for the middle of one that has no room. free() it. */
static char *fit_name(const char *name)
{
	const double one = figure_text_width("x", NAME_SIZE);
	const size_t n = (size_t)(figure_text_width(name, NAME_SIZE) / one + 0.5);
	const size_t room = (size_t)(NAME_PIXELS / one);
	char *text;

	if (asprintf(&text, "%.*s%s%s", (int)bytes_of(name, n > room ? room * 2 / 3 : n),
		     name, n > room ? "\u2026" : "",
		     n > room ? name + bytes_of(name, n - room / 3) : "") < 0)
		abort();
	return text;
}

/* Room for the longest name. */
static double left_pixels(const struct bars_model *m)
{
	double longest = 0;

	for (size_t i = 0; i < m->n_groups; i++)
		longest = fmax(longest, figure_text_width(m->groups[i].label, NAME_SIZE));
	return 30 + LETTER_PIXELS + fmin(longest, NAME_PIXELS);
}

static unsigned int top_pixels(const struct bars_model *m)
{
	return FIGURE_HEAD + FIGURE_LEGEND * (unsigned int)m->n_series +
	       (m->panels[0].title ? PANEL_PIXELS : 0);
}

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
	const struct bars_panel *p = &m->panels[bar->panel];
	char number[2 * NUMBER_BYTES + 4], lo[NUMBER_BYTES], hi[NUMBER_BYTES];
	char percent[32] = "";

	number_format(number, bar->figure, bar->exact);
	if (bar->exact && !isnan(bar->hi)) {
		number_format(lo, bar->figure_lo, true);
		number_format(hi, bar->figure_hi, true);
		snprintf(number, sizeof(number), "%s to %s", lo, hi);
	}
	if (m->relative && !bar->failed)
		snprintf(percent, sizeof(percent), "%.1f %%   ", bar->value);
	snprintf(text, bytes, "%s%s%s%s", p->cut && bar->value > p->most ? "\u00bb " : "",
		 percent, bar->failed ? "FAILED" : number, bar->fault ? " (fault)" : "");
}

/* The axis goes on beyond the longest bar, for the text behind it. */
static double axis_end(const struct bars_model *m, size_t panel,
		       const struct figure_panel *p)
{
	const struct bars_panel *axis = &m->panels[panel];
	double plot = p->right - p->left, label = 0;
	char text[256];

	for (size_t i = 0; i < m->n_bars; i++) {
		if (m->bars[i].panel != panel && !m->one_axis)
			continue;
		bar_text(m, &m->bars[i], text, sizeof(text));
		label = fmax(label, 14 + figure_text_width(text, LABEL_SIZE));
	}
	label = fmin(label, plot * 0.6);
	if (axis->linear)
		return fmin(axis->most * plot / (plot - label), 1e200);
	/* Keeps the axis within the range of doubles. */
	return fmin(axis->foot * pow(axis->most / axis->foot, plot / (plot - label)),
		    1e200);
}

static void print_axes(const struct figure *g, const struct bars_model *m, size_t panel)
{
	const struct bars_panel *axis = &m->panels[panel];
	struct figure_panel p = panel_of(g, m, panel);
	/* The axis goes on for the text behind the bars, without ticks. */
	double end = axis_end(m, panel, &p), last = axis->most * (axis->linear ? 1 : 2);
	double ticked =
		(p.right - p.left) *
		fmin(axis->linear ? last / end
				  : log(last / axis->foot) / log(end / axis->foot),
		     1);
	unsigned int ticks = (unsigned int)(ticked / TICK_PIXELS) + 1;
	char label[160];

	figure_panel(g, &p);
	if (axis->linear)
		figure_linear_axis(g, "x", 0, last, ticks, m->relative ? " %" : "");
	else
		figure_log_axis(g, "x", axis->foot, last, ticks, "");
	fprintf(g->f, "set xrange [%.6g:%.6g]\n", axis->foot, end);
	fprintf(g->f, "set yrange [%.3f:0]\nunset ytics\n", m->height);
	if (m->relative)
		snprintf(label, sizeof(label), "percent of %s", m->relative);
	else
		snprintf(label, sizeof(label), "%s%s", plot_unit_words(axis->unit),
			 axis->linear ? "" : ", logarithmic axis");
	figure_axis_label(g, "x", label);
	if (m->relative)
		fprintf(g->f,
			"set arrow from first 100, graph 0 to first 100, graph 1 nohead front dt 2 lw 1.5 lc rgb '%s'\n",
			color_light(COLOR_INK));
	if (axis->title)
		figure_text(g, p.left, p.top - PANEL_PIXELS / 2.0, &panel_pen,
			    axis->title);
}

static void print_groups(const struct figure *g, const struct bars_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++) {
		const struct bars_group *group = &m->groups[i];
		char *name = fit_name(group->label);

		if (i % 2 == 0)
			figure_band(g, group->top, group->bottom);
		figure_text_at(g, m->panels[0].foot, (group->top + group->bottom) / 2,
			       m->n_series > 1 ? -12 - LETTER_PIXELS : -12, &name_pen,
			       name);
		free(name);
	}
	/* A line has bars in one panel or in several: one letter. */
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bar *bar = &m->bars[i];
		char letter[LETTER_BYTES];

		letter_of(m, bar->series, letter);
		if (*letter && (!i || m->bars[i - 1].y != bar->y))
			figure_text_at(g, m->panels[0].foot, bar->y, -6, &letter_pen,
				       letter);
	}
}

static bool has_length(const struct bars_model *m, const struct bar *b)
{
	return b->value > m->panels[b->panel].foot;
}

/* Where the bar of a figure ends; that of a range at its lower end, at which it begins.
 */
static double length_of(const struct bar *b)
{
	return b->exact && b->lo < b->value ? b->lo : b->value;
}

/* Where a value is on the axis: a cut bar ends with the longest of the others. */
static double end_of(const struct bars_model *m, const struct bar *b, double value)
{
	const struct bars_panel *p = &m->panels[b->panel];

	return p->cut ? fmin(value, p->most) : value;
}

static void print_bar_label(const struct figure *g, const struct bars_model *m,
			    const struct bar *bar)
{
	const struct figure_panel p = panel_of(g, m, bar->panel);
	double at = m->panels[bar->panel].foot;
	char text[256];

	if (has_length(m, bar)) /* behind the whisker */
		at = end_of(m, bar, bar->hi > bar->value ? bar->hi : bar->value);
	bar_text(m, bar, text, sizeof(text));
	/* The line at 100 % must not cross the text. */
	if (m->relative && at < 100 &&
	    (100 - at) * (p.right - p.left) / axis_end(m, bar->panel, &p) <
		    14 + figure_text_width(text, LABEL_SIZE))
		at = 100;
	figure_text_at(g, at, bar->y, 8, &value_pen, text);
}

/* Bars with a length, one block per panel and series. */
static void print_data(FILE *f, const struct bars_model *m, size_t panel, size_t series)
{
	double foot = m->panels[panel].foot;

	fprintf(f, "$bars_%zu_%zu << EOD\n", panel, series);
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bar *b = &m->bars[i];

		const double end = fmax(end_of(m, b, length_of(b)), foot);

		if (b->panel == panel && b->series == series && has_length(m, b))
			fprintf(f, "%.9g %.3f %.9g %.9g %.3f %.3f\n", end, b->y, foot,
				end, b->y - BAR_HALF, b->y + BAR_HALF);
	}
	fputs("EOD\n", f);
}

/* Whether the interval is wide enough to be seen as one. */
static bool has_whisker(const struct figure *g, const struct bars_model *m,
			const struct bar *b)
{
	const struct figure_panel p = panel_of(g, m, b->panel);
	const struct bars_panel *axis = &m->panels[b->panel];
	const double end = axis_end(m, b->panel, &p), pixels = p.right - p.left;
	const double lo = fmax(b->lo, axis->foot);

	if (isnan(b->hi) || !has_length(m, b) || (axis->cut && b->hi > axis->most))
		return false;
	return (axis->linear ? (b->hi - lo) / end
			     : log(b->hi / lo) / log(end / axis->foot)) *
		       pixels >=
	       BARS_WHISKER;
}

static void print_intervals(const struct figure *g, const struct bars_model *m,
			    size_t panel)
{
	double foot = m->panels[panel].foot;
	FILE *f = g->f;

	fprintf(f, "$intervals_%zu << EOD\n", panel);
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct bar *b = &m->bars[i];

		if (b->panel == panel && has_whisker(g, m, b))
			fprintf(f, "%.9g %.3f %.9g %.9g\n", b->value, b->y,
				b->lo > foot ? b->lo : foot, b->hi);
	}
	fputs("EOD\n", f);
}

/* An empty plot is an error in gnuplot: NaN draws the axes where no bar has a length. */
static void print_plot(const struct figure *g, const struct bars_model *m, size_t panel)
{
	size_t intervals = 0;
	FILE *f = g->f;

	fputs("plot NaN notitle", f);
	for (size_t s = 0; s < m->n_series; s++) {
		bool any = false;

		for (size_t i = 0; i < m->n_bars; i++)
			any |= m->bars[i].panel == panel && m->bars[i].series == s &&
			       has_length(m, &m->bars[i]);
		if (any)
			fprintf(f,
				", $bars_%zu_%zu using 1:2:3:4:5:6 with boxxyerror lc rgb '%s'",
				panel, s, color_light(COLOR_SERIES + s));
	}
	for (size_t i = 0; i < m->n_bars; i++)
		intervals += m->bars[i].panel == panel && has_whisker(g, m, &m->bars[i]);
	if (intervals)
		fprintf(f,
			", $intervals_%zu using 1:2:3:4 with xerrorbars pt -1 lw 1.5 lc rgb '%s'",
			panel, color_light(COLOR_INK));
	fputc('\n', f);
}

static void draw_panel(const struct figure *g, const struct bars_model *m, size_t panel)
{
	if (panel) /* labels and objects would be drawn again */
		fputs("unset label\nunset object\nunset arrow\n", g->f);
	print_axes(g, m, panel);
	if (!panel)
		print_groups(g, m);
	for (size_t i = 0; i < m->n_bars; i++)
		if (m->bars[i].panel == panel)
			print_bar_label(g, m, &m->bars[i]);
	print_plot(g, m, panel);
}

static void print_legend(const struct figure *g, const struct bars_model *m,
			 size_t series)
{
	char letter[LETTER_BYTES], *text;

	letter_of(m, series, letter);
	if (asprintf(&text, "%s%s%s", letter, *letter ? "  " : "",
		     m->series[series].legend) < 0)
		abort();
	figure_legend(g, series, FIGURE_SWATCH, series, text);
	free(text);
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
		print_intervals(&g, m, panel);
	}
	figure_head(&g, m->title, m->subtitle);
	for (size_t s = 0; s < m->n_series; s++)
		print_legend(&g, m, s);
	figure_foot(&g, m->remark);
	fputs("set multiplot\n", g.f);
	for (size_t panel = 0; panel < m->n_panels; panel++)
		draw_panel(&g, m, panel);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}
