/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation as text: by function, by call, as stacks for other programs. */
#ifndef WS_VIEW_EXPLAIN_TEXT_H
#define WS_VIEW_EXPLAIN_TEXT_H

#include <stdbool.h>
#include <stdio.h>

struct explanation;

struct explain_text {
	FILE *f;
	bool utf8; /* the reader's locale is UTF-8: draw lines */
};

/* What it is about; the layers, the functions, each with its share and a running sum. */
void explain_text_table(const struct explain_text *t, const struct explanation *e);

/* Per function, what kinds of instructions it is made of; those that matter most. */
void explain_text_kinds(const struct explain_text *t, const struct explanation *e);

/* Who called whom, with what is spent in and below each. */
void explain_text_tree(const struct explain_text *t, const struct explanation *e);

/* "outermost;...;innermost COUNT", a line each, as flame graph tools take it. */
void explain_text_folded(FILE *f, const struct explanation *e);

/*
 * Function by function, `base` against `e`, the largest change first; functions that are
 * in one alone are marked.
 */
void explain_text_diff(const struct explain_text *t, const struct explanation *base,
		       const struct explanation *e);

/* Of each kind of instruction, how many there are in `base` and in `e`. Both have kinds.
 */
void explain_text_kinds_diff(const struct explain_text *t, const struct explanation *base,
			     const struct explanation *e);

/* Whether the names of two functions differ in no more than what compilers add. */
bool explain_same_name(const char *a, const char *b);

#endif
