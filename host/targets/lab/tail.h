/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last lines of a text that goes by: a console's, an emulator's messages. */
#ifndef WS_LAB_TAIL_H
#define WS_LAB_TAIL_H

#include <stddef.h>

#define LAB_TAIL_BYTES 8192u

struct lab_tail { /* zeroed memory to begin with */
	char text[LAB_TAIL_BYTES];
	size_t bytes;
};

void lab_tail_add(struct lab_tail *t, const char *text, size_t bytes);

/*
 * Copies line number `back` from the end (0: the last one), of those that are not
 * blank, made printable and cut to `room`. Returns line, or NULL: not so many.
 */
const char *lab_tail_line(const struct lab_tail *t, unsigned int back, char *line,
			  size_t room);

/* The same for the last line that contains `word`, from that word on. */
const char *lab_tail_find(const struct lab_tail *t, const char *word, char *line,
			  size_t room);

#endif
