/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flame graph of an explanation: the stacks as boxes, as wide as they are long. */
#ifndef WS_VIEW_FLAME_H
#define WS_VIEW_FLAME_H

#include <stdio.h>

struct explanation;

/*
 * Draws `e` into `f`, as an <svg> element that stands alone and in an HTML page. Colours
 * show layers; with `base` (or NULL), by how much a function's own instructions changed
 * since then, where it is called in the same way. Errors of `f` stay in ferror(f).
 */
void flame_draw(FILE *f, const struct explanation *e, const struct explanation *base);

/* The same as a file that appears whole or not at all. 0 or -1 with errno. */
int flame_write(const char *path, const struct explanation *e,
		const struct explanation *base);

#endif
