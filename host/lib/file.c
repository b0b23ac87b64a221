/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: reading a whole file, replacing a file atomically; and gzip, by zlib. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "host/lib/confine.h"
#include "host/lib/file.h"

/* Attempts to find an unused name for a temporary file. */
#define TEMP_TRIES 100

/* Reads up to `room` bytes; fewer only at the end of the file. */
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

long file_read(const char *path, size_t max, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0, room = 1u << 16;
	ssize_t got = 0;

	*text = NULL;
	if (fd < 0)
		return -errno;
	do {
		room *= 2;
		*text = realloc(*text, room);
		if (!*text)
			abort();
		got = read_full(fd, *text + bytes, room - bytes);
		if (got > 0)
			bytes += (size_t)got;
		if (bytes > max)
			got = -EFBIG;
	} while (got >= 0 && bytes == room);
	close(fd);
	return got < 0 ? got : (long)bytes;
}

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

/* A full disk may be reported by write(), fsync() or close(). */
static int write_and_close(int fd, const char *data, size_t bytes, bool sync)
{
	int rc = file_write(fd, data, bytes);

	if (!rc && sync)
		rc = file_sync(fd);
	/* Linux closes the file also when close() is interrupted. */
	if (close(fd) && !rc && errno != EINTR)
		rc = -errno;
	return rc;
}

/* Whether the name in `folder` is that of the open file, a regular one. */
static bool is_named(int fd, int folder, const char *name)
{
	struct stat here, there;

	return !fstat(fd, &here) && S_ISREG(here.st_mode) &&
	       !fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/*
 * Creates a new file beside `path`. Its name, for free(); NULL and errno on failure.
 * Not mkstemp(), which creates mode 0600: the umask decides who can read a document.
 */
static char *open_temp(const char *path, int *fd)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		char *temp;

		if (asprintf(&temp, "%s.%ld-%d.tmp", path, (long)getpid(), i) < 0)
			abort();
		*fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd < 0 && errno != EEXIST) {
			free(temp); /* keeps errno */
			return NULL;
		}
		if (*fd >= 0) {
			/* Another process can lock or remove the file before: sweep(). */
			bool lost = flock(*fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
			bool named = is_named(*fd, AT_FDCWD, temp);

			if (named && !lost)
				return temp;
			if (named)
				unlink(temp);
			close(*fd);
			errno = EEXIST;
		}
		free(temp);
	}
	return NULL;
}

/* The process of "BASE.PID-N.tmp"; 0: not a name that open_temp() makes for the base. */
static pid_t owner_of(const char *name, const char *base)
{
	size_t bytes = strlen(base);
	long pid = 0;
	int end = 0;

	if (strncmp(name, base, bytes) != 0 ||
	    sscanf(name + bytes, ".%9ld-%*3[0-9].tmp%n", &pid, &end) != 1 || !end ||
	    name[bytes + (size_t)end] || name[bytes + 1] < '1' || name[bytes + 1] > '9')
		return 0;
	return (pid_t)pid;
}

/*
 * Removes the temporary files of `path` that processes left that were killed. The owner
 * of a file has it locked: a process that this machine does not know can be one of
 * another container.
 */
static void sweep(const char *path)
{
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
	const char *base = slash ? path + (slash - folder) + 1 : path;
	struct dirent *e;
	DIR *dir;

	if (!folder)
		abort();
	if (slash)
		slash[slash == folder] = '\0';
	dir = opendir(slash ? folder : ".");
	while (dir && (e = readdir(dir))) {
		pid_t pid = owner_of(e->d_name, base);
		int fd;

		if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		/* O_NONBLOCK: open() of a pipe without a writer must not block. */
		fd = openat(dirfd(dir), e->d_name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) &&
		    is_named(fd, dirfd(dir), e->d_name))
			unlinkat(dirfd(dir), e->d_name, 0);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

int file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd, rc;

	if (!slash)
		folder = strdup(".");
	else
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!folder)
		abort();
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	/* A folder can be writable but not readable. */
	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	rc = file_sync(fd);
	close(fd);
	/* Some network and FUSE file systems do not support fsync() on a folder. */
	return rc == -EINVAL || rc == -EOPNOTSUPP ? 0 : rc;
}

