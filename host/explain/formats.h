/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explanations in the formats of other programs' viewers. */
#ifndef WS_EXPLAIN_FORMATS_H
#define WS_EXPLAIN_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/explain/explanation.h"

struct explain_format {
	const char *name, *summary;
	bool binary;
	bool needs_timeline; /* explanation without a timeline: nothing to write */
	/* 0 or a negative errno. Write errors stay in ferror(f). */
	int (*write)(FILE *f, const struct explanation *e);
};

/* Ends with a format without a name. */
extern const struct explain_format explain_formats[];

const struct explain_format *explain_format_find(const char *name);

int format_callgrind(FILE *f, const struct explanation *e);
int format_pprof(FILE *f, const struct explanation *e);
int format_speedscope(FILE *f, const struct explanation *e);
int format_timeline(FILE *f, const struct explanation *e);

/* The title of an explanation: benchmark, config, target and kernel. free() it. */
char *format_title(const struct explanation *e);

/* The functions of all stacks, each once: the formats refer to them by number. */
struct format_functions {
	struct explanation_frame *list;
	size_t n;
	size_t **of; /* per stack and frame, the number of its function */
};

void format_functions(struct format_functions *fs, const struct explanation *e);
void format_functions_free(struct format_functions *fs, const struct explanation *e);

/* Where a function is: its module, or "kernel", "user", "guest", "hyp", "l0". */
const char *format_object(const struct explanation_frame *f);

/* A function and a file of it: viewers name functions so. */
struct format_place {
	const char *function;
	const char *file;   /* NULL: unknown */
	const char *object; /* as format_object() */
};

struct format_places {
	struct format_place *list; /* free() it */
	size_t n, room;
};

/* The number of an equal place; a new one is appended. */
size_t format_place_number(struct format_places *places,
			   const struct format_place *place);

/* The costs of a stack or instruction; n is FORMAT_COSTS, or 1 without kinds. */
enum { FORMAT_COSTS = 8 };
struct format_cost {
	const char *name, *title;
};
extern const struct format_cost format_costs[FORMAT_COSTS];
size_t format_costs_of(const struct explanation *e);
void format_costs_get(uint64_t insns, const struct explanation_kinds *k, size_t n,
		      uint64_t costs[FORMAT_COSTS]);

#endif
