/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parsers of exits. Every line, name and number is bounded; what does not have the
 * form of the tool is an error.
 */
#ifndef WS_BUDGET_EXITS_H
#define WS_BUDGET_EXITS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/budget/budget.h"

/* A text that is read by lines. */
struct exits_lines {
	const char *next, *end;
	size_t number;
	char *line; /* the current one, NUL-terminated */
	struct error *err;
	int failed;
};

/* Sets the error "line 3: WHAT: 'the line'". */
int exits_bad(struct exits_lines *l, const char *what);

/* The next line without its end; false at the end, or after an error. */
bool exits_line(struct exits_lines *l);

/* Line 1 of `text` is the next one. */
void exits_rewind(struct exits_lines *l, const char *text);

/* A decimal number of at most EXITS_COUNT_MAX. */
bool exits_is_count(const char *word, double *count);

/* Adds to the event of that name, which is created if needed. */
int exits_add(struct exits_lines *l, struct exits *e, const char *name, double count,
	      double handled_us);

/* Cuts blanks at the end off. The length that is left. */
size_t exits_trim(char *line);

/* Cuts the last word off. "" if there is none. */
char *exits_cut_word(char *line);

/* The parsers: 0, or an error that `l` holds. */

/* The line that begins a table: "VM-EXIT  Samples  Samples% ...". */
bool exits_perf_head(const char *line, enum exits_kind *kind);
int exits_parse_perf(struct exits_lines *l, struct exits *out);

/* kvm_stat -1; kvm_stat -l, with -c (`csv`) or without. */
int exits_parse_once(struct exits_lines *l, struct exits *out);
int exits_parse_log(struct exits_lines *l, struct exits *out, bool csv);
/* "2026-11-27 04:07:01" -> seconds; NAN: not a time. */
double exits_log_time(const char *text);
/* "kvm_exit(NPF)" becomes "kvm_exit(NPF to VMM)" and "kvm_exit(NPF in KVM)". */
void exits_split_reasons(struct exits_lines *l, struct exits *e);

/* PATH:VALUE, as grep prints counters. `text`: the whole. */
int exits_parse_debugfs(struct exits_lines *l, const char *text, struct exits *out);

#endif
