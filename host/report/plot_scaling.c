/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Costs over the number of vCPUs, or VMs, that run a benchmark at the same time (`run
 * --vcpus`, `--vms`): on the left the round trip on each vCPU, on the right the
 * operations of all vCPUs per second (exact targets: per tick), against those of one. A
 * line per benchmark, with a letter; that of VMs is dashed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"
#include "host/report/picture.h"
#include "host/report/plots.h"
#include "host/report/run_table.h"
#include "host/result/result.h"

/* A colour each. */
#define LINES_MAX COLOR_SERIES_N
#define TICKS_MAX 17

#define PANEL_PIXELS  380
#define BOTTOM_PIXELS 76
#define LETTER_PIXELS 13 /* the height of a letter */
#define LEFT_PIXELS   92
#define GAP_PIXELS    96

/* A benchmark under a config; its points are in the document. */
struct line {
	const char *name, *config;
	size_t config_bytes; /* without the scale */
};

struct sheet {
	const struct result *doc;
	struct line lines[LINES_MAX];
	size_t n;
	unsigned int most; /* the largest N */
	bool vms;	   /* there are VMs, too */
	bool throughput;   /* there are rates */
};

static unsigned int scale_of(const struct result_benchmark *b, bool vms)
{
	return vms ? b->vms : b->vcpus;
}

static const struct result_metric *figure_of(const struct result_benchmark *b,
					     const char *metric)
{
	const struct result_metric *m =
		b->status == RESULT_OK ? result_find_metric(b, metric) : NULL;

	return m && isfinite(m->value) && m->value > 0 ? m : NULL;
}

/* Operations of all per second, or per million ticks. */
static const struct result_metric *rate_of(const struct result_benchmark *b)
{
	const struct result_metric *m = figure_of(b, "ops_per_s");

	return m ? m : figure_of(b, "ops_per_mtick");
}

static bool is_of(const struct line *line, const struct result_benchmark *b)
{
	return !strcmp(b->name, line->name) &&
	       strcspn(b->config, "@") == line->config_bytes &&
	       !strncmp(b->config, line->config, line->config_bytes);
}

/* The figures of a line of exits at two numbers at least. */
static bool is_line(const struct result *r, const struct line *line)
{
	size_t n[2] = { 0, 0 };

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		if (is_of(line, b) && figure_of(b, "round_trip") && plot_exits(b))
			n[b->vms > 0] += b->vcpus || b->vms;
	}
	return n[0] > 1 || n[1] > 1;
}

/* Of one vCPU, or one VM, which are the same machine; NAN. */
static double single_rate(const struct sheet *s, const struct line *line, bool vms)
{
	double rate = NAN;

	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];
		const struct result_metric *m = rate_of(b);

		if (!m || !is_of(line, b) || b->vcpus + b->vms != 1)
			continue;
		rate = m->value;
		if (scale_of(b, vms) == 1)
			break;
	}
	return rate;
}

static bool is_wanted_point(const struct line *line, const struct result_benchmark *b,
			    bool vms)
{
	return is_of(line, b) && scale_of(b, vms) > 0;
}

/*
 * The columns of the data: log2 of N, the round trip and its interval, and log2 of
 * the operations per second against those of one. Points are ascending in N, as the
 * document is.
 */
static void print_points(FILE *f, const struct sheet *s, size_t k, bool vms)
{
	const struct line *line = &s->lines[k];
	const double single = single_rate(s, line, vms);

	fprintf(f, "$%s%zu << EOD\n", vms ? "vms" : "vcpus", k);
	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];
		const struct result_metric *m = figure_of(b, "round_trip");
		const struct result_metric *rate = rate_of(b);
		bool interval;

		if (!m || !is_wanted_point(line, b, vms))
			continue;
		interval = m->ci.method && isfinite(m->ci.lo) && isfinite(m->ci.hi);
		fprintf(f, "%.9g %.9g %.9g %.9g ", log2(scale_of(b, vms)), m->value,
			interval ? m->ci.lo : m->value, interval ? m->ci.hi : m->value);
		if (rate && single > 0)
			fprintf(f, "%.9g\n", log2(rate->value / single));
		else
			fputs("NaN\n", f);
	}
	/* gnuplot refuses an empty block. */
	fputs("NaN NaN NaN NaN NaN\nEOD\n", f);
}

