/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history file: locks, additions, torn lines; compressed files, which are only read.
 */
#include "host/history/row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/result/store.h"

struct row_file {
	char *path;
	int fd;
	const char *text; /* mapped, or `unpacked`; NULL: the file is empty */
	char *unpacked;	  /* of a file in gzip's format; NULL: the file is text */
	size_t bytes;	  /* of complete lines; the last can lack its newline */
	size_t mapped;
	size_t torn;
	bool open_line; /* the last line lacks its newline */
};

/* -EAGAIN: `path` was replaced while flock() waited. */
static int lock(const char *path, int fd, bool add)
{
	struct stat there, here;

	while (flock(fd, add ? LOCK_EX : LOCK_SH))
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &here))
		return -errno;
	if (!S_ISREG(here.st_mode))
		return -EINVAL;
	if (stat(path, &there) || there.st_ino != here.st_ino ||
	    there.st_dev != here.st_dev)
		return -EAGAIN;
	return 0;
}

static int open_locked(const char *path, bool add, struct error *err)
{
	const char *what = add ? "write" : "read";
	int rc;

	do {
		/* O_NONBLOCK: open() of a pipe without a writer must not block. */
		int fd = open(path,
			      (add ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY) | O_CLOEXEC |
				      O_NONBLOCK,
			      0666);

		if (fd < 0)
			return file_error(err, what, path, -errno);
		rc = lock(path, fd, add);
		if (!rc)
			return fd;
		close(fd);
	} while (rc == -EAGAIN);
	if (rc == -EINVAL)
		return error_set(err, rc, "%s: not a history file: not a regular file",
				 file_tail(path));
	return file_error(err, "lock", path, rc);
}

static int map(struct row_file *f, struct error *err)
{
	struct stat st;
	void *text;

	if (fstat(f->fd, &st))
		return file_error(err, "read", f->path, -errno);
	f->bytes = f->mapped = (size_t)st.st_size;
	if (!f->mapped)
		return 0;
	text = mmap(NULL, f->mapped, PROT_READ, MAP_SHARED | MAP_POPULATE, f->fd, 0);
	if (text == MAP_FAILED)
		return file_error(err, "read", f->path, -errno);
	f->text = text;
	return 0;
}

/* Of a history's text, against a file that is made to fill the memory. */
#define UNPACKED_MAX ((size_t)1 << 30)

/* Replaces the text of a file in gzip's format by what is packed in it. */
static int unpack(struct row_file *f, bool add, struct error *err)
{
	static const char magic[] = { '\x1f', '\x8b' };
	int rc;

	if (f->bytes < sizeof(magic) || memcmp(f->text, magic, sizeof(magic)) != 0)
		return 0;
	if (add)
		return error_set(
			err, -EINVAL,
			"%s: a compressed history is only read (gunzip it to add)",
			file_tail(f->path));
	rc = gzip_unpack(f->text, f->bytes, UNPACKED_MAX, &f->unpacked, &f->bytes);
	if (rc == -ENOMEM)
		store_check(NULL);
	if (rc)
		return error_set(err, -EINVAL,
				 "%s: not gzip's format, cut short, or too large",
				 file_tail(f->path));
	munmap((void *)f->text, f->mapped);
	f->text = f->unpacked;
	return 0;
}

/* 0, or -EINVAL with `err`: not a line of a history file. */
static int check_line(const char *start, size_t bytes, struct error *err)
{
	struct row_names *names = row_names_new();
	struct row_scan *scan = row_scan_new(names);
	struct row row;
	int rc = row_scan_line(scan, start, bytes, &row, err);

	row_scan_free(scan);
	row_names_free(names);
	return rc;
}

/* A last line without a newline is complete (written by an editor), or torn. */
static void find_torn(struct row_file *f)
{
	const char *newline = f->bytes ? memrchr(f->text, '\n', f->bytes) : NULL;
	size_t start = newline ? (size_t)(newline + 1 - f->text) : 0;
	struct error err;

	if (start == f->bytes)
		return;
	f->open_line = !check_line(f->text + start, f->bytes - start, &err);
	if (f->open_line)
		return;
	f->torn = f->bytes - start;
	f->bytes = start;
}

/*
 * Other files are neither read nor truncated. A file without a complete line must begin
 * like a line, or with NUL: some file systems leave zeros after a crash.
 */
