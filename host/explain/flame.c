/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flame graphs: a function is a box as wide as the instructions in it and in its callees,
 * above the box of its caller. Siblings are ordered by width.
 */
#include "host/explain/explain_text.h"
#include "host/explain/pair.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/lib/file.h"
#include "host/lib/html.h"
#include "host/lib/text.h"

#define WIDTH	    1200.0
#define ROW	    18.0
#define CHARACTER   6.3 /* average width */
#define NARROWEST   0.4 /* narrower boxes are not drawn */
#define LEGEND_COLS 4u
#define HEAD	    30.0

/* Light enough for dark text, on any page; reused if there are more layers. */
static const char *const fills[] = {
	"#9ecae9", "#ffbf79", "#88d27a", "#ff9d98", "#d6a5c9", "#f2cf5b", "#b79a85",
	"#83bcb6", "#c7c7c7", "#a0b8f0", "#e0d28a", "#f2a6c4", "#b8e0b0", "#c9b3e6",
	"#7fd6d6", "#e8b48c", "#cfe36b", "#f7c6c6", "#aab6c8", "#d9a2ff",
};

#define FILLS (sizeof(fills) / sizeof(fills[0]))

/* A comparison: the twin of a node is the node of the base that is reached by the same
 * calls. */
struct twins {
	struct explain_node *nodes; /* the base's */
	size_t *of;	/* per node of the picture, the twin's index; 0: none */
	uint64_t gone;	/* instructions of the base in nodes without a twin */
	double largest; /* change of a node's own instructions; at least 1 */
};

