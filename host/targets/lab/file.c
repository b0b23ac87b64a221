/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files in memory, and the search paths of the lab. */
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
#include "host/lib/process.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/machine.h"

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

/* `name` in $WORLDSWITCH_LIBEXEC, beside this program, or in ../libexec/worldswitch. */
static int find_own(const char *name, const char *what, char path[PATH_MAX],
		    struct error *err)
{
	const char *env = getenv("WORLDSWITCH_LIBEXEC");
	char dir[PATH_MAX];

	if (env && *env) {
		if (lab_path(path, "%s/%s", env, name) && !access(path, R_OK))
			return 0;
		return error_set(err, -ENOENT, "%s: no %s in WORLDSWITCH_LIBEXEC=%s",
				 what, name, env);
	}
	process_own_folder(dir);
	if ((lab_path(path, "%s/%s", dir, name) && !access(path, R_OK)) ||
	    (lab_path(path, "%s/../libexec/worldswitch/%s", dir, name) &&
	     !access(path, R_OK)))
		return 0;
	return error_set(err, -ENOENT, "%s is not built: no %s/%s", what, dir, name);
}

int lab_find_program(enum arch arch, char path[PATH_MAX], struct error *err)
{
	char name[40];

	snprintf(name, sizeof(name), "%s/wsbench", lab_arch_name(arch));
	return find_own(name, "the wsbench that runs inside the lab", path, err);
}

int lab_find_clone_library(char path[PATH_MAX], struct error *err)
{
	return find_own("libwsbench-clone.so", "the library that clones Bochs", path,
			err);
}

/* `name` in the cache. */
static void cache_path(const char *name, char path[PATH_MAX])
{
	const char *cache = getenv("WORLDSWITCH_CACHE"), *home;

	if (cache && *cache) {
		lab_path(path, "%s/%s", cache, name);
		return;
	}
	cache = getenv("XDG_CACHE_HOME");
	home = getenv("HOME");
	if (cache && *cache)
		lab_path(path, "%s/worldswitch/%s", cache, name);
	else
		lab_path(path, "%s/.cache/worldswitch/%s", home ? home : "", name);
}

void lab_kernel_cache(enum arch arch, char path[PATH_MAX])
{
	char name[40];

	snprintf(name, sizeof(name), "kernels/%s", lab_arch_name(arch));
	cache_path(name, path);
}

void lab_emulators_folder(char path[PATH_MAX])
{
	const char *env = getenv("WORLDSWITCH_EMULATORS");

	if (env && *env)
		lab_path(path, "%s", env);
	else
		cache_path("emulators", path);
}

bool lab_find_emulator(const char *file, char path[PATH_MAX])
{
	char dir[PATH_MAX];

	lab_emulators_folder(dir);
	return lab_path(path, "%s/%s", dir, file) && !access(path, X_OK);
}
