/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures from run to run: a picture per place, a row per series, with intervals, the
 * levels between changes, and the size of each change.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/lib/html.h"
#include "host/report/picture.h"
#include "host/lib/text.h"
#include "host/report/plots.h"

#define LABEL_PIXELS 84 /* of the size of a change */
#define LABEL_BAND   20 /* above the lines, for these */
#define RUN_PIXELS   34 /* between the names of two runs */
#define ROW_PIXELS   170
#define ALONE_PIXELS 420
#define NAME_PIXELS  30
#define TOP_PIXELS   (FIGURE_HEAD + FIGURE_LEGEND * 2 + 8)
#define FOOT_PIXELS  110 /* names of runs, rotated */
#define LEFT_PIXELS  110
#define RIGHT_PIXELS 120 /* the newest value */

#define NAME_BYTES PLOT_KERNEL_BYTES

#define HISTORY_ROWS_MAX 12 /* of one picture; --bench chooses others */

struct history_sheet {
	const struct history *h;
	size_t place;
	const struct history_series *rows[HISTORY_ROWS_MAX];
	size_t n_rows, n_left_out, n_flat; /* these never changed */
	size_t n_others;		   /* not of the core, and not asked for */
	/* The runs that a row has a point of are side by side. */
	size_t n_runs;
	size_t *column; /* of each run of the place; SIZE_MAX: no row has a point */
	unsigned int row_pixels;
};

static const struct figure_pen name_pen = { FIGURE_LEFT, 13, COLOR_INK };
static const struct figure_pen unit_pen = { FIGURE_RIGHT, 11, COLOR_SOFT };
static const struct figure_pen value_pen = { FIGURE_LEFT, 12, COLOR_INK };

/* ------------------------------ the axis of runs ------------------------------ */

static size_t place_of(const struct history_sheet *sheet, const struct history_point *p)
{
	const struct history_run *run = &sheet->h->runs[p->run];

	/* A subject of an exact place that was measured again is where it was first. */
	if (sheet->h->places[sheet->place].exact)
		run = &sheet->h->runs[run->subject];
	return run->at_place;
}

static double history_at(const struct history_sheet *sheet, const struct history_point *p)
{
	return (double)sheet->column[place_of(sheet, p)];
}

static void set_columns(struct history_sheet *sheet)
{
	size_t n = sheet->h->places[sheet->place].n_runs;

	sheet->column = calloc(n + 1, sizeof(*sheet->column));
	if (!sheet->column)
		abort();
	for (size_t row = 0; row < sheet->n_rows; row++)
		for (size_t i = 0; i < sheet->rows[row]->n_points; i++)
			sheet->column[place_of(sheet, &sheet->rows[row]->points[i])] = 1;
	for (size_t i = 0; i < n; i++)
		sheet->column[i] = sheet->column[i] ? sheet->n_runs++ : SIZE_MAX;
}

/* Whether the runs of a place have different kernels. */
static bool kernels_differ(const struct history_sheet *sheet)
{
	const char *first = NULL;

	for (size_t i = 0; i < sheet->h->n_runs; i++) {
		const struct history_run *run = &sheet->h->runs[i];

		if (run->place != sheet->place || !run->kernel)
			continue;
		if (first && strcmp(first, run->kernel) != 0)
			return true;
		first = run->kernel;
	}
	return false;
}

/* The name of a run: its kernel if kernels differ, otherwise its label, commit or time.
 */
static void run_name(const struct history_sheet *sheet, const struct history_run *run,
		     char text[NAME_BYTES])
{
	const char *name = run->label ? run->label : run->commit;

	if (run->kernel && kernels_differ(sheet))
		plot_kernel(run->kernel, text);
	else if (name)
		snprintf(text, NAME_BYTES, "%s", name);
	else /* "2026-11-21T09:59:12Z", to the minute */
		snprintf(text, NAME_BYTES, "%.10s %.5s", run->time,
			 strlen(run->time) > 16 ? run->time + 11 : "");
}

