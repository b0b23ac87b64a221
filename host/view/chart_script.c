/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gnuplot commands of a bar chart: bars lie, one per benchmark and target, each
 * with its value and its target's name behind it, so that colour is not needed.
 */
#include "host/view/chart_model.h"

#include <math.h>
#include <string.h>

#include "host/result/result.h"
#include "host/view/gnuplot.h"
#include "host/view/number.h"

#define BAR_PIXELS   24
#define BAR_HALF     0.40 /* half a bar's thickness, in bars */
#define LEGEND_LINE  22
#define TITLE_PIXELS 78
#define AXIS_PIXELS  96 /* below the bars: numbers, axis label, remark */
#define RIGHT_PIXELS 30
#define NAME_PIXELS  10.8 /* width of a character of a benchmark's name, at most */
#define LABEL_PIXELS 9.4  /* and of the text behind a bar */

/* Okabe and Ito, Color Universal Design (2008), without black and yellow. */
static const char *const palette[] = {
	"#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#999999",
};

static const char *color_of(size_t doc)
{
	return palette[doc % (sizeof(palette) / sizeof(palette[0]))];
}

/* Room for the longest name of a benchmark, within reason. */
static double left_pixels(const struct chart_model *m)
{
	size_t longest = 12;

	for (size_t i = 0; i < m->n_groups; i++)
		longest = strlen(m->groups[i].label) > longest
				  ? strlen(m->groups[i].label)
				  : longest;
	return 30 + NAME_PIXELS * (longest < 48 ? (double)longest : 48);
}

static unsigned int top_pixels(const struct chart_model *m)
{
	return TITLE_PIXELS + LEGEND_LINE * (unsigned int)m->n_docs;
}

unsigned int chart_model_height(const struct chart_model *m)
{
	return top_pixels(m) + (unsigned int)(m->height * BAR_PIXELS) + AXIS_PIXELS;
}

static bool is_insns(const struct chart_model *m)
{
	return !strcmp(m->unit, "insns");
}

/* What a document measured, in the words of its legend line. */
static void print_subject(FILE *f, const struct chart_model *m, const struct result *r)
{
	char text[512];
	int at = snprintf(text, sizeof(text), "%s: ", r->target.name);
	size_t room = sizeof(text);

	if (r->subject.kernel)
		at += snprintf(text + at, room - (size_t)at, "Linux %.100s, KVM %.100s",
			       r->subject.kernel,
			       r->target.hypervisor ? r->target.hypervisor : "");
	else
		at += snprintf(text + at, room - (size_t)at, "no hypervisor");
	if (r->subject.label && (size_t)at < room)
		at += snprintf(text + at, room - (size_t)at, " (%.60s)",
			       r->subject.label);
	if (r->clock.hz && !is_insns(m) && (size_t)at < room)
		snprintf(text + at, room - (size_t)at, ", %.40s at %.4g MHz",
			 r->clock.name ? r->clock.name : "clock",
			 (double)r->clock.hz / 1e6);
	gnuplot_quote(f, text);
}

/* Legend: one line per document below the title, a swatch before it. */
static void print_legend(FILE *f, const struct chart_model *m)
{
	double height = chart_model_height(m);

	for (size_t d = 0; d < m->n_docs; d++) {
		double y =
			1 - (TITLE_PIXELS - 8 + LEGEND_LINE * ((double)d + 0.5)) / height;

		fprintf(f,
			"set object rectangle from screen %.6f, screen %.6f to screen "
			"%.6f, screen %.6f front fc rgb '%s' fs solid noborder\n",
			24.0 / CHART_WIDTH, y - 6 / height, 48.0 / CHART_WIDTH,
			y + 6 / height, color_of(d));
		fputs("set label ", f);
		print_subject(f, m, m->docs[d]);
		fprintf(f, " at screen %.6f, screen %.6f left front font ',12'\n",
			56.0 / CHART_WIDTH, y);
	}
}

