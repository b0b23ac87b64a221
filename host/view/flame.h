/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flame graph of an explanation: the stacks as boxes, as wide as they are long. */
#ifndef WS_VIEW_FLAME_H
#define WS_VIEW_FLAME_H

#include <stdio.h>

struct explanation;

/*
 * Draws into `f`, as an <svg> element that stands alone and in an HTML page. Colours
 * tell layers. Errors of `f` stay in ferror(f).
 */
void flame_draw(FILE *f, const struct explanation *e);

/* The same as a file that appears whole or not at all. 0 or -1 with errno. */
int flame_write(const char *path, const struct explanation *e);

#endif
