/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flame graphs: a function is a box as wide as the instructions in it and in its callees,
 * above the box of its caller. Siblings are ordered by width.
 */
#include "host/explain/explain_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/lib/file.h"
#include "host/lib/html.h"
#include "host/lib/text.h"

#define WIDTH	     1200.0
#define ROW	     18.0
#define CHARACTER    6.3 /* average width */
#define NARROWEST    0.2 /* narrower boxes are not drawn */
#define FIGURE_BYTES (NUMBER_BYTES + 2)
#define LEGEND_COLS  4u
#define HEAD	     30.0
#define MARGIN	     16.0 /* around the picture in a file of its own */

/* Light enough for dark text, on any page; reused if there are more layers. */
static const char *const fills[] = {
	"#9ecae9", "#ffbf79", "#88d27a", "#ff9d98", "#d6a5c9", "#f2cf5b", "#b79a85",
	"#83bcb6", "#c7c7c7", "#a0b8f0", "#e0d28a", "#f2a6c4", "#b8e0b0", "#c9b3e6",
	"#7fd6d6", "#e8b48c", "#cfe36b", "#f7c6c6", "#aab6c8", "#d9a2ff",
};

#define FILLS (sizeof(fills) / sizeof(fills[0]))

struct drawing {
	FILE *f;
	const struct explain_node *nodes;
	bool compares;	/* two explanations */
	double largest; /* change of a node's own instructions; at least 1 */
	const struct explain_layer *layers;
	size_t n_layers;
	double bottom; /* where the lowest row ends */
	double scale;  /* width of one instruction */
	double whole;
};

static const char *fill_of(const struct drawing *d, const char *layer)
{
	size_t i;

	for (i = 0; i < d->n_layers; i++)
		if (!strcmp(d->layers[i].name, layer))
			return fills[i % FILLS];
	return "#e4e4e4";
}

static double change_of(const struct explain_node *n)
{
	return (double)n->self - (double)n->base_self;
}

/* Red for more, blue for fewer, darker for larger changes; grey for none. */
#define SHADE_BYTES 8
static void shade(char text[SHADE_BYTES], double change, double largest)
{
	int rest = 225 - (int)(130 * sqrt(fabs(change) / largest));

	if (change > 0)
		snprintf(text, SHADE_BYTES, "#ff%02x%02x", rest, rest);
	else if (change < 0)
		snprintf(text, SHADE_BYTES, "#%02x%02xff", rest, rest);
	else
		snprintf(text, SHADE_BYTES, "#e4e4e4");
}

/*
 * The name and, where both fit, the figure; else what fits of the name; else the sign.
 * The page's script (host/report/report_page.c) does the same when a box becomes wider.
 */
static void draw_label(const struct drawing *d, const char *name, const char *figure,
		       double x, double y, double width)
{
	int room = width > 6 ? (int)((width - 6) / CHARACTER) : 0;

	fprintf(d->f, "<text x=\"%.2f\" y=\"%.1f\">", x + 3, y + ROW - 5.5);
	if ((int)(strlen(name) + strlen(figure)) <= room)
		html_format(d->f, "%s%s", name, figure);
	else if ((int)strlen(name) <= room)
		html_text(d->f, name);
	else if (room >= 5)
		html_format(d->f, "%.*s..", room - 2, name);
	else if (room && *figure)
		html_format(d->f, "%c", figure[1]);
	fputs("</text>", d->f);
}

/* " +42": what the title adds to the name of a function that changed. */
static void figure_of(const struct drawing *d, const struct explain_node *n,
		      char figure[FIGURE_BYTES])
{
	char change[NUMBER_BYTES];

	*figure = '\0';
	if (!d->compares || change_of(n) == 0)
		return;
	number_format(change, change_of(n), true);
	snprintf(figure, FIGURE_BYTES, " %s%s", change_of(n) > 0 ? "+" : "", change);
}

static void draw_title(const struct drawing *d, const struct explain_node *n,
		       const char *figure)
{
	char total[NUMBER_BYTES], self[NUMBER_BYTES], was[NUMBER_BYTES];

	number_format(total, (double)n->total, true);
	number_format(self, (double)n->self, true);
	number_format(was, (double)n->base_self, true);
	fputs("<title>", d->f);
	if (d->compares && !n->total)
		html_format(d->f, "%s%s: gone; %s of its own in the base", n->name,
			    figure, was);
	else
		html_format(d->f, "%s%s: %s instructions, %.1f %%; %s of its own",
			    n->name, figure, total, 100 * (double)n->total / d->whole,
			    self);
	if (d->compares && !n->base_total)
		fputs("; not in the base", d->f);
	else if (d->compares && n->total)
		html_format(d->f, "; %s of its own in the base", was);
	if (n->is_inlined)
		fputs("; inlined", d->f);
	if (*n->layer)
		html_format(d->f, "; %s", n->layer);
	fputs("</title>", d->f);
}

static void draw_box(const struct drawing *d, const struct explain_node *n, double x)
{
	double width = (double)n->width * d->scale;
	double y = d->bottom - ROW * n->depth;
	char fill[SHADE_BYTES], figure[FIGURE_BYTES];

	snprintf(fill, sizeof(fill), "%s", fill_of(d, n->layer));
	if (d->compares)
		shade(fill, change_of(n), d->largest);
	figure_of(d, n, figure);
	fprintf(d->f, "<g data-n=\"%llu\">", (unsigned long long)n->width);
	draw_title(d, n, figure);
	fprintf(d->f,
		"<rect x=\"%.4f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"/>",
		x, y, width > 0.6 ? width - 0.3 : width, ROW - 1, fill);
	draw_label(d, n->name, figure, x, y, width);
	fputs("</g>\n", d->f);
}

