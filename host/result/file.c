/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and files: reading one whole, writing one in a single step. */
#include "host/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/result/file.h"
#include "host/result/replace.h"
#include "host/result/store.h"

/* The readable end of a path: an error is one line, and its reason comes last. */
const char *file_tail(const char *path)
{
	size_t len = strlen(path);

	return len > 256 ? path + len - 256 : path;
}

int file_cannot(struct error *err, const char *what, const char *path, int code)
{
	return error_set(err, code, "cannot %s %s: %s", what, file_tail(path),
			 strerror(-code));
}

/* Reads up to `room` bytes; fewer only at the end. The number, or -errno. */
static ssize_t read_full(int fd, char *text, size_t room)
{
	size_t got = 0;

	while (got < room) {
		ssize_t n = read(fd, text + got, room - got);

		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)got;
}

/* All of a file or a pipe, in *text, which the caller frees; its size or -errno. */
static ssize_t slurp(int fd, char **text)
{
	size_t bytes = 0, room = 1u << 16;
	ssize_t got;

	*text = NULL;
	do {
		room *= 2;
		*text = store_check(realloc(*text, room));
		got = read_full(fd, *text + bytes, room - bytes);
		if (got < 0)
			return got;
		bytes += (size_t)got;
		if (bytes > RESULT_FILE_MAX)
			return -EFBIG;
	} while (bytes == room);
	return (ssize_t)bytes;
}

long file_read(const char *path, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t bytes;

	*text = NULL;
	if (fd < 0)
		return -errno;
	bytes = slurp(fd, text);
	close(fd);
	return bytes;
}

int result_read(const char *path, struct result **out, struct error *err)
{
	struct error inner;
	char *text;
	long bytes = file_read(path, &text);
	int rc;

	*out = NULL;
	if (bytes < 0) {
		rc = file_cannot(err, "read", path, (int)bytes);
	} else {
		rc = result_parse(text, (size_t)bytes, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(path), inner.text);
	}
	free(text);
	return rc;
}

int result_write(const char *path, const struct result *r, struct error *err)
{
	char *text = result_dump(r);
	int rc = replace_file(path, text, strlen(text));

	free(text);
	return rc ? file_cannot(err, "write", path, rc) : 0;
}