static void print_titles(FILE *f, const struct chart_model *m)
{
	double height = chart_model_height(m);

	fputs("set label ", f);
	gnuplot_quote(
		f, is_insns(m) ? "What leaving the guest and coming back costs, in "
				 "instructions"
			       : "What leaving the guest and coming back takes, in ticks "
				 "of the guest's clock");
	fprintf(f, " at screen %.6f, screen %.6f left front font ',20'\n",
		24.0 / CHART_WIDTH, 1 - 24 / height);
	fputs("set label ", f);
	gnuplot_quote(
		f, is_insns(m) ? "Executed by guest and host from before the operation "
				 "to after it: path length, not time. Shorter is better."
			       : "Time, in steps of each target's own clock, not CPU "
				 "cycles. Shorter is better.");
	fprintf(f,
		" at screen %.6f, screen %.6f left front font ',12' tc rgb '#555555'\n",
		24.0 / CHART_WIDTH, 1 - 50 / height);
}

/* The text behind a bar: its value and whose it is. */
static void bar_text(const struct chart_model *m, const struct chart_bar *bar, char *text,
		     size_t bytes)
{
	const struct result *r = m->docs[bar->doc];
	char number[NUMBER_BYTES];

	number_format(number, bar->value, r->target.exact);
	snprintf(text, bytes, "%s  %.200s", bar->failed ? "FAILED" : number,
		 r->target.name);
}

/* The axis goes on beyond the longest bar, for the text behind it. */
static double axis_end(const struct chart_model *m)
{
	double plot = CHART_WIDTH - left_pixels(m) - RIGHT_PIXELS, label = 0;
	char text[256];

	for (size_t i = 0; i < m->n_bars; i++) {
		bar_text(m, &m->bars[i], text, sizeof(text));
		label = fmax(label, 14 + LABEL_PIXELS * (double)strlen(text));
	}
	label = fmin(label, plot / 2);
	return m->foot * pow(m->most / m->foot, plot / (plot - label));
}

static void print_scale(FILE *f, const struct chart_model *m)
{
	double end = axis_end(m);
	char number[NUMBER_BYTES];
	bool first = true;

	fprintf(f,
		"set logscale x 10\nset xrange [%.6g:%.6g]\nset xtics out nomirror "
		"tc rgb '#333333' font ',13' (",
		m->foot, end);
	/* None so near the end that its number would be cut off. */
	for (int e = (int)ceil(log10(m->foot)); pow(10, e) <= end / 1.3; e++) {
		number_format(number, pow(10, e), true);
		fprintf(f, "%s'%s' %.6g", first ? "" : ", ", number, pow(10, e));
		first = false;
	}
	fputs(")\nset grid xtics back lt 1 lc rgb '#dddddd'\n", f);
}

static void print_axes(FILE *f, const struct chart_model *m)
{
	double height = chart_model_height(m);

	fprintf(f, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n",
		left_pixels(m) / CHART_WIDTH, 1 - (double)RIGHT_PIXELS / CHART_WIDTH);
	fprintf(f, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
		1 - top_pixels(m) / height, AXIS_PIXELS / height);
	print_scale(f, m);
	fprintf(f, "set yrange [%.3f:0]\nset border 1 lc rgb '#888888'\n", m->height);
	fputs("set xlabel ", f);
	gnuplot_quote(f, is_insns(m) ? "instructions (insns) per round trip, "
				       "logarithmic axis"
				     : "clock ticks per round trip, logarithmic axis");
	fputs(" font ',14'\nunset ytics\nunset key\n", f);
}

/* What the bars alone would leave unsaid. */
static void print_remarks(FILE *f, const struct chart_model *m)
{
	char text[256] = "";
	size_t at = 0, low = 0, intervals = 0;

	for (size_t i = 0; i < m->n_bars; i++) {
		low += m->bars[i].value <= m->foot;
		intervals += !isnan(m->bars[i].hi);
	}
	if (intervals)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "Whiskers: confidence interval. ");
	if (low)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at,
			"Zero and less has no length on a logarithmic axis. ");
	if (m->n_skipped)
		snprintf(text + at, sizeof(text) - at,
			 "%zu skipped measurement%s not drawn.", m->n_skipped,
			 m->n_skipped == 1 ? " is" : "s are");
	fputs("set label ", f);
	gnuplot_quote(f, text);
	fprintf(f,
		" at screen %.6f, screen %.6f right front font ',11' tc rgb '#666666'\n",
		1 - (double)RIGHT_PIXELS / CHART_WIDTH, 14.0 / chart_model_height(m));
}

