/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the functions of a running kernel, inside a lab's machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/explain/symbols.h"

#define CHUNK_BYTES (1u << 20)

/* "ffff800008010000 T name [module]": the type is between two blanks. */
static int is_code(const char *line, size_t bytes)
{
	const char *blank = memchr(line, ' ', bytes);

	return blank && blank + 2 < line + bytes && blank[2] == ' ' &&
	       strchr("tTwW", blank[1]);
}

/* Moves the lines about code to `to`. An incomplete last line begins at *end. */
static size_t filter(const char *text, size_t bytes, char *to, size_t *end)
{
	size_t kept = 0, at = 0;

	for (;;) {
		const char *newline = memchr(text + at, '\n', bytes - at);
		size_t line;

		if (!newline)
			break;
		line = (size_t)(newline - text) + 1 - at;
		if (is_code(text + at, line)) {
			memmove(to + kept, text + at, line);
			kept += line;
		}
		at += line;
	}
	*end = at;
	return kept;
}

static int read_filtered(int fd, char **text, size_t *bytes)
{
	size_t kept = 0, left = 0, room = 0;

	for (;;) {
		ssize_t n;
		size_t end;

		if (room - kept - left < CHUNK_BYTES) {
			char *grown = realloc(*text, room + 2 * CHUNK_BYTES);

			if (!grown)
				return -ENOMEM;
			*text = grown;
			room += 2 * CHUNK_BYTES;
		}
		n = read(fd, *text + kept + left, CHUNK_BYTES);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		left += (size_t)n;
		n = (ssize_t)filter(*text + kept, left, *text + kept, &end);
		/* The beginning of the next line moves up behind what was kept. */
		memmove(*text + kept + n, *text + kept + end, left - end);
		kept += (size_t)n;
		left -= end;
	}
	*bytes = kept;
	return 0;
}

int symbols_read_kernel(const char *path, char **text, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*text = NULL;
	if (fd < 0)
		return -errno;
	err = read_filtered(fd, text, bytes);
	close(fd);
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err;
}
