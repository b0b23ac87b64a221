/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file in a single step. */
#include "host/result/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/result/file.h"
#include "host/result/store.h"

/* How many names for a temporary file are tried before giving up. */
#define TEMP_TRIES 100

int file_write(int fd, const char *text, size_t bytes)
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

int file_sync(int fd)
{
	while (fsync(fd))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Writes and closes. A full disk may be noticed by any of the three calls. */
static int write_and_close(int fd, const char *data, size_t bytes, bool sync)
{
	int rc = file_write(fd, data, bytes);

	if (!rc && sync)
		rc = file_sync(fd);
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
int file_sync_folder(const char *path)
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
	rc = file_sync(fd);
	close(fd);
	/* Some network and FUSE file systems cannot, and say so in this way. */
	return rc == -EINVAL || rc == -EOPNOTSUPP ? 0 : rc;
}

static int replace_regular(const char *path, const char *data, size_t bytes)
{
	int fd, rc;
	char *temp = open_temp(path, &fd);

	if (!temp)
		return -errno;
	rc = write_and_close(fd, data, bytes, true);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (rc)
		unlink(temp);
	free(temp);
	return rc ? rc : file_sync_folder(path);
}

/* A pipe, a terminal, /dev/null: renaming a file over it would take it away. */
static int write_straight(const char *path, const char *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_and_close(fd, data, bytes, false);
}

int replace_file(const char *path, const void *data, size_t bytes)
{
	char real[PATH_MAX];
	struct stat st;

	if (stat(path, &st))
		return replace_regular(path, data, bytes);
	if (!S_ISREG(st.st_mode))
		return write_straight(path, data, bytes);
	return replace_regular(realpath(path, real) ? real : path, data, bytes);
}