static void print_numbers(const struct figure *g, const struct sheet *s)
{
	struct figure_tick ticks[TICKS_MAX];
	size_t n = 0;

	for (unsigned int at = 1; at <= s->most && n < TICKS_MAX; at *= 2)
		ticks[n++] = (struct figure_tick){ log2(at), at };
	figure_tick_axis(g, "x", -0.15, log2(s->most) + 0.15, ticks, n, "");
	figure_axis_label(g, "x",
			  s->vms ? "vCPUs of one VM, or VMs (logarithmic)"
				 : "vCPUs of one VM (logarithmic)");
}

static void range_of(const struct sheet *s, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = 0;
	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];
		const struct result_metric *m = figure_of(b, "round_trip");

		for (size_t k = 0; m && k < s->n; k++) {
			if (!is_of(&s->lines[k], b))
				continue;
			*lo = fmin(*lo, m->ci.lo > 0 ? m->ci.lo : m->value);
			*hi = fmax(*hi, isfinite(m->ci.hi) ? m->ci.hi : m->value);
		}
	}
}

/* The lines of a panel, from column `column` of the data. */
static void draw_lines(const struct figure *g, const struct sheet *s, unsigned int column)
{
	fputs("plot NaN notitle", g->f);
	if (column == 5)
		fprintf(g->f, ", [0:%.6g] x with lines lw 1.5 dt 3 lc rgb '%s'",
			log2(s->most), color_light(COLOR_SOFT));
	for (size_t k = 0; k < s->n; k++)
		for (int vms = 0; vms < (s->vms ? 2 : 1); vms++) {
			const char *color = color_light(COLOR_SERIES + k);

			fprintf(g->f,
				", $%s%zu using 1:%u with linespoints lw 2.5 dt %d pt %u ps 0.9 lc rgb '%s'",
				vms ? "vms" : "vcpus", k, column, vms ? 2 : 1,
				figure_point_type(vms ? FIGURE_POINT_OPEN : FIGURE_POINT),
				color);
			if (column == 2)
				fprintf(g->f,
					", $%s%zu using 1:2:3:4 with yerrorbars lw 1.2 pt 0 lc rgb '%s'",
					vms ? "vms" : "vcpus", k, color);
		}
	fputc('\n', g->f);
}

/* In powers of two: from half of the rate of one vCPU, or less, to N times that rate. */
static void print_rates(const struct figure *g, const struct sheet *s, double *low,
			double *high)
{
	struct figure_tick ticks[2 * TICKS_MAX];
	double lowest = -1;
	size_t n = 0;

	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];
		const struct result_metric *rate = rate_of(b);

		for (size_t k = 0; rate && k < s->n; k++)
			if (is_of(&s->lines[k], b))
				lowest = fmin(lowest, log2(rate->value /
							   single_rate(s, &s->lines[k],
								       b->vms > 0)));
	}
	lowest = fmax(floor(lowest), 1 - TICKS_MAX);
	for (double at = lowest; at <= log2(s->most) && n < 2 * TICKS_MAX; at++)
		ticks[n++] = (struct figure_tick){ at, exp2(at) };
	*low = lowest;
	*high = log2(s->most) + 0.15;
	figure_tick_axis(g, "y", *low, *high, ticks, n, "x");
}

struct letter {
	size_t line;
	double x, y; /* y: in pixels from the bottom of the panel */
};

static int by_height(const void *a, const void *b)
{
	const struct letter *x = a, *y = b;

	return (x->y > y->y) - (x->y < y->y);
}