struct drawing {
	FILE *f;
	const struct explain_node *nodes;
	const struct twins *twins; /* NULL: not a comparison */
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

static double change_of(const struct twins *t, const struct explain_node *nodes,
			size_t node)
{
	return (double)nodes[node].self - (double)t->nodes[t->of[node]].self;
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

static bool names_match(const char *a, const char *b, bool exactly)
{
	return exactly ? !strcmp(a, b) : explain_same_name(a, b);
}

/* Pairs two lists of siblings, beginning with `node` and `base`. */
static void pair_up(struct twins *t, const struct explain_node *nodes, size_t node,
		    size_t base, bool *taken)
{
	for (int exactly = 1; exactly >= 0; exactly--)
		for (size_t n = node; n; n = nodes[n].next)
			for (size_t b = base; b && !t->of[n]; b = t->nodes[b].next)
				if (!taken[b] && names_match(nodes[n].name,
							     t->nodes[b].name, exactly)) {
					t->of[n] = b;
					taken[b] = true;
				}
	for (size_t n = node; n; n = nodes[n].next)
		if (t->of[n])
			pair_up(t, nodes, nodes[n].child, t->nodes[t->of[n]].child,
				taken);
}

/* twins_free() it. */
static void twins_find(struct twins *t, const struct explain_node *nodes, size_t n,
		       const struct explanation *base)
{
	size_t n_base = explain_tree(base, &t->nodes);
	bool *taken = calloc(n_base, sizeof(*taken));

	t->of = calloc(n, sizeof(*t->of));
	if (!t->of || !taken)
		abort();
	pair_up(t, nodes, nodes[0].child, t->nodes[0].child, taken);
	t->gone = 0;
	for (size_t i = 1; i < n_base; i++)
		if (!taken[i])
			t->gone += t->nodes[i].self;
	t->largest = 1;
	for (size_t i = 1; i < n; i++)
		t->largest = fmax(t->largest, fabs(change_of(t, nodes, i)));
	free(taken);
}

static void twins_free(struct twins *t)
{
	free(t->nodes);
	free(t->of);
}

/* As much of the name as fits; nothing if fewer than three characters fit. */
static void draw_name(const struct drawing *d, const char *name, double x, double y,
		      double width)
{
	size_t room = width > 6 ? (size_t)((width - 6) / CHARACTER) : 0;
	char text[128];

	if (room < 3)
		return;
	if (room > sizeof(text) - 4)
		room = sizeof(text) - 4;
	if (strlen(name) <= room)
		snprintf(text, sizeof(text), "%s", name);
	else
		snprintf(text, sizeof(text), "%.*s..", (int)room - 2, name);
	fprintf(d->f, "<text x=\"%.1f\" y=\"%.1f\">", x + 3, y + ROW - 5.5);
	html_text(d->f, text);
	fputs("</text>", d->f);
}

static void draw_box(const struct drawing *d, const struct explain_node *n, double x)
{
	double width = (double)n->total * d->scale;
	double y = d->bottom - ROW * n->depth;
	char total[NUMBER_BYTES], self[NUMBER_BYTES], was[NUMBER_BYTES];
	const struct twins *twins = d->twins;
	size_t node = (size_t)(n - d->nodes);
	char fill[SHADE_BYTES];

	snprintf(fill, sizeof(fill), "%s", fill_of(d, n->layer));
	number_format(total, (double)n->total, true);
	number_format(self, (double)n->self, true);
	fputs("<g><title>", d->f);
	html_format(d->f, "%s: %s instructions, %.1f %%; %s of its own%s%s", n->name,
		    total, 100 * (double)n->total / d->whole, self, *n->layer ? "; " : "",
		    n->layer);
	if (twins && twins->of[node]) {
		number_format(was, (double)twins->nodes[twins->of[node]].self, true);
		html_format(d->f, "; %s of its own in the base", was);
	} else if (twins) {
		html_format(d->f, "; not in the base");
	}
	if (twins)
		shade(fill, change_of(twins, d->nodes, node), twins->largest);
	fprintf(d->f,
		"</title><rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"/>",
		x, y, width > 0.6 ? width - 0.3 : width, ROW - 1, fill);
	draw_name(d, n->name, x, y, width);
	fputs("</g>\n", d->f);
}

static void draw_nodes(const struct drawing *d, size_t node, double x)
{
	for (; node; node = d->nodes[node].next) {
		double width = (double)d->nodes[node].total * d->scale;

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
	static const char *const words[] = { "as many of its own as in the base", "more",
					     "fewer" };
	static const double changes[] = { 0, 1, -1 };
	char text[256], insns[NUMBER_BYTES], fill[SHADE_BYTES];

	for (size_t i = 0; i < 3 && d->twins; i++) {
		shade(fill, changes[i], 1);
		draw_entry(d->f, i, y, fill, words[i]);
	}
	for (size_t i = 0; i < d->n_layers && !d->twins; i++) {
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
		      const struct explanation *base, const struct twins *twins)
{
	char gone[NUMBER_BYTES];

	fputs("<text font-size=\"15\" x=\"0\" y=\"17\">", f);
	draw_subject(f, "", e);
	fputs("</text>\n", f);
	if (!base)
		return;
	number_format(gone, (double)twins->gone, true);
	fputs("<text x=\"0\" y=\"35\">", f);
	draw_subject(f, "base: ", base);
	html_format(f, ", %s of them in calls that are gone and not drawn", gone);
	fputs("</text>\n", f);
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

void flame_draw(FILE *f, const struct explanation *e, const struct explanation *base)
{
	struct explain_node *nodes;
	struct explain_layer *layers;
	struct drawing d = { .f = f };
	size_t n = explain_tree(e, &nodes);
	struct twins twins = { .nodes = NULL };
	double legend;

	d.n_layers = explain_layers(e, &layers);
	d.nodes = nodes;
	d.layers = layers;
	d.whole = nodes[0].total ? (double)nodes[0].total : 1;
	d.scale = WIDTH / d.whole;
	d.bottom = HEAD + ROW * depth_of(nodes, n) + ROW;
	if (base) {
		twins_find(&twins, nodes, n, base);
		d.twins = &twins;
		d.bottom += ROW;
	}
	legend = d.bottom + 8;
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"11\" fill=\"currentColor\" role=\"img\">\n<title>",
		WIDTH, legend + legend_height(base ? 3 : d.n_layers));
	html_format(f, "Where the instructions of %s are", e->benchmark);
	fputs("</title>\n", f);
	draw_head(f, e, base, &twins);
	fputs("<g fill=\"#111\">\n", f);
	draw_nodes(&d, nodes[0].child, 0);
	fputs("</g>\n", f);
	draw_legend(&d, legend);
	fputs("</svg>\n", f);
	twins_free(&twins);
	free(nodes);
	free(layers);
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
	flame_draw(f, e, base);
	if (fclose(f)) {
		free(text);
		return -1;
	}
	err = file_replace(path, text, bytes);
	free(text);
	errno = -err;
	return err ? -1 : 0;
}
