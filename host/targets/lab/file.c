/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files in memory, and files without a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/file.h"

bool lab_path(char path[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, PATH_MAX, fmt, ap);
	va_end(ap);
	if (n >= 0 && n < PATH_MAX)
		return true;
	path[0] = '\0';
	return false;
}

static int read_all(int fd, uint8_t *data, size_t bytes)
{
	size_t got = 0;

	while (got < bytes) {
		ssize_t n = read(fd, data + got, bytes - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO; /* the file has shrunk */
		got += n;
	}
	return 0;
}

int lab_memory_file(const char *name, const void *data, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC), ret = fd < 0 ? -errno : 0;
	size_t done = 0;

	while (!ret && done < bytes) {
		ssize_t n = pwrite(fd, (const char *)data + done, bytes - done, done);

		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			ret = -errno;
	}
	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

int lab_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) ? -errno
										  : 0;
}

int lab_file_read(const char *path, const char *what, uint8_t **data, size_t *bytes,
		  struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret;

	if (fd < 0)
		return error_set(err, -errno, "cannot read %s %s: %s", what, path,
				 strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > LAB_FILE_MAX) {
		close(fd);
		return error_set(
			err, -EINVAL,
			"cannot read %s %s: not a regular file of at most %u MiB", what,
			path, LAB_FILE_MAX >> 20);
	}
	*bytes = st.st_size;
	*data = malloc(*bytes + 1);
	ret = *data ? read_all(fd, *data, *bytes) : -ENOMEM;
	close(fd);
	if (!ret)
		return 0;
	free(*data);
	*data = NULL;
	return error_set(err, ret, "cannot read %s %s: %s", what, path, strerror(-ret));
}