static bool begins_change(const struct history_sheet *sheet, size_t at)
{
	for (size_t row = 0; row < sheet->n_rows; row++) {
		const struct history_series *s = sheet->rows[row];

		for (size_t k = 0; k < s->n_changes; k++)
			if (history_at(sheet, &s->points[s->changes[k].index]) ==
			    (double)at)
				return true;
	}
	return false;
}

/* How much a name is worth: the ends of the axis, releases, changes, other runs. */
static unsigned int worth(const struct history_sheet *sheet, char (*names)[NAME_BYTES],
			  size_t i)
{
	if (!i || i + 1 == sheet->n_runs)
		return 4;
	if (kernels_differ(sheet) && !plot_is_release(names[i - 1], names[i]))
		return 3;
	return begins_change(sheet, i) ? 2 : 1;
}

/* Names runs as far as there is room, those that are worth more first. */
static void choose_names(const struct figure *g, const struct history_sheet *sheet,
			 char (*names)[NAME_BYTES], bool *named)
{
	double pixels = (g->width - LEFT_PIXELS - RIGHT_PIXELS) / (double)sheet->n_runs;

	for (unsigned int level = 4; level; level--)
		for (size_t i = 0; i < sheet->n_runs; i++) {
			bool room = worth(sheet, names, i) == level;

			for (size_t k = 0; k < sheet->n_runs && room; k++)
				room = !named[k] ||
				       fabs((double)i - (double)k) * pixels >= RUN_PIXELS;
			named[i] |= room;
		}
}

static void history_print_runs(const struct figure *g, const struct history_sheet *sheet,
			       bool named)
{
	size_t n = sheet->n_runs, count = 0;
	bool *chosen = calloc(n + 1, sizeof(*chosen));
	struct figure_name *names = calloc(n + 1, sizeof(*names));
	char(*texts)[NAME_BYTES] = calloc(n + 1, NAME_BYTES);

	if (!chosen || !names || !texts)
		abort();
	for (size_t i = 0; i < sheet->h->n_runs; i++) {
		const struct history_run *run = &sheet->h->runs[i];

		if (run->place == sheet->place && sheet->column[run->at_place] < n)
			run_name(sheet, run, texts[sheet->column[run->at_place]]);
	}
	if (named)
		choose_names(g, sheet, texts, chosen);
	for (size_t i = 0; i < n; i++)
		if (chosen[i])
			names[count++] = (struct figure_name){ (double)i, texts[i] };
	figure_name_axis(g, "x", -0.7, (double)n - 0.3, names, count);
	free(chosen);
	free(names);
	free(texts);
}

/* ------------------------------ the rows ------------------------------ */

static double largest_change(const struct history_series *s)
{
	double most = 0;

	for (size_t k = 0; k < s->n_changes; k++)
		most = fmax(most, changepoint_magnitude(&s->changes[k]));
	return most;
}

/* By the largest change, then in the order of the history. */
static int by_change(const void *a, const void *b)
{
	const struct history_series *x = *(const struct history_series *const *)a;
	const struct history_series *y = *(const struct history_series *const *)b;
	double p = largest_change(x), q = largest_change(y);

	if (p != q)
		return p < q ? 1 : -1;
	return (x > y) - (x < y);
}

static bool is_candidate(const struct history_sheet *sheet, const struct plot_input *in,
			 const struct history_series *s)
{
	return s->place == sheet->place && s->n_points > 1 &&
	       plot_wants(in, s->benchmark);
}

