/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping the last lines of a text that goes by. */
#include <stdbool.h>
#include <string.h>

#include "host/targets/lab/fail.h"
#include "host/targets/lab/tail.h"

void lab_tail_add(struct lab_tail *t, const char *text, size_t bytes)
{
	if (bytes > LAB_TAIL_BYTES) {
		text += bytes - LAB_TAIL_BYTES;
		bytes = LAB_TAIL_BYTES;
	}
	if (t->bytes + bytes > LAB_TAIL_BYTES) {
		size_t drop = t->bytes + bytes - LAB_TAIL_BYTES;

		memmove(t->text, t->text + drop, t->bytes - drop);
		t->bytes -= drop;
	}
	memcpy(t->text + t->bytes, text, bytes);
	t->bytes += bytes;
}

static bool is_blank(const char *p, size_t n)
{
	for (; n; p++, n--)
		if (*p != ' ' && *p != '\t' && *p != '\r')
			return false;
	return true;
}

/* The last line that ends before `*end`, which is moved to its beginning. */
static const char *line_before(const struct lab_tail *t, size_t *end, size_t *bytes)
{
	while (*end) {
		const size_t last = *end;
		size_t begin = last;

		while (begin && t->text[begin - 1] != '\n')
			begin--;
		*end = begin ? begin - 1 : 0;
		if (!is_blank(t->text + begin, last - begin)) {
			*bytes = last - begin;
			return t->text + begin;
		}
	}
	return NULL;
}

static const char *copy(const char *p, size_t bytes, char *line, size_t room)
{
	while (bytes && (p[bytes - 1] == '\r' || p[bytes - 1] == ' '))
		bytes--;
	if (bytes >= room)
		bytes = room - 1;
	memcpy(line, p, bytes);
	line[bytes] = '\0';
	for (char *nul; (nul = memchr(line, '\0', bytes));)
		*nul = ' ';
	lab_printable(line);
	return line;
}

const char *lab_tail_line(const struct lab_tail *t, unsigned int back, char *line,
			  size_t room)
{
	size_t end = t->bytes, bytes;
	const char *p;

	do
		p = line_before(t, &end, &bytes);
	while (p && back--);
	return p ? copy(p, bytes, line, room) : NULL;
}

const char *lab_tail_find(const struct lab_tail *t, const char *word, char *line,
			  size_t room)
{
	size_t end = t->bytes, bytes;
	const char *p, *hit;

	while ((p = line_before(t, &end, &bytes))) {
		hit = memmem(p, bytes, word, strlen(word));
		if (hit)
			return copy(hit, bytes - (hit - p), line, room);
	}
	return NULL;
}
