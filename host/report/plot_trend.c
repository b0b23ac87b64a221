/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trend over runs: a picture per exact place, a line per series in percent of its
 * first run. The lines are labelled at their ends.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

#define PANEL_PIXELS 460
#define TOP_PIXELS   (FIGURE_HEAD + 16)
#define FOOT_PIXELS  120 /* names of runs, rotated */
#define LEFT_PIXELS  100
#define RIGHT_PIXELS 380 /* the labels, at least and at most */
#define RIGHT_MOST   640
#define LABEL_GAP    10
#define LABEL_SIZE   12
#define LABEL_BYTES  256
#define LABEL_PIXELS 17
/* Figures of one picture that differ by more than this have a logarithmic axis. */
#define LOG_RATIO    10
#define NAME_PIXELS  34 /* between two names of runs */
#define NAMES_MAX    16
#define LINES_MAX    COLOR_SERIES_N

struct trend {
	const struct history *h;
	size_t place;
	const struct history_series *lines[LINES_MAX]; /* the largest value last first */
	size_t n_lines, n_left_out;
	size_t n_runs;	    /* to the last that a line has a point of */
	double least, most; /* percent */
	bool log;
	double left, right; /* of the panel, pixels from the edges */
};

static double percent(const struct history_series *s, size_t point)
{
	return 100 * s->points[point].value / s->points[0].value;
}

static double last_percent(const struct history_series *s)
{
	return percent(s, s->n_points - 1);
}

static double at_place(const struct trend *t, const struct history_point *p)
{
	/* A kernel that was measured again is where it was first. */
	return (double)t->h->runs[t->h->runs[p->run].subject].at_place;
}

/* ------------------------------ the choice of lines ------------------------------ */

static bool is_drawn(const struct trend *t, const struct plot_input *in,
		     const struct history_series *s)
{
	if (s->place != t->place || s->n_points < 2 || strcmp(s->metric, "round_trip") ||
	    !plot_wants(in, s->benchmark))
		return false;
	/* From the first run on, so that 100 % is one kernel. */
	if (t->h->runs[s->points[0].run].at_place)
		return false;
	for (size_t i = 0; i < s->n_points; i++)
		if (!(s->points[i].value > 1)) /* nothing that exits */
			return false;
	return true;
}

static int by_distance(const void *a, const void *b)
{
	const struct history_series *x = *(const struct history_series *const *)a;
	const struct history_series *y = *(const struct history_series *const *)b;
	double dx = fabs(log(last_percent(x) / 100)),
	       dy = fabs(log(last_percent(y) / 100));

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	return (x > y) - (x < y);
}

static int by_last(const void *a, const void *b)
{
	const struct history_series *x = *(const struct history_series *const *)a;
	const struct history_series *y = *(const struct history_series *const *)b;
	double px = last_percent(x), py = last_percent(y);

	if (px != py)
		return (px < py) - (px > py);
	return (x > y) - (x < y);
}

/* Whether the runs of the place are of several kernels: the axis names kernels. */
static bool has_kernels(const struct trend *t)
{
	const char *first = NULL;

	for (size_t i = 0; i < t->h->n_runs; i++) {
		const struct history_run *run = &t->h->runs[i];

		if (run->place != t->place || !run->kernel)
			continue;
		if (first && strcmp(first, run->kernel))
			return true;
		first = run->kernel;
	}
	return false;
}

