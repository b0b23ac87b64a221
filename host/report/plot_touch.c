/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exit and a guest with a working set: what the exit misses in simulated caches, and
 * what it evicts of the guest; a picture per explanation of `explain --touch`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/explain/explanation.h"
#include "host/lib/html.h"
#include "host/lib/text.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

#define CACHES	      3
#define TICKS_MAX     12
#define PANEL_PIXELS  340
#define TOP_PIXELS    (FIGURE_HEAD + CACHES * FIGURE_LEGEND + 40)
#define BOTTOM_PIXELS 76
#define LEFT_PIXELS   76
#define GAP_PIXELS    96

static const struct figure_pen head_pen = { FIGURE_LEFT, 12, COLOR_SOFT };

/* The columns of the data: log2 of the KiB, misses, evicted lines. */
static void print_points(FILE *f, const struct explanation_touch *t)
{
	fputs("$curve << EOD\n", f);
	for (size_t i = 0; i < t->n_curve; i++) {
		const struct explanation_work *w = &t->curve[i];
		const uint64_t lines[] = {
			w->l1i_misses,	w->l1d_misses,	w->ll_misses,
			w->l1i_evicted, w->l1d_evicted, w->ll_evicted
		};

		fprintf(f, "%.9g", log2((double)w->guest_kib));
		for (size_t k = 0; k < 2 * (size_t)CACHES; k++)
			fprintf(f, " %llu", (unsigned long long)lines[k]);
		fputc('\n', f);
	}
	fputs("EOD\n", f);
}

/* Every other power of two of the curve. */
static void print_sizes(const struct figure *g, const struct explanation_touch *t)
{
	struct figure_tick ticks[TICKS_MAX];
	double first = log2((double)t->curve[0].guest_kib);
	double last = log2((double)t->curve[t->n_curve - 1].guest_kib);
	size_t n = 0;

	for (double at = ceil(first); at <= last && n < TICKS_MAX; at += 2)
		ticks[n++] = (struct figure_tick){ at, exp2(at) };
	figure_tick_axis(g, "x", first - 0.2, last + 0.2, ticks, n, "");
	figure_axis_label(g, "x", "the guest's working set, KiB (logarithmic)");
}

static double most_of(const struct explanation_touch *t)
{
	double most = 1;

	for (size_t i = 0; i < t->n_curve; i++) {
		most = fmax(most, (double)t->curve[i].ll_misses);
		most = fmax(most, (double)t->curve[i].ll_evicted);
		most = fmax(most, (double)t->curve[i].l1i_misses);
		most = fmax(most, (double)t->curve[i].l1i_evicted);
		most = fmax(most, (double)t->curve[i].l1d_misses);
		most = fmax(most, (double)t->curve[i].l1d_evicted);
	}
	return most;
}

static void draw_panel(const struct figure *g, const struct explanation_touch *t,
		       size_t column)
{
	double width = (g->width - LEFT_PIXELS - GAP_PIXELS - FIGURE_EDGE) / 2.0;
	struct figure_panel p = { .top = TOP_PIXELS,
				  .bottom = TOP_PIXELS + PANEL_PIXELS };

	p.left = LEFT_PIXELS + (width + GAP_PIXELS) * (double)column;
	p.right = p.left + width;
	fputs("unset label\nunset object\nset border 3\n", g->f);
	figure_panel(g, &p);
	figure_text(g, p.left, p.top - 16, &head_pen,
		    column ? "lines of the guest that one exit evicts"
			   : "misses of one exit");
	print_sizes(g, t);
	figure_linear_axis(g, "y", 0, most_of(t) * 1.05, 6, "");
	fputs("plot NaN notitle", g->f);
	for (size_t k = 0; k < CACHES; k++) {
		fprintf(g->f,
			", $curve using 1:%zu with linespoints lw 2.5 pt %u ps 0.7 ",
			2 + column * CACHES + k, figure_point_type(FIGURE_POINT));
		figure_line_style(g, k);
	}
	fputc('\n', g->f);
}

static void print_caches(const struct figure *g, const struct touch_caches *caches)
{
	static const char *const names[CACHES] = { "L1 instructions", "L1 data",
						   "last level" };
	const struct touch_cache *const all[CACHES] = { &caches->i1, &caches->d1,
							&caches->ll };
	char text[128];

	for (size_t k = 0; k < CACHES; k++) {
		const double kib = (double)all[k]->bytes / 1024;
		char size[NUMBER_BYTES];

		number_format(size, kib, all[k]->bytes % 1024 == 0);
		snprintf(text, sizeof(text), "%s: %s KiB, %lld ways", names[k], size,
			 (long long)all[k]->ways);
		figure_legend(g, k, FIGURE_LINE, k, text);
	}
}

static void draw(const struct explanation *e, struct picture *p)
{
	char title[256], subtitle[256];
	struct figure g;

	p->width = FIGURE_WIDTH;
	p->height = TOP_PIXELS + PANEL_PIXELS + BOTTOM_PIXELS;
	plot_open(&g, p);
	print_points(g.f, &e->touch);
	snprintf(title, sizeof(title),
		 "%.60s [%.40s] on %.60s, and a guest with a working set", e->benchmark,
		 e->config, e->target.name);
	snprintf(
		subtitle, sizeof(subtitle),
		"Lines in simulated caches; the guest touches its working set before each exit, half code and half data. Linux %.60s",
		e->subject.kernel ? e->subject.kernel : "?");
	figure_head(&g, title, subtitle);
	print_caches(&g, &e->touch.caches);
	/* Heads belong to no panel: an empty panel draws them. */
	fputs("set multiplot\nset xrange [0:1]\nset yrange [0:1]\nunset xtics\nunset ytics\nunset border\nplot NaN notitle\n",
	      g.f);
	draw_panel(&g, &e->touch, 0);
	draw_panel(&g, &e->touch, 1);
	fputs("unset multiplot\n", g.f);
	plot_close(&g, p);
}

void plot_touch(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why)
{
	bool any = false;

	for (size_t i = 0; i < in->n_explanations; i++) {
		const struct explanation *e = in->explanations[i];
		struct picture *p;

		if (!e->touch.n_curve || !plot_wants(in, e->benchmark))
			continue;
		any = true;
		p = picture_add(list);
		picture_name(list, "touch-%s-%s", e->benchmark, e->target.name);
		if (asprintf(
			    &p->caption,
			    "Misses and evictions of %s on %s after a guest with a working set",
			    e->benchmark, e->target.name) < 0)
			abort();
		draw(e, p);
	}
	if (!any)
		snprintf(why->text, sizeof(why->text),
			 "no explanation was recorded with --touch");
}