/* Whether what root makes at `path` is for the user that started sudo. */
static bool is_for_caller(const char *path, uid_t *uid, gid_t *gid)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	char *folder;
	bool ok;

	if (!confine_caller(uid, gid))
		return false;
	folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path))
		       : strdup(".");
	if (!folder)
		abort();
	ok = !stat(folder, &st) && (st.st_uid == *uid || st.st_mode & S_ISVTX);
	free(folder);
	return ok;
}

/* By the descriptor: the user can replace the name at any time. */
void file_give(int fd, const char *path)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (is_for_caller(path, &uid, &gid) && is_named(fd, AT_FDCWD, path) &&
	    !fstat(fd, &st) && st.st_nlink == 1)
		(void)!fchown(fd, uid, gid);
}

int file_make_folder(const char *path)
{
	size_t length = strlen(path);
	char *name;
	uid_t uid;
	gid_t gid;
	int rc, fd;

	/* A slash at the end would follow a symbolic link. */
	while (length > 1 && path[length - 1] == '/')
		length--;
	name = strndup(path, length);
	if (!name)
		abort();
	rc = mkdir(name, 0777) ? -errno : 0;
	if (!rc && is_for_caller(name, &uid, &gid)) {
		fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			(void)!fchown(fd, uid, gid);
			close(fd);
		}
	}
	free(name);
	return rc;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int file_make_folders(const char *path)
{
	char *copy = strdup(path);
	int rc = 0;

	if (!copy)
		abort();
	for (char *slash = *copy ? strchr(copy + 1, '/') : NULL; slash && !rc;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = file_make_folder(copy);
		if (is_folder(copy))
			rc = 0;
		*slash = '/';
	}
	if (!rc)
		rc = file_make_folder(copy);
	if (rc == -EEXIST)
		rc = is_folder(copy) ? 0 : -ENOTDIR;
	free(copy);
	return rc;
}

static int replace_regular(const char *path, const char *data, size_t bytes)
{
	int fd, rc;
	char *temp;

	sweep(path);
	temp = open_temp(path, &fd);
	if (!temp)
		return -errno;
	file_give(fd, temp);
	rc = write_and_close(fd, data, bytes, true);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (rc)
		unlink(temp);
	free(temp);
	return rc ? rc : file_sync_folder(path);
}

/* A pipe, a terminal, /dev/null: a rename would replace the device node by a file. */
static int write_in_place(const char *path, const char *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_and_close(fd, data, bytes, false);
}

int file_replace(const char *path, const void *data, size_t bytes)
{
	char real[PATH_MAX];
	struct stat st;

	if (stat(path, &st))
		return replace_regular(path, data, bytes);
	if (!S_ISREG(st.st_mode))
		return write_in_place(path, data, bytes);
	return replace_regular(realpath(path, real) ? real : path, data, bytes);
}

const char *file_tail(const char *path)
{
	size_t len = strlen(path);

	return len > 256 ? path + len - 256 : path;
}

int file_error(struct error *err, const char *what, const char *path, int code)
{
	return error_set(err, code, "cannot %s %s: %s", what, file_tail(path),
			 strerror(-code));
}

#define GZIP_BITS (15 + 16) /* of the window, and a gzip header */

int gzip_pack(const char *text, size_t bytes, unsigned char **out, size_t *packed)
{
	z_stream z = { .zalloc = Z_NULL };
	int rc;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_BITS, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	*packed = deflateBound(&z, bytes);
	*out = malloc(*packed);
	if (!*out) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (unsigned char *)text;
	z.avail_in = (uInt)bytes;
	z.next_out = *out;
	z.avail_out = (uInt)*packed;
	rc = deflate(&z, Z_FINISH);
	*packed = z.total_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -EIO;
}

int gzip_unpack(const char *packed, size_t bytes, size_t max, char **out, size_t *size)
{
	z_stream z = { .next_in = (unsigned char *)packed, .avail_in = (uInt)bytes };
	size_t room = 0;
	int rc = Z_OK;

	*out = NULL;
	if (inflateInit2(&z, GZIP_BITS) != Z_OK)
		return -ENOMEM;
	while (rc == Z_OK && z.total_out == room && room < max) {
		char *grown = realloc(*out, room = 2 * room + 65536);

		if (!grown) {
			rc = Z_MEM_ERROR;
			break;
		}
		*out = grown;
		z.next_out = (unsigned char *)grown + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		rc = inflate(&z, Z_NO_FLUSH);
	}
	*size = z.total_out;
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_STREAM_END ? 0 : -EBADMSG;
}