/* The core benchmarks, unless others are asked for. */
static void collect(struct history_sheet *sheet, const struct plot_input *in)
{
	const struct history *h = in->history;
	const struct history_series **all = calloc(h->n_series + 1, sizeof(*all));
	size_t n = 0, core = 0;

	if (!all)
		abort();
	for (size_t i = 0; i < h->n_series; i++)
		if (is_candidate(sheet, in, &h->series[i]))
			core += result_bench_matches("core", h->series[i].benchmark);
	for (size_t i = 0; i < h->n_series; i++) {
		if (!is_candidate(sheet, in, &h->series[i]))
			continue;
		if (in->n_benches || !core ||
		    result_bench_matches("core", h->series[i].benchmark))
			all[n++] = &h->series[i];
		else
			sheet->n_others++;
	}
	qsort(all, n, sizeof(*all), by_change);
	/* Exact series that never changed are counted, not drawn, if others changed. */
	for (; n > 1 && all[n - 1]->method == HISTORY_STEPS && !all[n - 1]->n_changes &&
	       all[0]->n_changes;
	     n--)
		sheet->n_flat++;
	sheet->n_rows = n < HISTORY_ROWS_MAX ? n : HISTORY_ROWS_MAX;
	sheet->n_left_out = n - sheet->n_rows;
	memcpy(sheet->rows, all, sheet->n_rows * sizeof(*all));
	sheet->row_pixels = sheet->n_rows == 1 ? ALONE_PIXELS : ROW_PIXELS;
	set_columns(sheet);
	free(all);
}

static void print_points(FILE *f, const struct history_sheet *sheet, size_t row)
{
	const struct history_series *s = sheet->rows[row];

	fprintf(f, "$points_%zu << EOD\n", row);
	for (size_t i = 0; i < s->n_points; i++) {
		const struct history_point *p = &s->points[i];

		fprintf(f, "%.9g %.9g %.9g %.9g\n", history_at(sheet, p), p->value,
			isnan(p->lo) ? p->value : p->lo, isnan(p->hi) ? p->value : p->hi);
	}
	fputs("EOD\n", f);
}

/* A level's ends lie half a run outside its first and last point. */
static void print_levels(FILE *f, const struct history_sheet *sheet, size_t row)
{
	const struct history_series *s = sheet->rows[row];

	fprintf(f, "$levels_%zu << EOD\n", row);
	for (size_t k = 0; k <= s->n_changes && s->n_changes; k++) {
		size_t from = k ? s->changes[k - 1].index : 0;
		size_t to = k < s->n_changes ? s->changes[k].index : s->n_points;
		double level = k ? s->changes[k - 1].after : s->changes[0].before;

		fprintf(f, "%.9g %.9g\n%.9g %.9g\n\n",
			history_at(sheet, &s->points[from]) - 0.5, level,
			history_at(sheet, &s->points[to - 1]) + 0.5, level);
	}
	fputs("EOD\n", f);
}

static struct figure_panel panel_of(const struct figure *g,
				    const struct history_sheet *sheet, size_t row)
{
	double top = TOP_PIXELS + sheet->row_pixels * (double)row;

	return (struct figure_panel){ LEFT_PIXELS, top + NAME_PIXELS,
				      g->width - RIGHT_PIXELS,
				      top + sheet->row_pixels - 14 };
}

/* Where the text of a change begins, in pixels: at its line, or before it at the end. */
static double label_begin(const struct figure *g, const struct history_sheet *sheet,
			  const struct history_series *s, size_t k)
{
	double width = g->width - LEFT_PIXELS - RIGHT_PIXELS;
	double x = (history_at(sheet, &s->points[s->changes[k].index]) + 0.2) * width /
		   ((double)sheet->n_runs + 0.4);

	return fmin(x, width - LABEL_PIXELS);
}

/* A change has room for its text if that of no larger change is too near. */
static bool has_room(const struct figure *g, const struct history_sheet *sheet,
		     const struct history_series *s, size_t k)
{
	double mine = changepoint_magnitude(&s->changes[k]);

	for (size_t j = 0; j < s->n_changes; j++) {
		double apart =
			fabs(label_begin(g, sheet, s, j) - label_begin(g, sheet, s, k));
		double other = changepoint_magnitude(&s->changes[j]);

		if (j != k && apart < LABEL_PIXELS &&
		    (other > mine || (other == mine && j < k)))
			return false;
	}
	return true;
}