static void print_groups(FILE *f, const struct chart_model *m)
{
	for (size_t i = 0; i < m->n_groups; i++) {
		const struct chart_group *g = &m->groups[i];

		if (i % 2 == 0)
			fprintf(f,
				"set object rectangle from screen 0, first %.3f to "
				"screen 1, "
				"first %.3f behind fc rgb '#f5f5f5' fs solid noborder\n",
				g->top, g->bottom);
		fputs("set label ", f);
		gnuplot_quote(f, g->label);
		fprintf(f, " at screen %.6f, first %.3f right front font ',14'\n",
			(left_pixels(m) - 12) / CHART_WIDTH, (g->top + g->bottom) / 2);
	}
}

/* Where a value stands on an axis that has no zero. */
static double place(const struct chart_model *m, double value)
{
	return value > m->foot ? value : m->foot;
}

static void print_bar_label(FILE *f, const struct chart_model *m,
			    const struct chart_bar *bar)
{
	double at = bar->failed ? m->foot : place(m, bar->value);
	char text[256];

	if (at > m->foot && bar->hi > at) /* behind the whisker */
		at = bar->hi;
	bar_text(m, bar, text, sizeof(text));
	fputs("set label ", f);
	gnuplot_quote(f, text);
	fprintf(f,
		" at first %.9g, first %.3f left front offset char 0.6, 0 font ',12'\n",
		at, bar->y);
}

/* Bars that have a length, one plot per document for its colour. */
static void print_data(FILE *f, const struct chart_model *m)
{
	for (size_t d = 0; d < m->n_docs; d++) {
		fprintf(f, "$bars%zu << EOD\n", d);
		for (size_t i = 0; i < m->n_bars; i++) {
			const struct chart_bar *b = &m->bars[i];

			if (b->doc == d && b->value > m->foot)
				fprintf(f, "%.9g %.3f %.9g %.9g %.3f %.3f\n", b->value,
					b->y, m->foot, b->value, b->y - BAR_HALF,
					b->y + BAR_HALF);
		}
		fputs("EOD\n", f);
	}
	fputs("$intervals << EOD\n", f);
	for (size_t i = 0; i < m->n_bars; i++) {
		const struct chart_bar *b = &m->bars[i];

		if (!isnan(b->hi) && b->value > m->foot)
			fprintf(f, "%.9g %.3f %.9g %.9g\n", b->value, b->y,
				place(m, b->lo), b->hi);
	}
	fputs("EOD\n", f);
}

/*
 * A plot of nothing is an error to gnuplot, so an invisible function of x stands
 * first: it gives the axes their life where no bar has a length.
 */
static void print_plot(FILE *f, const struct chart_model *m)
{
	size_t intervals = 0;

	fputs("set style fill solid 1.0 noborder\nplot NaN notitle", f);
	for (size_t d = 0; d < m->n_docs; d++) {
		bool any = false;

		for (size_t i = 0; i < m->n_bars; i++)
			any |= m->bars[i].doc == d && m->bars[i].value > m->foot;
		if (any)
			fprintf(f,
				", $bars%zu using 1:2:3:4:5:6 with boxxyerror lc rgb "
				"'%s'",
				d, color_of(d));
	}
	for (size_t i = 0; i < m->n_bars; i++)
		intervals += !isnan(m->bars[i].hi) && m->bars[i].value > m->foot;
	if (intervals)
		fputs(", $intervals using 1:2:3:4 with xerrorbars pt -1 lw 1.5 lc rgb "
		      "'black'",
		      f);
	fputc('\n', f);
}

void chart_script(FILE *f, const struct chart_model *m)
{
	fputs("set encoding utf8\n", f);
	print_titles(f, m);
	print_legend(f, m);
	print_axes(f, m);
	print_remarks(f, m);
	print_groups(f, m);
	for (size_t i = 0; i < m->n_bars; i++)
		print_bar_label(f, m, &m->bars[i]);
	print_data(f, m);
	print_plot(f, m);
}
