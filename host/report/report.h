/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: one HTML page that needs nothing else, neither a network nor a script,
 * to be read. It is made of sections; each looks at the documents and writes what it
 * has to say, or nothing.
 */
#ifndef WS_VIEW_REPORT_H
#define WS_VIEW_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/error.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

struct compare;
struct explanation;

/* Two documents of one target, or two configs of one document. */
struct report_change {
	const struct result *base, *new;
	const char *config[2];	 /* NULL: documents */
	struct compare *compare; /* NULL: they do not compare, `why` */
	char *why;
};

struct report {
	struct plot_input in; /* the documents */
	struct report_change *changes;
	size_t n_changes;
	struct picture_list pictures;
	char **svgs;	     /* one per picture; none where drawing failed */
	struct error failed; /* why, else "" */
	/* For whoever has some to set; they must outlive it. */
	struct explanation *const *explanations;
	size_t n_explanations;
};

/*
 * Draws what there is to draw. Where gnuplot fails, the report goes without pictures
 * and says so: `failed`. The documents must outlive it. Aborts on lack of memory.
 * `history` may be NULL.
 */
void report_build(struct report *r, const struct result *const *docs, size_t n,
		  const struct history *history);
void report_free(struct report *r);

/* The page, for free(). */
char *report_page(const struct report *r, size_t *bytes);

/*
 * A section: its body, in HTML, written by html_*() wherever a document's words are
 * in it. False: it has nothing to say, and is left out (what it wrote, too).
 */
struct report_section {
	const char *id; /* the anchor */
	const char *title;
	bool (*write)(FILE *f, const struct report *r);
};

/* In the order of the page; ends with a row whose id is NULL. */
extern const struct report_section report_sections[];

bool report_summary(FILE *f, const struct report *r);
bool report_explanations(FILE *f, const struct report *r);
bool report_changes(FILE *f, const struct report *r);
bool report_visible(FILE *f, const struct report *r);
bool report_history(FILE *f, const struct report *r);
bool report_figures(FILE *f, const struct report *r);
bool report_configs(FILE *f, const struct report *r);
bool report_pictures(FILE *f, const struct report *r);
bool report_missing(FILE *f, const struct report *r);
bool report_warnings(FILE *f, const struct report *r);
bool report_environment(FILE *f, const struct report *r);
bool report_reading(FILE *f, const struct report *r);

/* The page's style sheet and its script, without tags. */
extern const char report_css[];
extern const char report_script[];
/* What the page's policy says of the script: its SHA-256, in base 64. */
extern const char report_script_sha256[];

/* Fills in r->changes; for report_build() and report_free(). */
void report_compare(struct report *r);
void report_compare_free(struct report *r);
/* "3 worse, 1 better", in colour. */
void report_outcome(FILE *f, const struct compare *c);

/* A document's label ("kvm #2"), escaped. */
void report_label(FILE *f, const struct report *r, const struct result *doc);

#endif
