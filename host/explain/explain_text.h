/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The views of an explanation: by function, by call, by layer, as stacks, as a flame
 * graph. */
#ifndef WS_EXPLAIN_EXPLAIN_TEXT_H
#define WS_EXPLAIN_EXPLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct explanation;
struct table;
struct table_options;

/* These print Markdown if `o` is NULL. */

/*
 * The subject, the layers, and the functions with their shares and the running sum: the
 * first `top` functions, the others as one row.
 */
void explain_print_functions(FILE *f, const struct explanation *e,
			     const struct table_options *o, size_t top);

/* The kinds of instructions of the functions that access system registers, use barriers,
 * ... */
void explain_print_kinds(FILE *f, const struct explanation *e,
			 const struct table_options *o);

/* The call tree (not as Markdown), with the instructions of each function and of
 * everything below it. */
void explain_print_tree(FILE *f, const struct explanation *e,
			const struct table_options *o);

/*
 * The lines of source with the most instructions, `most` of them; then the rest in one
 * row. `source`: the folder of the source, or NULL. Needs explanation_has_lines().
 */
void explain_print_lines(FILE *f, const struct explanation *e, uint64_t most,
			 const char *source, const struct table_options *o);

/*
 * The functions of this name, or of an inlined function of this name: their lines of
 * source, if `source` has them, and their instructions by address. False: no instruction
 * is in such a function. Needs explanation_has_lines().
 */
bool explain_print_annotated(FILE *f, const struct explanation *e, const char *function,
			     const char *source, const struct table_options *o);

/*
 * "outermost;...;innermost COUNT" on a line each: the input format of flame graph tools.
 * With lines, also inlined functions are frames.
 */
void explain_print_folded(FILE *f, const struct explanation *e);

/* `base` against `e`, by layer and by function, the largest `top` changes first. */
void explain_print_diff(FILE *f, const struct explanation *base,
			const struct explanation *e, const struct table_options *o,
			size_t top);

/* The tables of this comparison; table_free() them. `top`: the most functions shown. */
void explain_diff_layers(struct table *t, const struct explanation *base,
			 const struct explanation *e);
void explain_diff_functions(struct table *t, const struct explanation *base,
			    const struct explanation *e, size_t top);

/* The counts of each kind of instruction in `base` and in `e`. Both must have kinds. */
void explain_print_kinds_diff(FILE *f, const struct explanation *base,
			      const struct explanation *e, const struct table_options *o);

struct explain_layer {
	const char *name;
	uint64_t insns;
};

/* The layers of the functions, largest first. The caller frees them. Returns their
 * number. */
size_t explain_layers(const struct explanation *e, struct explain_layer **layers);

struct explain_layer_change {
	const char *name;
	long long base, now;
};

/* The layers of both, largest change first. As explain_layers(). */
size_t explain_layer_changes(const struct explanation *base, const struct explanation *e,
			     struct explain_layer_change **out);

struct explain_node {
	const char *name;	    /* of the function; NULL for the root */
	const char *space, *module; /* of struct explanation_frame; NULL for the root */
	const char *layer;	    /* NULL for the root */
	bool is_inlined;	    /* in the node above; not a function of its own */
	uint64_t self, total;	    /* instructions: its own; with everything below it */
	uint64_t base_self, base_total; /* ... in the base; 0 without a base */
	uint64_t width; /* of its box: `total`; with a base, the larger of both `self`,
			   and the widths of everything below it */
	unsigned int depth; /* of the root: 0 */
	size_t child, next; /* the first callee, the next sibling; 0: none */
};

/*
 * The stacks as a tree. Node 0 is the root; siblings are ordered by `total`, largest
 * first. With `inlined`, functions that are inlined have nodes below the function that
 * holds their instructions, if the explanation has lines. The caller frees the nodes; the
 * names belong to the explanation. Returns their number.
 */
size_t explain_tree(const struct explanation *e, bool inlined,
		    struct explain_node **nodes);

/*
 * The same of two explanations: a node is a function under the same callers in one or in
 * both. Functions are paired by pair.h; one that was inlined or split off is a part of
 * its caller's node. Siblings are ordered by `width`.
 */
size_t explain_tree_of_both(const struct explanation *base, const struct explanation *e,
			    struct explain_node **nodes);

/*
 * A flame graph as an <svg> element, valid alone and within an HTML page. Colours are
 * layers; with `base` (or NULL), the change of a function's own instructions since the
 * base, which follows its name with a sign. Write errors stay in ferror(f).
 */
void flame_draw(FILE *f, const struct explanation *e, const struct explanation *base);

/*
 * To a file of its own, with a margin and a background, which is dark on dark screens.
 * The file is replaced as a whole. 0 or -1 with errno.
 */
int flame_write(const char *path, const struct explanation *e,
		const struct explanation *base);

#endif