/* The series that ended farthest from where they began. */
static void collect(struct trend *t, const struct plot_input *in)
{
	const struct history *h = t->h;
	const struct history_series **all = calloc(h->n_series + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		abort();
	for (size_t i = 0; i < h->n_series; i++)
		if (is_drawn(t, in, &h->series[i]))
			all[n++] = &h->series[i];
	qsort(all, n, sizeof(*all), by_distance);
	t->n_lines = n < LINES_MAX ? n : LINES_MAX;
	t->n_left_out = n - t->n_lines;
	memcpy(t->lines, all, t->n_lines * sizeof(*all));
	qsort(t->lines, t->n_lines, sizeof(*all), by_last);
	free(all);
	t->least = t->most = 100;
	for (size_t k = 0; k < t->n_lines; k++)
		for (size_t i = 0; i < t->lines[k]->n_points; i++) {
			t->least = fmin(t->least, percent(t->lines[k], i));
			t->most = fmax(t->most, percent(t->lines[k], i));
			t->n_runs =
				(size_t)fmax((double)t->n_runs,
					     at_place(t, &t->lines[k]->points[i]) + 1);
		}
}

/* ------------------------------ the axis of runs ------------------------------ */

static void kernel_name(const struct history_run *run, char name[PLOT_KERNEL_BYTES])
{
	plot_kernel(run->kernel ? run->kernel : run->id, name);
}

/* Whether a name at run `at` would overlap the one at run `before`. */
static bool overlaps(const struct figure *g, const struct trend *t, size_t before,
		     size_t at)
{
	double pixels = (g->width - t->left - t->right) / (double)t->n_runs;

	return (double)(at - before) * pixels < NAME_PIXELS;
}

/* All runs if there is room; otherwise the first of each release, and the last run. */
static void print_runs(const struct figure *g, const struct trend *t)
{
	size_t n = t->n_runs, count = 0;
	struct figure_name names[NAMES_MAX];
	char texts[NAMES_MAX][PLOT_KERNEL_BYTES],
		(*all)[PLOT_KERNEL_BYTES] = calloc(n + 1, PLOT_KERNEL_BYTES);

	if (!all)
		abort();
	for (size_t i = 0; i < t->h->n_runs; i++) {
		const struct history_run *run = &t->h->runs[i];

		if (run->place == t->place && run->at_place < n)
			kernel_name(run, all[run->at_place]);
	}
	for (size_t i = 0; i < n && count < NAMES_MAX; i++) {
		/* The last is named in any case. */
		if (n > NAMES_MAX && i && i + 1 < n &&
		    plot_is_release(all[i], all[i - 1]))
			continue;
		if (count && overlaps(g, t, (size_t)names[count - 1].at, i) && i + 1 < n)
			continue;
		if (i + 1 < n && (overlaps(g, t, i, n - 1) || count + 1 == NAMES_MAX))
			continue;
		if (count && overlaps(g, t, (size_t)names[count - 1].at, i))
			count--;
		snprintf(texts[count], PLOT_KERNEL_BYTES, "%s", all[i]);
		names[count] = (struct figure_name){ (double)i, texts[count] };
		count++;
	}
	figure_name_axis(g, "x", -0.5, (double)n - 0.5, names, count);
	free(all);
}

/* ------------------------------ the lines ------------------------------ */

static void print_points(FILE *f, const struct trend *t, size_t line)
{
	const struct history_series *s = t->lines[line];

	fprintf(f, "$line_%zu << EOD\n", line);
	for (size_t i = 0; i < s->n_points; i++)
		fprintf(f, "%.9g %.9g\n", at_place(t, &s->points[i]), percent(s, i));
	fputs("EOD\n", f);
}

/* "hypercall [pmu-off]  989 -> 1,218" */
static void label_of(const struct history_series *s, char text[LABEL_BYTES])
{
	bool plain = !strcmp(s->config, "default");
	char first[NUMBER_BYTES], last[NUMBER_BYTES];

	number_format(first, s->points[0].value, true);
	number_format(last, s->points[s->n_points - 1].value, true);
	snprintf(text, LABEL_BYTES, "%.60s%s%.40s%s  %s \u2192 %s", s->benchmark,
		 plain ? "" : " [", plain ? "" : s->config, plain ? "" : "]", first,
		 last);
}

/* Room for the labels, and for the numbers of the axis. */
static void set_edges(struct trend *t)
{
	char number[NUMBER_BYTES + 2];

	t->right = RIGHT_PIXELS;
	for (size_t k = 0; k < t->n_lines; k++) {
		char text[LABEL_BYTES];

		label_of(t->lines[k], text);
		t->right = fmax(t->right, figure_text_width(text, LABEL_SIZE) +
						  LABEL_GAP + FIGURE_EDGE);
	}
	t->right = fmin(t->right, RIGHT_MOST);
	number_format(number, floor(t->most), true);
	t->left = fmax(LEFT_PIXELS, FIGURE_EDGE + figure_text_width(number, LABEL_SIZE) +
					    figure_text_width(" % ", LABEL_SIZE));
}

/* A height of the panel from a percentage, and back. */
static double height_of(const struct trend *t, double percent_)
{
	return t->log ? log(percent_) : percent_;
}

static double percent_at(const struct trend *t, double height)
{
	return t->log ? exp(height) : height;
}

/* At the ends of the lines, moved apart where they would overlap. */
static void print_labels(const struct figure *g, const struct trend *t,
			 double low_percent, double high_percent)
{
	double low = height_of(t, low_percent), high = height_of(t, high_percent);
	double step = (high - low) * LABEL_PIXELS / PANEL_PIXELS, at[LINES_MAX];
	double x = (double)t->n_runs - 0.5;

	for (size_t k = 0; k < t->n_lines; k++)
		at[k] = height_of(t, last_percent(t->lines[k]));
	/* The largest is first: down from the top, then up from the bottom. */
	for (size_t k = 1; k < t->n_lines; k++)
		at[k] = fmin(at[k], at[k - 1] - step);
	for (size_t k = t->n_lines; k-- > 0;)
		at[k] = fmax(at[k], k + 1 < t->n_lines ? at[k + 1] + step : low);
	for (size_t k = 0; k < t->n_lines; k++) {
		const struct figure_pen pen = { FIGURE_LEFT, LABEL_SIZE,
						COLOR_SERIES + (unsigned int)k };
		char text[LABEL_BYTES];

		label_of(t->lines[k], text);
		figure_text_at(g, x, percent_at(t, at[k]), LABEL_GAP, &pen, text);
	}
}

static void draw(struct trend *t, struct picture *p)
{
	const struct history_place *place = &t->h->places[t->place];
	double room = fmax((t->most - t->least) * 0.05, 1), low, high;
	char title[192], subtitle[256], first[PLOT_KERNEL_BYTES] = "", left_out[96];
	struct figure_panel panel;
	struct figure g;

	for (size_t i = 0; i < t->h->n_runs; i++)
		if (t->h->runs[i].place == t->place && !t->h->runs[i].at_place)
			kernel_name(&t->h->runs[i], first);
	t->log = t->most > t->least * LOG_RATIO;
	low = t->log ? t->least / 1.2 : t->least - room;
	high = t->log ? t->most * 1.2 : t->most + room;
	set_edges(t);
	p->width = FIGURE_WIDTH;
	p->height = TOP_PIXELS + PANEL_PIXELS + FOOT_PIXELS;
	plot_open(&g, p);
	for (size_t k = 0; k < t->n_lines; k++)
		print_points(g.f, t, k);
	snprintf(title, sizeof(title), "%.100s: round trips over %zu runs", place->target,
		 t->n_runs);
	snprintf(
		subtitle, sizeof(subtitle),
		"Instructions in percent of %s%s; at the right the first and the last figure. %.100s",
		first, t->log ? ", logarithmic axis" : "",
		place->what ? place->what : "");
	figure_head(&g, title, subtitle);
	if (t->n_left_out) {
		snprintf(left_out, sizeof(left_out),
			 "%zu series that moved less are not drawn; --bench chooses.",
			 t->n_left_out);
		figure_foot(&g, left_out);
	}
	panel = (struct figure_panel){ t->left, TOP_PIXELS, g.width - t->right,
				       TOP_PIXELS + PANEL_PIXELS };
	figure_panel(&g, &panel);
	fputs("set border 3\n", g.f);
	print_runs(&g, t);
	if (t->log)
		figure_log_axis(&g, "y", low, high, 8, " %");
	else
		figure_linear_axis(&g, "y", low, high, 8, " %");
	print_labels(&g, t, low, high);
	fprintf(g.f, "plot 100 with lines lw 1 lc rgb '%s'", color_light(COLOR_AXIS));
	for (size_t k = 0; k < t->n_lines; k++) {
		fprintf(g.f, ", $line_%zu using 1:2 with linespoints lw 2 pt 7 ps 0.5 ",
			k);
		figure_line_style(&g, k);
	}
	fputc('\n', g.f);
	plot_close(&g, p);
}

void plot_trend(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why)
{
	bool any = false;

	for (size_t place = 0; place < in->history->n_places; place++) {
		struct trend t = { .h = in->history, .place = place };
		struct picture *p;

		if (!in->history->places[place].exact || !has_kernels(&t))
			continue;
		collect(&t, in);
		if (!t.n_lines)
			continue;
		any = true;
		p = picture_add(list);
		picture_name(list, "trend-%s", in->history->places[place].target);
		if (asprintf(&p->caption,
			     "Round trips of %s in percent of the first kernel",
			     in->history->places[place].target) < 0)
			abort();
		draw(&t, p);
	}
	if (!any)
		snprintf(why->text, sizeof(why->text),
			 "no exact target has round trips of two kernels");
}
