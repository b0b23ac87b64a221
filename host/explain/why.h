/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of a comparison that differ, each with the explanations of its two figures:
 * `wsbench compare --explain`.
 */
#ifndef WS_EXPLAIN_WHY_H
#define WS_EXPLAIN_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/compare/compare.h"
#include "host/explain/explanation.h"

struct json_list;

enum why_rows {
	WHY_NONE,
	WHY_WORSE, /* rows that got worse, and that no threshold lets pass */
	WHY_ALL,   /* all rows whose figures differ */
};

struct why_row {
	const struct compare_row *row;
	struct explanation *base, *new; /* both or none; they belong to the row */
	size_t n_alike;	  /* rows cut by the limit whose difference is about as large */
	char reason[640]; /* why there are none */
};

struct why {
	struct why_row *rows; /* the largest difference first */
	size_t n_rows;
	size_t n_cut;	   /* further rows, beyond the limit */
	char refusal[512]; /* why no row is explained, "" */
};

/*
 * Selects the rows: exact figures of round trips that differ, at most `limit`, of which
 * rows whose difference is alike come in only if others leave room. The comparison must
 * outlive `w`; why_free() it. The caller fills in explanations.
 */
void why_select(const struct compare *c, enum why_rows which, size_t limit,
		struct why *w);
void why_free(struct why *w);

/*
 * Whether an explained figure is that of the document: equal to it, or within the range
 * over its boots.
 */
bool why_is_figure(const struct explanation *e, const struct compare_side *side);

/* Below the table of the comparison: each row by layer and by function. */
void why_print(FILE *f, const struct why *w);
/* The same folded, for a comment on a change. */
void why_print_markdown(FILE *f, const struct why *w);
/* The members explained, explanations, explained_layers and explained_functions. */
void why_json(struct json_list *l, const struct why *w);

#endif
