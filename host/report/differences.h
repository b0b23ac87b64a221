/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as a picture: a row per benchmark with its interval, largest difference
 * first. */
#ifndef WS_REPORT_DIFFERENCES_H
#define WS_REPORT_DIFFERENCES_H

#include <stdbool.h>
#include <stddef.h>

struct compare;
struct compare_row;
struct picture;

struct differences {
	const char *title, *subtitle;
	const struct compare *compare;
	bool core_first; /* then the other benchmarks */
};

/* The number of rows with a difference; 0: nothing to draw. */
size_t differences_count(const struct compare *c);

/* Fills in `p` except its stem and caption. Aborts without memory. */
void differences_draw(const struct differences *d, struct picture *p);

#endif
