/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison as a picture: a row per benchmark, largest difference first, each
 * with its interval, and its figures in words at the right.
 */
#ifndef WS_VIEW_DIFFERENCES_H
#define WS_VIEW_DIFFERENCES_H

#include <stddef.h>

struct compare;
struct compare_row;
struct picture;

struct differences {
	const char *title, *subtitle;
	const struct compare *compare;
};

/* Rows with a difference to draw; 0: there is no picture. */
size_t differences_count(const struct compare *c);

/* Fills in all of `p` but its stem and caption. Aborts on lack of memory. */
void differences_draw(const struct differences *d, struct picture *p);

#endif