/* The last point of a line in a panel; false: it has none. */
static bool last_point(const struct sheet *s, size_t k, bool rates, double *x, double *y)
{
	unsigned int last = 0;

	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];
		const struct result_metric *m =
			rates ? rate_of(b) : figure_of(b, "round_trip");
		const unsigned int n = scale_of(b, b->vms > 0);

		if (!m || !is_of(&s->lines[k], b) || n <= last)
			continue;
		last = n;
		*x = log2(n);
		*y = rates ? log2(m->value / single_rate(s, &s->lines[k], b->vms > 0))
			   : m->value;
	}
	return last && isfinite(*y);
}

/*
 * The letter of each line at its last point, moved up where it would be over another. The
 * y axis, logarithmic or not, goes from `low` to `high`.
 */
static void print_letters(const struct figure *g, const struct sheet *s, bool rates,
			  double low, double high)
{
	struct letter letters[LINES_MAX] = { { 0 } };
	size_t n = 0;

	for (size_t k = 0; k < s->n; k++) {
		struct letter *l = &letters[n];
		double y;

		if (!last_point(s, k, rates, &l->x, &y))
			continue;
		l->line = k;
		l->y = PANEL_PIXELS * (rates ? (y - low) / (high - low)
					     : log(y / low) / log(high / low));
		n++;
	}
	qsort(letters, n, sizeof(*letters), by_height);
	/* Up from the bottom, then down from the top. */
	for (size_t k = 1; k < n; k++)
		letters[k].y = fmax(letters[k].y, letters[k - 1].y + LETTER_PIXELS);
	for (size_t k = n; k-- > 0;)
		letters[k].y =
			fmin(letters[k].y,
			     k + 1 < n ? letters[k + 1].y - LETTER_PIXELS : PANEL_PIXELS);
	for (size_t k = 0; k < n; k++) {
		const struct letter *l = &letters[k];
		const struct figure_pen pen = { FIGURE_LEFT, 11,
						COLOR_SERIES + (unsigned int)l->line };
		const char letter[] = { (char)('A' + l->line), '\0' };
		const double share = l->y / PANEL_PIXELS;

		figure_text_at(g, l->x,
			       rates ? low + share * (high - low)
				     : low * pow(high / low, share),
			       9, &pen, letter);
	}
}

static void draw_panel(const struct figure *g, const struct sheet *s, bool rates,
		       double top)
{
	static const struct figure_pen pen = { FIGURE_LEFT, 12, COLOR_SOFT };
	const double width =
		s->throughput ? (g->width - LEFT_PIXELS - GAP_PIXELS - FIGURE_EDGE) / 2.0
			      : g->width - LEFT_PIXELS - FIGURE_EDGE;
	struct figure_panel p = { .top = top, .bottom = top + PANEL_PIXELS };
	double lo, hi;
	char text[128];

	p.left = LEFT_PIXELS + (rates ? width + GAP_PIXELS : 0);
	p.right = p.left + width;
	fputs("unset label\nunset object\nunset arrow\nset border 3\n", g->f);
	figure_panel(g, &p);
	if (rates)
		snprintf(text, sizeof(text),
			 "operations per %s of all, to one; dotted: N times",
			 s->doc->target.exact ? "tick" : "second");
	else
		snprintf(text, sizeof(text), "round trip on each vCPU, %s%s",
			 plot_unit_words(s->doc->clock.unit),
			 s->doc->target.exact ? " (logarithmic), with ranges"
					      : " (logarithmic), with intervals");
	figure_text(g, p.left, p.top - 16, &pen, text);
	print_numbers(g, s);
	if (rates) {
		print_rates(g, s, &lo, &hi);
	} else {
		range_of(s, &lo, &hi);
		lo /= 1.5;
		hi *= 1.5;
		figure_log_axis(g, "y", lo, hi, 8, "");
	}
	print_letters(g, s, rates, lo, hi);
	draw_lines(g, s, rates ? 5 : 2);
}

static void print_legend(const struct figure *g, const struct sheet *s)
{
	for (size_t k = 0; k < s->n; k++) {
		const struct line *line = &s->lines[k];
		const bool plain =
			line->config_bytes == 7 && !strncmp(line->config, "default", 7);
		char text[160];

		snprintf(text, sizeof(text), plain ? "%c  %.80s" : "%c  %.80s [%.*s]",
			 (int)('A' + k), line->name, (int)line->config_bytes,
			 line->config);
		figure_legend(g, k, FIGURE_SWATCH, k, text);
	}
}

