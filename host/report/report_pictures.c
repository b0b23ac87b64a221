/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pictures of the report: gnuplot's SVG as part of a page in the page's colours. */
#include "host/report/report.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/html.h"

/* Rewrites colours and ids in gnuplot's tags for a page with several pictures. */
struct rewrite {
	FILE *f;
	const char *at;
	unsigned int number;
};

static void print_color(FILE *f, size_t c)
{
	fprintf(f, "var(--c%zu)", c);
}

/* "rgb(245, 245, 245)"; other colours than those of html.h stay. */
static bool rewrite_rgb(struct rewrite *w)
{
	unsigned int rgb[3];
	int bytes = 0;
	size_t c;

	if (sscanf(w->at, "rgb( %u , %u , %u )%n", &rgb[0], &rgb[1], &rgb[2], &bytes) <
		    3 ||
	    !bytes)
		return false;
	c = color_find(rgb[0], rgb[1], rgb[2]);
	if (c == COLORS)
		return false;
	print_color(w->f, c);
	w->at += bytes;
	return true;
}

/* "#ffffff" as a whole value, and the name black. */
static bool rewrite_named(struct rewrite *w)
{
	unsigned int rgb;
	char *end;
	size_t c;

	if (!strncmp(w->at, "\"black\"", 7)) {
		fputc('"', w->f);
		print_color(w->f, COLOR_INK);
		w->at += 6;
		return true;
	}
	if (w->at[0] != '#' || !isxdigit((unsigned char)w->at[1]))
		return false;
	rgb = (unsigned int)strtoul(w->at + 1, &end, 16);
	c = color_find(rgb >> 16 & 0xff, rgb >> 8 & 0xff, rgb & 0xff);
	if (end - w->at != 7 || c == COLORS)
		return false;
	print_color(w->f, c);
	w->at = end;
	return true;
}

/* Ids must be unique within the page. */
static bool rewrite_id(struct rewrite *w)
{
	static const char *const begins[] = { "id='", "id=\"", "href='#", "url(#" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t len = strlen(begins[i]);

		if (strncmp(w->at, begins[i], len))
			continue;
		fprintf(w->f, "%sp%u-", begins[i], w->number);
		w->at += len;
		return true;
	}
	return false;
}

/* Copies a tag, from its '<' through its '>'. gnuplot's values hold no '>'. */
static void copy_tag(struct rewrite *w)
{
	while (*w->at && *w->at != '>')
		if (!rewrite_rgb(w) && !rewrite_named(w) && !rewrite_id(w))
			fputc(*w->at++, w->f);
	if (*w->at)
		fputc(*w->at++, w->f);
}

/* Skips the <svg> tag, whose size the page replaces. */
static const char *skip_head(const char *svg, unsigned int *width, unsigned int *height)
{
	const char *at = strstr(svg, "<svg"), *end = at ? strchr(at, '>') : NULL;
	const char *box = at ? strstr(at, "viewBox=\"0 0 ") : NULL;

	if (!end || !box || box > end ||
	    sscanf(box, "viewBox=\"0 0 %u %u\"", width, height) != 2)
		return NULL;
	return end + 1;
}

/* Skips the title and description that gnuplot writes. */
static bool skip_element(struct rewrite *w)
{
	static const char *const elements[] = { "title", "desc" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(elements[i]);
		const char *end;

		if (w->at[0] != '<' || strncmp(w->at + 1, elements[i], len) ||
		    w->at[1 + len] != '>')
			continue;
		end = strstr(w->at, "</");
		end = end ? strchr(end, '>') : NULL;
		if (!end)
			return false;
		w->at = end + 1;
		return true;
	}
	return false;
}

void html_svg(FILE *f, const char *svg, const char *caption, unsigned int number)
{
	unsigned int width, height;
	struct rewrite w = { f, skip_head(svg, &width, &height), number };

	if (!w.at)
		return;
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"",
		width, height);
	html_text(f, caption);
	fputs("\">", f);
	while (*w.at) {
		if (skip_element(&w))
			continue;
		if (*w.at == '<')
			copy_tag(&w);
		else
			fputc(*w.at++, f);
	}
}

bool report_pictures(FILE *f, const struct report *r)
{
	if (*r->failed.text) {
		html_tag(f, "p", "No pictures: %s.", r->failed.text);
		return true;
	}
	for (size_t i = 0; i < r->pictures.n; i++) {
		fputs("<figure tabindex=0>", f);
		html_svg(f, r->svgs[i], r->pictures.pictures[i].caption, (unsigned int)i);
		fputs("</figure>\n", f);
	}
	return r->pictures.n;
}
