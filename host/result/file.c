/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and files: reading one whole, replacing one in a single step. */
#include "host/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/result/error.h"
#include "host/result/store.h"

/* How many names for a temporary file are tried before giving up. */
#define TEMP_TRIES 100

/* The readable end of a path: an error is one line, and its reason comes last. */
static const char *path_tail(const char *path)
{
	size_t len = strlen(path);

	return len > 256 ? path + len - 256 : path;
}

static int cannot(struct result_error *err, const char *what, const char *path, int code)
{
	return error_set(err, code, "cannot %s %s: %s", what, path_tail(path),
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

int result_read(const char *path, struct result **out, struct result_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct result_error inner;
	char *text;
	ssize_t bytes;
	int rc;

	*out = NULL;
	if (fd < 0)
		return cannot(err, "read", path, -errno);
	bytes = slurp(fd, &text);
	close(fd);
	if (bytes < 0) {
		rc = cannot(err, "read", path, (int)bytes);
	} else {
		rc = result_parse(text, (size_t)bytes, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", path_tail(path), inner.text);
	}
	free(text);
	return rc;
}

static int write_full(int fd, const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			bytes -= (size_t)n;
		}
	}
	return 0;
}

static int sync_full(int fd)
{
	while (fsync(fd))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Writes and closes. A full disk may be noticed by any of the three calls. */
static int write_and_close(int fd, const char *text, bool sync)
{
	int rc = write_full(fd, text, strlen(text));

	if (!rc && sync)
		rc = sync_full(fd);
	/* Linux has closed the file even where this is interrupted. */
	if (close(fd) && !rc && errno != EINTR)
		rc = -errno;
	return rc;
}

/*
 * Creates a file beside `path` that nobody else has. Its name, for free(); NULL
 * and errno where that fails. Not mkstemp(): a result is for others to read, as
 * far as the umask lets them.
 */
static char *open_temp(const char *path, int *fd)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		char *temp;

		if (asprintf(&temp, "%s.%ld-%d.tmp", path, (long)getpid(), i) < 0)
			store_check(NULL);
		*fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd >= 0)
			return temp;
		free(temp); /* keeps errno */
		if (errno != EEXIST)
			return NULL;
	}
	return NULL;
}

/* Makes a rename last: the folder's own entry has to reach the disk. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd, rc;

	if (!slash)
		folder = strdup(".");
	else
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	fd = open(store_check(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	/* One may write to a folder that one may not read. */
	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	rc = sync_full(fd);
	close(fd);
	/* Some network and FUSE file systems cannot, and say so in this way. */
	return rc == -EINVAL || rc == -EOPNOTSUPP ? 0 : rc;
}

static int replace_file(const char *path, const char *text)
{
	int fd, rc;
	char *temp = open_temp(path, &fd);

	if (!temp)
		return -errno;
	rc = write_and_close(fd, text, true);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (rc)
		unlink(temp);
	free(temp);
	return rc ? rc : sync_folder(path);
}

/* A pipe, a terminal, /dev/null: renaming a file over it would take it away. */
static int write_straight(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_and_close(fd, text, false);
}

int result_write(const char *path, const struct result *r, struct result_error *err)
{
	char real[PATH_MAX];
	struct stat st;
	char *text;
	int rc;

	text = result_dump(r);
	if (stat(path, &st))
		rc = replace_file(path, text);
	else if (!S_ISREG(st.st_mode))
		rc = write_straight(path, text);
	else
		rc = replace_file(realpath(path, real) ? real : path, text);
	free(text);
	return rc ? cannot(err, "write", path, rc) : 0;
}
