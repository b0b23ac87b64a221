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

static int read_all(int fd, uint8_t *data, size_t bytes, size_t at)
{
	size_t got = 0;

	while (got < bytes) {
		ssize_t n = pread(fd, data + got, bytes - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO; /* the file has shrunk */
		got += n;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t bytes, size_t at)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pwrite(fd, data + done, bytes - done, (off_t)(at + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += n;
	}
	return 0;
}

/* By a buffer, which stays in the processor's cache: a page of memory that is used once
 * costs more. */
static int write_part(int to, const struct lab_part *part, size_t at)
{
	uint8_t buffer[32768] = { 0 };
	size_t done = 0;
	int ret = 0;

	if (part->data)
		return write_all(to, part->data, part->bytes, at);
	while (!ret && done < part->bytes) {
		size_t n = part->bytes - done;

		n = n < sizeof(buffer) ? n : sizeof(buffer);
		if (part->fd >= 0)
			ret = read_all(part->fd, buffer, n, done);
		if (!ret)
			ret = write_all(to, buffer, n, at + done);
		done += n;
	}
	return ret;
}

int lab_memory_file_of(const char *name, const struct lab_part *parts, size_t n)
{
	int fd = memfd_create(name, MFD_CLOEXEC), ret = fd < 0 ? -errno : 0;
	size_t at = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		ret = write_part(fd, &parts[i], at);
		at += parts[i].bytes;
	}
	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

int lab_memory_file(const char *name, const void *data, size_t bytes)
{
	return lab_memory_file_of(
		name, &(struct lab_part){ .data = data, .fd = -1, .bytes = bytes }, 1);
}

int lab_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) ? -errno
										  : 0;
}

int lab_file_open(const char *path, const char *what, size_t *bytes, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

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
	return fd;
}

int lab_file_content(int fd, uint8_t **data, size_t bytes)
{
	int ret;

	*data = malloc(bytes + 1);
	ret = *data ? read_all(fd, *data, bytes, 0) : -ENOMEM;
	if (ret) {
		free(*data);
		*data = NULL;
	}
	return ret;
}

int lab_file_read(const char *path, const char *what, uint8_t **data, size_t *bytes,
		  struct error *err)
{
	int fd = lab_file_open(path, what, bytes, err), ret;

	if (fd < 0)
		return fd;
	ret = lab_file_content(fd, data, *bytes);
	close(fd);
	if (!ret)
		return 0;
	return error_set(err, ret, "cannot read %s %s: %s", what, path, strerror(-ret));
}