static int check_first(const struct row_file *f, struct error *err)
{
	static const char begin[] = "{\"schema\":\"" ROW_SCHEMA "\"";
	size_t n = f->torn < sizeof(begin) - 1 ? f->torn : sizeof(begin) - 1;
	const char *newline = f->bytes ? memchr(f->text, '\n', f->bytes) : NULL;
	struct error inner;

	if (!f->mapped)
		return 0;
	if (f->bytes) {
		n = newline ? (size_t)(newline - f->text) : f->bytes;
		if (!check_line(f->text, n, &inner))
			return 0;
		return error_set(err, -EINVAL, "%s: line 1: %s", file_tail(f->path),
				 inner.text);
	}
	if (!memcmp(f->text, begin, n) || f->text[0] == '\0')
		return 0;
	return error_set(err, -EINVAL,
			 "%s: not a history file: the first line is not a history line",
			 file_tail(f->path));
}

/* The torn line is on disk in FILE.torn before the file is truncated. */
static int move_torn(struct row_file *f, struct error *err)
{
	char *path;
	int fd, rc;

	if (asprintf(&path, "%s.torn", f->path) < 0)
		store_check(NULL);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	rc = fd < 0 ? -errno : file_write(fd, f->text + f->bytes, f->torn);
	if (!rc)
		rc = file_write(fd, "\n", 1);
	if (!rc)
		rc = file_sync(fd);
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = file_sync_folder(path);
	if (rc)
		file_error(err, "write", path, rc);
	free(path);
	if (rc)
		return rc;
	if (ftruncate(f->fd, (off_t)f->bytes))
		return file_error(err, "write", f->path, -errno);
	return 0;
}

int row_file_open(const char *path, bool add, struct row_file **out, struct error *err)
{
	struct row_file *f;
	int fd = open_locked(path, add, err), rc;

	if (fd < 0)
		return fd;
	f = store_check(calloc(1, sizeof(*f)));
	f->path = store_check(strdup(path));
	f->fd = fd;
	rc = map(f, err);
	if (!rc)
		rc = unpack(f, add, err);
	if (!rc) {
		find_torn(f);
		rc = check_first(f, err);
	}
	if (!rc && add && f->torn)
		rc = move_torn(f, err);
	if (rc)
		row_file_close(f);
	else
		*out = f;
	return rc;
}

void row_file_close(struct row_file *f)
{
	if (!f)
		return;
	if (f->text && f->text != f->unpacked)
		munmap((void *)f->text, f->mapped);
	free(f->unpacked);
	close(f->fd); /* releases the lock */
	free(f->path);
	free(f);
}

size_t row_file_torn(const struct row_file *f)
{
	return f->torn;
}

int row_file_read(const struct row_file *f, struct row_names *names,
		  int (*fn)(void *ctx, const struct row *row), void *ctx,
		  struct error *err)
{
	struct row_scan *scan = row_scan_new(names);
	const char *end = f->text + f->bytes;
	size_t number = 0;
	int rc = 0;

	for (const char *line = f->text; !rc && line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		struct error inner;
		struct row row;

		number++;
		if (stop > line) {
			rc = row_scan_line(scan, line, (size_t)(stop - line), &row,
					   &inner);
			if (rc)
				error_set(err, rc, "%s: line %zu: %s", file_tail(f->path),
					  number, inner.text);
			else
				rc = fn(ctx, &row);
		}
		line = stop + 1;
	}
	row_scan_free(scan);
	return rc;
}

int row_file_add(struct row_file *f, const char *lines, size_t bytes, struct error *err)
{
	int rc = 0;

	if (f->open_line)
		rc = file_write(f->fd, "\n", 1);
	if (!rc)
		rc = file_write(f->fd, lines, bytes);
	if (!rc)
		rc = file_sync(f->fd);
	if (!rc && !f->mapped)
		rc = file_sync_folder(f->path);
	if (!rc)
		return 0;
	/* Truncation works on a full disk, too. */
	if (ftruncate(f->fd, (off_t)f->bytes))
		return error_set(err, rc,
				 "cannot write %s: %s (the added lines can be torn)",
				 file_tail(f->path), strerror(-rc));
	file_sync(f->fd);
	return file_error(err, "write", f->path, rc);
}