static void print_change(const struct figure *g, const struct history_sheet *sheet,
			 const struct history_series *s, size_t k,
			 const struct figure_panel *panel)
{
	static const struct {
		unsigned int color;
		const char *mark;
	} looks[] = {
		[HISTORY_WORSE] = { COLOR_WORSE, "\u25b2" },
		[HISTORY_BETTER] = { COLOR_BETTER, "\u25bc" },
		[HISTORY_CHANGED] = { COLOR_SERIES + 1, "\u25c6" },
	};
	const struct changepoint *c = &s->changes[k];
	unsigned int color = looks[history_kind(s, k)].color;
	const struct figure_pen pen = { FIGURE_LEFT, 11, color };
	const char *mark = looks[history_kind(s, k)].mark;
	double x = history_at(sheet, &s->points[c->index]) - 0.5;
	double before = c->before, after = c->after, share;
	const char *quantile = "";
	char text[128];

	if (c->of == CHANGEPOINT_OF_EVENTS)
		quantile = row_quantile_name(
			history_largest_quantile(s, k, &before, &after));
	else if (c->of == CHANGEPOINT_OF_VALUES)
		quantile = "modes";
	share = before > 0 ? 100 * (after / before - 1) : NAN;

	/* The line ends below the texts. */
	fprintf(g->f,
		"set arrow from first %.9g, graph 0 to first %.9g, graph %.4f nohead back dt 2 lw 1.5 lc rgb '%s'\n",
		x, x, 1 - LABEL_BAND / (panel->bottom - panel->top), color_light(color));
	if (!has_room(g, sheet, s, k))
		return;
	if (fabs(share) >= 0.1 && share < 1000)
		snprintf(text, sizeof(text), "%s %s%s%+.1f %%", mark, quantile,
			 *quantile ? " " : "", share);
	else
		snprintf(text, sizeof(text), "%s %s%s%+.4g", mark, quantile,
			 *quantile ? " " : "", after - before);
	figure_text(g, panel->left + label_begin(g, sheet, s, k),
		    panel->top + LABEL_BAND / 2.0 - 2, &pen, text);
}

/* The axis goes on above the last number, for the texts of the changes. */
static void print_range(const struct figure *g, const struct history_series *s,
			const struct figure_panel *panel)
{
	double share = LABEL_BAND / (panel->bottom - panel->top);
	double least = INFINITY, most = -INFINITY, room;

	for (size_t i = 0; i < s->n_points; i++) {
		const struct history_point *p = &s->points[i];

		least = fmin(least, fmin(p->value, isnan(p->lo) ? p->value : p->lo));
		most = fmax(most, fmax(p->value, isnan(p->hi) ? p->value : p->hi));
	}
	room = fmax((most - least) * 0.15, fmax(fabs(most) * 0.002, 1));
	least -= room;
	most += room;
	figure_linear_axis(g, "y", least, most, 4, "");
	fprintf(g->f, "set yrange [%.9g:%.9g]\n", least,
		least + (most - least) / (1 - share));
}

static void print_words(const struct figure *g, const struct history_sheet *sheet,
			size_t row)
{
	const struct history_series *s = sheet->rows[row];
	const struct history_point *newest = &s->points[s->n_points - 1];
	struct figure_panel p = panel_of(g, sheet, row);
	char text[256], number[NUMBER_BYTES];

	snprintf(text, sizeof(text),
		 strcmp(s->config, "default") ? "%.90s [%.60s]" : "%.90s", s->benchmark,
		 s->config);
	figure_text(g, p.left, p.top - NAME_PIXELS / 2.0, &name_pen, text);
	snprintf(text, sizeof(text), "%.60s, %.60s", s->metric, plot_unit_words(s->unit));
	figure_text(g, p.right, p.top - NAME_PIXELS / 2.0, &unit_pen, text);
	number_format(number, newest->value, sheet->h->places[sheet->place].exact);
	figure_text_at(g, (double)sheet->n_runs - 0.3, newest->value, 8, &value_pen,
		       number);
}