static void draw_nodes(const struct drawing *d, size_t node, double x)
{
	for (; node; node = d->nodes[node].next) {
		double width = (double)d->nodes[node].width * d->scale;

		if (width >= NARROWEST) {
			draw_box(d, &d->nodes[node], x);
			draw_nodes(d, d->nodes[node].child, x);
		}
		x += width;
	}
}

static double legend_height(size_t n)
{
	size_t rows = (n + LEGEND_COLS - 1) / LEGEND_COLS;

	return ROW * (double)rows + 10;
}

static void draw_entry(FILE *f, size_t i, double y, const char *fill, const char *text)
{
	double x = WIDTH / LEGEND_COLS * (double)(i % LEGEND_COLS);
	size_t above = i / LEGEND_COLS;
	double top = y + ROW * (double)above;

	fprintf(f,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/><text x=\"%.1f\" y=\"%.1f\">",
		x, top + 2, fill, x + 17, top + 12);
	html_text(f, text);
	fputs("</text>\n", f);
}

static void draw_legend(const struct drawing *d, double y)
{
	static const char *const words[] = {
		"no change of its own instructions",
		"+ more than in the base",
		"- fewer than in the base, or gone",
	};
	static const double changes[] = { 0, 1, -1 };
	char text[256], insns[NUMBER_BYTES], fill[SHADE_BYTES];

	for (size_t i = 0; i < 3 && d->compares; i++) {
		shade(fill, changes[i], 1);
		draw_entry(d->f, i, y, fill, words[i]);
	}
	for (size_t i = 0; i < d->n_layers && !d->compares; i++) {
		number_format(insns, (double)d->layers[i].insns, true);
		snprintf(text, sizeof(text), "%s: %s", d->layers[i].name, insns);
		draw_entry(d->f, i, y, fills[i % FILLS], text);
	}
}

static void draw_subject(FILE *f, const char *before, const struct explanation *e)
{
	char total[NUMBER_BYTES];

	number_format(total, (double)e->total, true);
	html_format(f, "%s%s [%s] on %s, Linux %s: %s instructions", before, e->benchmark,
		    e->config, e->target.name,
		    e->subject.kernel ? e->subject.kernel : "?", total);
}

static void draw_head(FILE *f, const struct explanation *e,
		      const struct explanation *base)
{
	fputs("<text font-size=\"15\" x=\"0\" y=\"17\">", f);
	draw_subject(f, "", e);
	fputs("</text>\n", f);
	if (!base)
		return;
	fputs("<text x=\"0\" y=\"35\">", f);
	draw_subject(f, "base: ", base);
	fputs(". A box is as wide as its function in the one that has more of it.</text>\n",
	      f);
}

static unsigned int depth_of(const struct explain_node *nodes, size_t n)
{
	unsigned int deepest = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (nodes[i].depth > deepest)
			deepest = nodes[i].depth;
	return deepest;
}

/* A page has its own colours and margins; a file has a background, dark on dark screens.
 */
static void draw_page(FILE *f, double height)
{
	fprintf(f,
		"<style>svg{color:#111;background:#fff}.page{fill:#fff}@media screen and (prefers-color-scheme:dark){svg{color:#e6e6e6;background:#16181d}.page{fill:#16181d}}</style>\n<rect class=\"page\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>\n",
		-MARGIN, -MARGIN, WIDTH + 2 * MARGIN, height + 2 * MARGIN);
}

static void draw(FILE *f, const struct explanation *e, const struct explanation *base,
		 bool is_file)
{
	struct explain_node *nodes;
	struct explain_layer *layers;
	struct drawing d = { .f = f, .compares = base, .largest = 1 };
	size_t n = base ? explain_tree_of_both(base, e, &nodes)
			: explain_tree(e, true, &nodes);
	double legend, height, margin = is_file ? MARGIN : 0;

	d.n_layers = explain_layers(e, &layers);
	d.nodes = nodes;
	d.layers = layers;
	d.whole = nodes[0].total ? (double)nodes[0].total : 1;
	d.scale = WIDTH / (nodes[0].width ? (double)nodes[0].width : 1);
	d.bottom = HEAD + ROW * depth_of(nodes, n) + ROW * (base ? 2 : 1);
	for (size_t i = 1; i < n; i++)
		d.largest = fmax(d.largest, fabs(change_of(&nodes[i])));
	legend = d.bottom + 8;
	height = legend + legend_height(base ? 3 : d.n_layers);
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame\" data-insns=\"%llu\" viewBox=\"%.0f %.0f %.0f %.0f\" font-family=\"sans-serif\" font-size=\"11\" fill=\"currentColor\" role=\"img\">\n<title>",
		(unsigned long long)nodes[0].width, 0 - margin, 0 - margin,
		WIDTH + 2 * margin, height + 2 * margin);
	html_format(f,
		    base ? "What changed in the instructions of %s"
			 : "Where the instructions of %s are",
		    e->benchmark);
	fputs("</title>\n", f);
	if (is_file)
		draw_page(f, height);
	draw_head(f, e, base);
	fputs("<g class=\"boxes\" fill=\"#111\">\n", f);
	draw_nodes(&d, nodes[0].child, 0);
	fputs("</g>\n", f);
	draw_legend(&d, legend);
	fputs("</svg>\n", f);
	free(nodes);
	free(layers);
}

void flame_draw(FILE *f, const struct explanation *e, const struct explanation *base)
{
	draw(f, e, base, false);
}

int flame_write(const char *path, const struct explanation *e,
		const struct explanation *base)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	int err;

	if (!f)
		return -1;
	draw(f, e, base, true);
	if (fclose(f)) {
		free(text);
		return -1;
	}
	err = file_replace(path, text, bytes);
	free(text);
	errno = -err;
	return err ? -1 : 0;
}
