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
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/result/result.h"

/* A longer line is not a history's: a line is held in memory. */
#define LINE_MAX_BYTES ((size_t)64 << 20)

/* The text is read in parts of this size, which stay in the CPU's cache. */
#define PART_BYTES ((size_t)256 << 10)

/*
 * Read and not mapped: a process that truncates a mapped file ends its readers by SIGBUS.
 */
struct row_file {
	char *path;
	int fd;
	char *unpacked; /* of a file in gzip's format; NULL: the file is text */
	size_t size;	/* of the text, when the file was opened */
	size_t bytes;	/* of complete lines; the last can lack its newline */
	size_t torn;
	bool open_line; /* the last line lacks its newline */
	bool made;	/* by this process, under the lock */
};

/* -EAGAIN: `path` was replaced or removed while flock() waited. */
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

/* `*made`: the file did not exist. */
static int open_file(const char *path, bool add, bool *made)
{
	/* O_NONBLOCK: open() of a pipe without a writer must not block. */
	const int flags = (add ? O_RDWR | O_APPEND : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
	int fd = open(path, flags);

	*made = false;
	if (fd >= 0 || !add || errno != ENOENT)
		return fd;
	fd = open(path, flags | O_CREAT | O_EXCL, 0666);
	*made = fd >= 0;
	/* Another process was faster; or a symbolic link to a file that does not exist.
	 */
	return fd < 0 && errno == EEXIST ? open(path, flags | O_CREAT, 0666) : fd;
}

static int open_locked(const char *path, bool add, bool *made, struct error *err)
{
	const char *what = add ? "write" : "read";
	int rc;

	do {
		int fd = open_file(path, add, made);

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

/* Reads `n` bytes of the file from `at` on, which were there when it was opened. */
static int read_file(const struct row_file *f, size_t at, char *to, size_t n,
		     struct error *err)
{
	while (n) {
		ssize_t got = pread(f->fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_error(err, "read", f->path, -errno);
		if (!got)
			return error_set(
				err, -EIO,
				"cannot read %s: the file became shorter while it was read",
				file_tail(f->path));
		at += (size_t)got;
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

/* The same of the text. */
static int read_text(const struct row_file *f, size_t at, char *to, size_t n,
		     struct error *err)
{
	if (!f->unpacked)
		return read_file(f, at, to, n, err);
	memcpy(to, f->unpacked + at, n);
	return 0;
}

/* Of a history's text, against a file that is made to fill the memory. */
#define UNPACKED_MAX ((size_t)1 << 30)

/* Finds the size of the text, and unpacks a file in gzip's format. */
static int find_text(struct row_file *f, bool add, struct error *err)
{
	static const char magic[] = { '\x1f', '\x8b' };
	char head[sizeof(magic)], *packed;
	struct stat st;
	int rc;

	if (fstat(f->fd, &st))
		return file_error(err, "read", f->path, -errno);
	f->size = (size_t)st.st_size;
	if (f->size < sizeof(head))
		return 0;
	rc = read_file(f, 0, head, sizeof(head), err);
	if (rc || memcmp(head, magic, sizeof(magic)) != 0)
		return rc;
	if (add)
		return error_set(
			err, -EINVAL,
			"%s: a compressed history is only read (gunzip it to add)",
			file_tail(f->path));
	packed = f->size <= UNPACKED_MAX ? store_check(malloc(f->size)) : NULL;
	if (packed)
		rc = read_file(f, 0, packed, f->size, err);
	if (rc) {
		free(packed);
		return rc;
	}
	rc = packed ? gzip_unpack(packed, f->size, UNPACKED_MAX, &f->unpacked, &f->size)
		    : -EBADMSG;
	free(packed);
	if (rc == -ENOMEM)
		store_check(NULL);
	if (rc)
		return error_set(err, -EINVAL,
				 "%s: not gzip's format, cut short, or too large",
				 file_tail(f->path));
	return 0;
}

/* The complete lines of a text, one after the other. */
struct line_reader {
	const struct row_file *file;
	char *part; /* of the text: `have` bytes, which end before `next` */
	size_t room, have;
	size_t at;   /* in the part: the next line */
	size_t next; /* in the text: not yet read */
};

static void line_reader_free(struct line_reader *r)
{
	free(r->part);
}

/* Reads on; a line that has begun moves to the start of the part. */
static int read_part(struct line_reader *r, struct error *err)
{
	const struct row_file *f = r->file;
	size_t left = r->have - r->at, more = f->bytes - r->next;
	int rc;

	if (left)
		memmove(r->part, r->part + r->at, left);
	r->have = left;
	r->at = 0;
	if (left >= LINE_MAX_BYTES)
		return error_set(err, -EINVAL, "%s: a line of more than %zu bytes",
				 file_tail(f->path), LINE_MAX_BYTES);
	if (r->room - left < PART_BYTES) {
		r->room = 2 * left + PART_BYTES;
		r->part = store_check(realloc(r->part, r->room));
	}
	if (more > r->room - left)
		more = r->room - left;
	rc = read_text(f, r->next, r->part + left, more, err);
	if (rc)
		return rc;
	r->next += more;
	r->have += more;
	return 0;
}

/*
 * A line without its newline, valid until the next call. 1, or 0 at the end, or a
 * negative errno with `err`.
 */
static int next_line(struct line_reader *r, const char **line, size_t *bytes,
		     struct error *err)
{
	const char *newline = NULL;
	size_t known = 0; /* bytes of the line without a newline */
	int rc;

	for (;;) {
		if (r->have - r->at > known)
			newline = memchr(r->part + r->at + known, '\n',
					 r->have - r->at - known);
		known = r->have - r->at;
		if (newline || r->next == r->file->bytes)
			break;
		rc = read_part(r, err);
		if (rc)
			return rc;
	}
	if (!newline && !known)
		return 0;
	*line = r->part + r->at;
	*bytes = newline ? (size_t)(newline - *line) : known;
	r->at += *bytes + (newline != NULL);
	return 1;
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

/*
 * The bytes after the last newline, in memory that the caller frees. Returns 0 or a
 * negative errno with `err`.
 */
static int read_last(const struct row_file *f, char **last, size_t *bytes,
		     struct error *err)
{
	const char *newline = NULL;
	size_t n = 4096;
	char *text = NULL;
	int rc = 0;

	while (!rc && !newline) {
		n = n < f->size ? n : f->size;
		text = store_check(realloc(text, n + 1));
		rc = read_text(f, f->size - n, text, n, err);
		newline = rc ? NULL : memrchr(text, '\n', n);
		if (n == f->size)
			break;
		if (!rc && !newline && n >= LINE_MAX_BYTES)
			rc = error_set(
				err, -EINVAL,
				"%s: not a history file: a line of more than %zu bytes",
				file_tail(f->path), LINE_MAX_BYTES);
		n *= newline ? 1 : 2;
	}
	*bytes = newline ? n - (size_t)(newline + 1 - text) : n;
	if (!rc)
		memmove(text, text + n - *bytes, *bytes);
	*last = text;
	return rc;
}

/* A last line without a newline is complete (written by an editor), or torn. */
static int find_torn(struct row_file *f, struct error *err)
{
	struct error inner;
	size_t bytes;
	char *last;
	int rc = read_last(f, &last, &bytes, err);

	f->bytes = f->size;
	if (!rc && bytes) {
		f->open_line = !check_line(last, bytes, &inner);
		f->torn = f->open_line ? 0 : bytes;
		f->bytes -= f->torn;
	}
	free(last);
	return rc;
}

/*
 * Other files are neither read nor truncated. A file without a complete line must begin
 * like a line, or with NUL: some file systems leave zeros after a crash.
 */
static int check_first(const struct row_file *f, struct error *err)
{
	static const char begin[] = "{\"schema\":\"" ROW_SCHEMA "\"";
	size_t n = f->torn < sizeof(begin) - 1 ? f->torn : sizeof(begin) - 1;
	struct line_reader r = { .file = f };
	char head[sizeof(begin)];
	struct error inner;
	const char *line;
	size_t bytes;
	int rc;

	if (!f->size)
		return 0;
	if (f->bytes) {
		rc = next_line(&r, &line, &bytes, err);
		if (rc == 1 && check_line(line, bytes, &inner))
			rc = error_set(
				err, -EINVAL,
				"%s: line 1: %s (not a history? 'wsbench history add --db FILE.jsonl FILE.json' makes one)",
				file_tail(f->path), inner.text);
		line_reader_free(&r);
		return rc < 0 ? rc : 0;
	}
	rc = read_text(f, 0, head, n, err);
	if (rc || !memcmp(head, begin, n) || head[0] == '\0')
		return rc;
	return error_set(err, -EINVAL,
			 "%s: not a history file: the first line is not a history line",
			 file_tail(f->path));
}

/*
 * FILE.torn, for appending: a regular file of this name, and not what another user of the
 * folder has linked to it.
 */
static int open_torn(const char *path, struct error *err)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		      0666);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = ENXIO;
	}
	if (fd >= 0 && !st.st_size)
		file_give(fd, path);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return error_set(err, -errno, "cannot write %s: it is %s (remove it)",
				 file_tail(path),
				 errno == ELOOP ? "a symbolic link"
						: "not a regular file");
	return fd < 0 ? file_error(err, "write", path, -errno) : fd;
}

/* The torn line is on disk in FILE.torn before the file is truncated. */
static int move_torn(struct row_file *f, struct error *err)
{
	char *path, *torn = store_check(malloc(f->torn + 1));
	int fd, rc;

	if (asprintf(&path, "%s.torn", f->path) < 0)
		store_check(NULL);
	fd = open_torn(path, err);
	rc = fd < 0 ? fd : read_text(f, f->bytes, torn, f->torn, err);
	if (!rc) {
		torn[f->torn] = '\n';
		rc = file_write(fd, torn, f->torn + 1);
		if (!rc)
			rc = file_sync(fd);
		if (!rc)
			rc = file_sync_folder(path);
		if (rc)
			file_error(err, "write", path, rc);
	}
	if (fd >= 0)
		close(fd);
	free(torn);
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
	bool made;
	int fd = open_locked(path, add, &made, err), rc;

	if (fd < 0)
		return fd;
	f = store_check(calloc(1, sizeof(*f)));
	f->path = store_check(strdup(path));
	f->fd = fd;
	f->made = made;
	rc = find_text(f, add, err);
	if (!rc)
		rc = find_torn(f, err);
	if (!rc)
		rc = check_first(f, err);
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
	struct stat st;

	if (!f)
		return;
	/* A new file to which nothing was added. Who waits for the lock: see lock(). */
	if (f->made && !fstat(f->fd, &st) && !st.st_size)
		unlink(f->path);
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
	struct line_reader r = { .file = f };
	size_t number = 0, bytes = 0;
	const char *line;
	int rc = 0, more;

	while (!rc && (more = next_line(&r, &line, &bytes, err))) {
		struct error inner;
		struct row row;

		number++;
		if (more < 0) {
			rc = more;
		} else if (bytes) {
			rc = row_scan_line(scan, line, bytes, &row, &inner);
			if (rc)
				error_set(err, rc, "%s: line %zu: %s", file_tail(f->path),
					  number, inner.text);
			else
				rc = fn(ctx, &row);
		}
	}
	line_reader_free(&r);
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
	if (!f->size)
		file_give(f->fd, f->path);
	if (!rc && !f->size)
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
