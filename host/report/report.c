/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's page: head, contents, sections. */
#include "host/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/lib/text.h"

/* In the order of the page. */
static const struct report_section sections[] = {
	{ "summary", "Summary", report_summary, NULL },
	{ "changes", "What changed", report_changes, report_found_changes },
	{ "figures", "Round trips", report_figures, NULL },
	{ "history", "History", report_history, report_found_history },
	{ "floor", "The floor, KVM, and KVM on KVM", report_floor, NULL },
	{ "visible", "What the guest's own counter sees", report_visible, NULL },
	{ "configs", "Counter configurations", report_configs, report_found_configs },
	{ "explanations", "Where the instructions are", report_explanations,
	  report_found_explanations },
	{ "pictures", "Pictures", report_pictures, NULL },
	{ "missing", "What was not measured", report_missing, report_found_missing },
	{ "warnings", "Warnings", report_warnings, report_found_warnings },
	{ "environment", "Machines and their settings", report_environment, NULL },
	{ "reading", "How to read this", report_reading, NULL },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* Without one picture there are none: gnuplot fails for all of them. */
static void render(struct report *r)
{
	r->svgs = calloc(r->pictures.n + 1, sizeof(*r->svgs));
	if (!r->svgs)
		abort();
	for (size_t i = 0; i < r->pictures.n; i++) {
		size_t bytes;

		if (!picture_render(&r->pictures.pictures[i], PICTURE_SVG, &r->svgs[i],
				    &bytes, &r->failed))
			continue;
		while (i)
			free(r->svgs[--i]);
		free(r->svgs);
		r->svgs = NULL;
		return;
	}
}

void report_build(struct report *r, const struct result *const *docs, size_t n,
		  const struct history *history)
{
	*r = (struct report){ .in = { .docs = docs, .n_docs = n, .history = history } };
	report_compare(r);
	plot_all(&r->in, &r->pictures, NULL, NULL, NULL);
	render(r);
}

void report_free(struct report *r)
{
	for (size_t i = 0; r->svgs && i < r->pictures.n; i++)
		free(r->svgs[i]);
	free(r->svgs);
	picture_list_free(&r->pictures);
	report_compare_free(r);
}

void report_label(FILE *f, const struct report *r, const struct result *doc)
{
	char *label = plot_label(&r->in, doc);

	html_text(f, label);
	free(label);
}

/* The dates of the runs: "2026-11-20", or first and last. */
static void print_dates(FILE *f, const struct report *r)
{
	const char *first = NULL, *last = NULL;

	for (size_t d = 0; d < r->in.n_docs; d++) {
		const char *at = r->in.docs[d]->run.started;

		first = !first || strcmp(at, first) < 0 ? at : first;
		last = !last || strcmp(at, last) > 0 ? at : last;
	}
	if (!first)
		return;
	html_format(f, "%.10s", first);
	if (strncmp(first, last, 10) != 0)
		html_format(f, " to %.10s", last);
}

static void print_colors(FILE *f, const char *(*color)(size_t))
{
	fputs(":root{", f);
	for (size_t c = 0; c < COLORS; c++)
		fprintf(f, "--c%zu:%s;", c, color(c));
	fputc('}', f);
}

static void print_head(FILE *f, const struct report *r)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	      "'none'; style-src 'unsafe-inline'; script-src 'sha256-",
	      f);
	fputs(report_script_sha256, f);
	fputs("'\">\n<title>What leaving the guest costs, ", f);
	print_dates(f, r);
	fputs("</title>\n<style>", f);
	print_colors(f, color_light);
	fputs("@media screen and (prefers-color-scheme: dark){", f);
	print_colors(f, color_dark);
	fputs("}\n", f);
	fputs(report_css, f);
	fputs("</style>\n</head>\n<body>\n<header><h1>What leaving the guest costs</h1>"
	      "<p>worldswitch, ",
	      f);
	print_dates(f, r);
	fputs("</p></header>\n", f);
}

/* Writes the bodies of all sections; NULL if a section is empty. */
static void write_sections(char *bodies[SECTIONS], const struct report *r)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		size_t bytes;
		FILE *f = open_memstream(&bodies[i], &bytes);
		bool any;

		if (!f)
			abort();
		any = sections[i].write(f, r);
		if (fclose(f))
			abort();
		if (any)
			continue;
		free(bodies[i]);
		bodies[i] = NULL;
	}
}

/* The findings, then the sections. */
static void print_contents(FILE *f, const struct report *r, char *const bodies[SECTIONS])
{
	char *found = NULL;
	size_t bytes;
	FILE *list = open_memstream(&found, &bytes);

	if (!list)
		abort();
	for (size_t i = 0; i < SECTIONS; i++)
		if (bodies[i] && sections[i].found)
			sections[i].found(list, r);
	if (fclose(list))
		abort();
	fputs("<nav aria-label=Contents>", f);
	if (*found)
		fprintf(f, "<ul class=found>\n%s</ul>\n", found);
	free(found);
	fputs("<ul class=sections>", f);
	for (size_t i = 0; i < SECTIONS; i++)
		if (bodies[i])
			fprintf(f, "<li><a href=\"#%s\">%s</a></li>", sections[i].id,
				sections[i].title);
	fputs("</ul></nav>\n", f);
}

static void print_sections(FILE *f, char *const bodies[SECTIONS])
{
	fputs("<main>\n", f);
	for (size_t i = 0; i < SECTIONS; i++)
		if (bodies[i])
			fprintf(f, "<section id=\"%s\">\n<h2>%s</h2>\n%s</section>\n",
				sections[i].id, sections[i].title, bodies[i]);
	fputs("</main>\n", f);
}

char *report_page(const struct report *r, size_t *bytes)
{
	char *bodies[SECTIONS], *text = NULL;
	FILE *f = open_memstream(&text, bytes);

	if (!f)
		abort();
	write_sections(bodies, r);
	print_head(f, r);
	print_contents(f, r, bodies);
	print_sections(f, bodies);
	fprintf(f, "<script>%s</script>\n</body>\n</html>\n", report_script);
	for (size_t i = 0; i < SECTIONS; i++)
		free(bodies[i]);
	if (fclose(f))
		abort();
	return text;
}