static void draw_row(const struct figure *g, const struct history_sheet *sheet,
		     size_t row)
{
	const struct history_series *s = sheet->rows[row];
	struct figure_panel p = panel_of(g, sheet, row);

	fputs("unset label\nunset object\nunset arrow\nset border 3\n", g->f);
	figure_panel(g, &p);
	history_print_runs(g, sheet, row + 1 == sheet->n_rows);
	print_range(g, s, &p);
	print_words(g, sheet, row);
	for (size_t k = 0; k < s->n_changes; k++)
		print_change(g, sheet, s, k, &p);
	fprintf(g->f,
		"plot $points_%zu using 1:3:4 with filledcurves fs solid noborder lc rgb '%s'",
		row, color_light(COLOR_GRID));
	if (s->n_changes)
		fprintf(g->f, ", $levels_%zu with lines lw 4 lc rgb '%s'", row,
			color_light(COLOR_SERIES + 4));
	/* Noisy points are joined by a line. */
	fprintf(g->f, ", $points_%zu using 1:2 with %s lw 1 pt 7 ps 0.8 lc rgb '%s'\n",
		row, sheet->h->places[sheet->place].exact ? "points" : "linespoints",
		color_light(COLOR_INK));
}

static void print_heads(const struct figure *g, const struct history_sheet *sheet)
{
	const struct history_place *place = &sheet->h->places[sheet->place];
	char title[192], subtitle[256], remark[192], flat[64] = "", more[96] = "";

	snprintf(title, sizeof(title), "%.100s over %zu runs", place->target,
		 sheet->n_runs);
	snprintf(subtitle, sizeof(subtitle), "%s%.160s. %s",
		 place->exact ? "" : "Machine ", place->what ? place->what : "",
		 place->exact ? "Exact: every difference is a change."
			      : "Ground: confidence intervals.");
	figure_head(g, title, subtitle);
	figure_legend(g, 0, FIGURE_SWATCH, 4, "level between changes");
	figure_legend(
		g, 1, FIGURE_BREAK, COLOR_WORSE - COLOR_SERIES,
		"change (\u25b2 worse, \u25bc better, \u25c6 another class or distribution), with "
		"the run "
		"that brought it");
	if (sheet->n_left_out + sheet->n_others)
		snprintf(more, sizeof(more),
			 "%zu more series are not drawn; --bench chooses.",
			 sheet->n_left_out + sheet->n_others);
	if (sheet->n_flat)
		snprintf(flat, sizeof(flat), "%zu series never changed. ", sheet->n_flat);
	snprintf(remark, sizeof(remark), "%s%s", flat, more);
	figure_foot(g, remark);
}

static void draw(const struct history_sheet *sheet, struct picture *p)
{
	struct figure g;

	p->width = FIGURE_WIDTH;
	p->height = TOP_PIXELS + sheet->row_pixels * (unsigned int)sheet->n_rows +
		    FOOT_PIXELS;
	plot_open(&g, p);
	for (size_t i = 0; i < sheet->n_rows; i++) {
		print_points(g.f, sheet, i);
		print_levels(g.f, sheet, i);
	}
	print_heads(&g, sheet);
	/* Heads belong to no panel: they are drawn with an empty one. */
	fputs("set multiplot\nset xrange [0:1]\nset yrange [0:1]\nunset xtics\nunset "
	      "ytics\nunset border\nplot NaN notitle\n",
	      g.f);
	for (size_t i = 0; i < sheet->n_rows; i++)
		draw_row(&g, sheet, i);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}

void plot_history(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why)
{
	bool any = false;

	for (size_t place = 0; place < in->history->n_places; place++) {
		struct history_sheet sheet = { .h = in->history, .place = place };
		struct picture *p;

		collect(&sheet, in);
		if (!sheet.n_rows) {
			free(sheet.column);
			continue;
		}
		any = true;
		p = picture_add(list);
		picture_name(list, "history-%s", in->history->places[place].target);
		if (asprintf(&p->caption, "Figures of %s from run to run",
			     in->history->places[place].target) < 0)
			abort();
		draw(&sheet, p);
		free(sheet.column);
	}
	if (!any)
		snprintf(why->text, sizeof(why->text),
			 "no series of the history has two figures");
}
