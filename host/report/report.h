/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: one self-contained HTML page, readable without network and scripts. Each
 * section writes its part from the documents, or nothing.
 */
#ifndef WS_REPORT_REPORT_H
#define WS_REPORT_REPORT_H

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
	struct compare *compare; /* NULL: not comparable, see `why` */
	char *why;
};

struct report {
	struct plot_input in; /* the documents */
	struct report_change *changes;
	size_t n_changes;
	struct picture_list pictures;
	char **svgs;	     /* one per picture; NULL if gnuplot failed */
	struct error failed; /* why, else "" */
	/* Set by the caller; must outlive the report. */
	struct explanation *const *explanations;
	size_t n_explanations;
};

/*
 * Draws the pictures. If gnuplot fails, the report has none, and `failed` is the
 * reason. The documents must outlive the report. Aborts without memory. `history` may
 * be NULL.
 */
void report_build(struct report *r, const struct result *const *docs, size_t n,
		  const struct history *history);
void report_free(struct report *r);

/* Returns the page; the caller frees it. */
char *report_page(const struct report *r, size_t *bytes);

/*
 * A section writes its body as HTML; text of documents goes through html_*(). False:
 * the section is empty and left out.
 */
struct report_section {
	const char *id; /* the anchor */
	const char *title;
	bool (*write)(FILE *f, const struct report *r);
	/* Lines of the table of contents, <li>, that say what was found; or NULL. */
	void (*found)(FILE *f, const struct report *r);
};

bool report_summary(FILE *f, const struct report *r);
bool report_explanations(FILE *f, const struct report *r);
bool report_changes(FILE *f, const struct report *r);
bool report_visible(FILE *f, const struct report *r);
bool report_history(FILE *f, const struct report *r);
bool report_figures(FILE *f, const struct report *r);
bool report_floor(FILE *f, const struct report *r);
bool report_configs(FILE *f, const struct report *r);
bool report_pictures(FILE *f, const struct report *r);
bool report_missing(FILE *f, const struct report *r);
bool report_warnings(FILE *f, const struct report *r);
bool report_environment(FILE *f, const struct report *r);
bool report_reading(FILE *f, const struct report *r);

void report_found_changes(FILE *f, const struct report *r);
void report_found_configs(FILE *f, const struct report *r);
void report_found_explanations(FILE *f, const struct report *r);
void report_found_history(FILE *f, const struct report *r);
void report_found_missing(FILE *f, const struct report *r);
void report_found_warnings(FILE *f, const struct report *r);

/* The page's style sheet and its script, without tags. */
extern const char report_css[];
extern const char report_script[];
/* The hash of the script in the page's Content-Security-Policy: SHA-256 in base 64. */
extern const char report_script_sha256[];

/* Fills in r->changes; for report_build() and report_free(). */
void report_compare(struct report *r);
void report_compare_free(struct report *r);
/* "3 worse, 1 better", in colour. */
void report_outcome(FILE *f, const struct compare *c);

/* A document's label ("kvm #2"), escaped. */
void report_label(FILE *f, const struct report *r, const struct result *doc);

#endif