static void draw(const struct sheet *s, const char *subject, struct picture *p)
{
	const double top = FIGURE_HEAD + FIGURE_LEGEND * (double)s->n + 40;
	char subtitle[512];
	bool crowded = false;
	struct figure g;

	for (size_t i = 0; i < s->doc->n_benchmarks; i++)
		crowded |= s->doc->benchmarks[i].oversubscribed;
	p->width = FIGURE_WIDTH;
	p->height = (unsigned int)top + PANEL_PIXELS + BOTTOM_PIXELS;
	plot_open(&g, p);
	for (size_t k = 0; k < s->n; k++)
		for (int vms = 0; vms < (s->vms ? 2 : 1); vms++)
			print_points(g.f, s, k, vms);
	snprintf(subtitle, sizeof(subtitle), "%.300s%s%s", subject,
		 s->vms ? ". Solid: vCPUs of one VM; dashed: VMs of one vCPU" : "",
		 crowded ? ". At the right, more vCPUs than CPUs" : "");
	figure_head(&g, "Exits of several vCPUs at the same time", subtitle);
	print_legend(&g, s);
	/* Heads belong to no panel: an empty panel draws them. */
	fputs("set multiplot\nset xrange [0:1]\nset yrange [0:1]\nunset xtics\nunset ytics\nunset border\nplot NaN notitle\n",
	      g.f);
	draw_panel(&g, s, false, top);
	if (s->throughput)
		draw_panel(&g, s, true, top);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}

static void add_picture(const struct plot_input *in, struct picture_list *list,
			struct sheet *s)
{
	char *subject = plot_subject(in, s->doc), *label = plot_label(in, s->doc);
	struct picture *p = picture_add(list);

	for (size_t i = 0; i < s->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &s->doc->benchmarks[i];

		for (size_t k = 0; k < s->n; k++) {
			if (!is_of(&s->lines[k], b) || !figure_of(b, "round_trip"))
				continue;
			s->most = b->vcpus > s->most ? b->vcpus : s->most;
			s->most = b->vms > s->most ? b->vms : s->most;
			s->vms |= b->vms > 0;
			s->throughput |= rate_of(b) != NULL;
		}
	}
	picture_name(list, "scaling-%s", label);
	if (asprintf(&p->caption, "Round trips on %s while several vCPUs exit at once",
		     label) < 0)
		abort();
	draw(s, subject, p);
	free(subject);
	free(label);
	s->n = 0;
	s->most = 0;
	s->vms = s->throughput = false;
}

void plot_scaling(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why)
{
	const size_t before = list->n;

	for (size_t d = 0; d < in->n_docs; d++) {
		struct sheet s = { .doc = in->docs[d] };
		struct rows rows;

		rows_collect(&rows, &in->docs[d], 1);
		for (size_t i = 0; i < rows.n; i++) {
			struct line line = { rows.rows[i].name, rows.rows[i].config,
					     strcspn(rows.rows[i].config, "@") };
			bool known = false;

			/* The rows of one benchmark follow each other. */
			for (size_t k = 0; k < i; k++)
				known |= !strcmp(rows.rows[k].name, line.name) &&
					 strcspn(rows.rows[k].config, "@") ==
						 line.config_bytes &&
					 !strncmp(rows.rows[k].config, line.config,
						  line.config_bytes);
			if (known || !plot_wants(in, line.name) ||
			    !is_line(in->docs[d], &line))
				continue;
			s.lines[s.n++] = line;
			if (s.n == LINES_MAX)
				add_picture(in, list, &s);
		}
		if (s.n)
			add_picture(in, list, &s);
		rows_free(&rows);
	}
	if (list->n == before)
		snprintf(
			why->text, sizeof(why->text),
			"no document has a benchmark at two numbers of vCPUs or VMs (run --vcpus 1,2,4)");
}
