/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache of kernels: which kernel a name means, whether its files are intact, and the
 * call of scripts/kernel.sh, which downloads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/file.h"
#include "host/lib/process.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/emulator.h"

#define ERROR_PREFIX "kernel: error: " /* of die() in kernel.sh */

/* From the end of the messages to the end of the script. */
#define END_TIMEOUT_NS 60000000000ull

/* Names of Debian's kernels: "6.1.0-44-cloud-amd64", "6.12.113+deb12", "7.3.4". */
#define RELEASE                                                                          \
	"^[0-9]+\\.[0-9]+(\\.[0-9]+)?(-[0-9]+)?([+~][a-z0-9.+~]*)?(-cloud|-rt)?"         \
	"(-amd64|-arm64)?$"
#define SERIES "^[0-9]+\\.[0-9]+$"

static bool matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool found;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	found = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return found;
}

int lab_kernel_newest(const char *cache, char release[NAME_MAX + 1])
{
	DIR *dir = opendir(cache);
	struct dirent *e;

	release[0] = '\0';
	if (!dir)
		return -ENOENT;
	while ((e = readdir(dir))) {
		char path[PATH_MAX];

		/* A digit first: not a link, and not a partial download. */
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    strverscmp(e->d_name, release) <= 0)
			continue;
		if (lab_path(path, "%s/%s/vmlinuz", cache, e->d_name) &&
		    !access(path, F_OK))
			strcpy(release, e->d_name);
	}
	closedir(dir);
	return release[0] ? 0 : -ENOENT;
}

static void pass_line(const char *line, struct error *err)
{
	if (!strncmp(line, ERROR_PREFIX, strlen(ERROR_PREFIX)))
		error_set(err, 0, "%s", line + strlen(ERROR_PREFIX));
	else
		fprintf(stderr, "%s\n", line);
}

/*
 * Passes the messages of kernel.sh on to stderr, until the script ends or the user
 * interrupts. The last error message becomes `err`, so that the caller prints it once.
 */
static void pass_on(int fd, struct error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[sizeof(err->text)], *end;
	size_t n = 0;
	ssize_t got;

	while (!interrupted) {
		/* In slices: a signal just before poll() is noticed. */
		if (poll(&p, 1, 100) <= 0)
			continue;
		got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
		while ((end = strchr(text, '\n')) || n == sizeof(text) - 1) {
			if (end)
				*end++ = '\0';
			else
				end = text + n;
			pass_line(text, err);
			n -= (size_t)(end - text);
			memmove(text, end, n + 1);
		}
	}
	close(fd);
}

/*
 * `kernel.sh fetch --OPTION VALUE`. Sets `folder` to the folder of the kernel. -ENOSYS:
 * the script is not installed.
 */
static int run_fetch(enum arch arch, const char *option, const char *value,
		     enum job_fetch fetch, char folder[PATH_MAX], struct error *err)
{
	char script[PATH_MAX];
	const char *argv[] = { script, "fetch", "--arch",  lab_arch_name(arch),
			       option, value,	"--quiet", "--offline",
			       NULL };
	int says[2], out, ret, status = 0;
	struct process process;
	ssize_t got = 0;

	if (fetch != JOB_FETCH_NEVER)
		argv[fetch == JOB_FETCH ? 6 : 7] = NULL;
	if (process_find_script("kernel.sh", script))
		return error_set(err, -ENOSYS,
				 "%s is not cached, and kernel.sh is not installed",
				 value);
	out = memfd_create("kernel", MFD_CLOEXEC);
	if (out < 0 || pipe2(says, O_CLOEXEC)) {
		ret = -errno;
		if (out >= 0)
			close(out);
		return error_set(err, ret, "cannot start %s: %s", script, strerror(-ret));
	}
	error_set(err, 0, "%s fetch %s %s: failed", script, option, value);
	ret = process_start(&process, &(struct process_start){
					      .argv = argv,
					      .fds = (int[]){ -1, out, says[1] },
					      .n_fds = 3,
				      });
	close(says[1]);
	if (ret) {
		close(says[0]);
		error_set(err, ret, "cannot start %s: %s", script, strerror(-ret));
	} else {
		pass_on(says[0], err);
		ret = process_wait(&process, END_TIMEOUT_NS, &status);
		process_stop(&process);
		if (ret == -EINTR)
			error_set(err, ret, "interrupted");
	}
	if (!ret && status)
		ret = WIFEXITED(status) && WEXITSTATUS(status) == 2 ? -ENOENT
								    : -ENETUNREACH;
	if (!ret)
		got = pread(out, folder, PATH_MAX - 1, 0);
	close(out);
	folder[got > 0 ? got : 0] = '\0';
	folder[strcspn(folder, "\n")] = '\0';
	return ret;
}

static int not_cached(enum arch arch, const char *name, struct error *err)
{
	if (!name)
		return error_set(
			err, -ENOENT,
			"no kernel for %s is cached: run wsbench kernel fetch --arch %s, or give --kernel",
			lab_arch_name(arch), lab_arch_name(arch));
	return error_set(
		err, -ENOENT,
		"no kernel %s: neither a file, nor a release or a series of Debian for %s",
		name, lab_arch_name(arch));
}

int lab_cache_find(enum arch arch, const char *name, enum job_fetch fetch,
		   char image[PATH_MAX], struct error *err)
{
	char cache[PATH_MAX], newest[NAME_MAX + 1], folder[PATH_MAX];
	bool series = name && matches(name, SERIES);
	int ret;

	/* A name of one folder: not "..", and no path. */
	if (name && (strchr(name, '/') || *name == '.'))
		return not_cached(arch, name, err);
	lab_kernel_cache(arch, cache);
	if (lab_path(image, series ? "%s/newest-%s-cloud/vmlinuz" : "%s/%s/vmlinuz",
		     cache, name ? name : "default") &&
	    !access(image, F_OK)) {
		/* Not the link, which may change while wsbench runs. */
		if (realpath(image, folder))
			strcpy(image, folder);
		return 0;
	}
	if (!name) {
		if (lab_kernel_newest(cache, newest) ||
		    !lab_path(image, "%s/%s/vmlinuz", cache, newest))
			return not_cached(arch, NULL, err);
		return 0;
	}
	if (!series && !matches(name, RELEASE))
		return not_cached(arch, name, err);
	ret = run_fetch(arch, series ? "--series" : "--release", name, fetch, folder,
			err);
	if (ret == -ENOSYS)
		return -ENETUNREACH;
	if (!ret && !lab_path(image, "%s/vmlinuz", folder))
		ret = error_set(err, -ENAMETOOLONG, "the kernel's path is too long");
	return ret;
}

/* If `image` is in the cache: its folder there, and the name of the folder. */
static bool find_entry(enum arch arch, const char *image, char folder[PATH_MAX],
		       const char **release)
{
	char name[PATH_MAX], cache[PATH_MAX];
	size_t bytes;
	char *slash;

	lab_kernel_cache(arch, name);
	if (!realpath(name, cache) || !realpath(image, folder))
		return false;
	bytes = strlen(cache);
	slash = strrchr(folder, '/');
	if (strncmp(folder, cache, bytes) != 0 || folder[bytes] != '/' ||
	    strcmp(slash, "/vmlinuz") != 0 || slash <= folder + bytes)
		return false;
	*slash = '\0';
	*release = folder + bytes + 1;
	return !strchr(*release, '/');
}

static void read_package(const char *folder, struct lab_package *package)
{
	char path[PATH_MAX];
	FILE *f = lab_path(path, "%s/package", folder) ? fopen(path, "re") : NULL;
	int n;

	if (!f)
		return;
	n = fscanf(f, "%*s %63s %63s", package->version, package->suite);
	if (n < 1)
		package->version[0] = '\0';
	if (n < 2)
		package->suite[0] = '\0';
	fclose(f);
}

int lab_cache_verify(enum arch arch, const char *image, enum job_fetch fetch,
		     struct lab_package *package, struct error *err)
{
	char folder[PATH_MAX], again[PATH_MAX];
	const char *release;
	enum lab_files files = LAB_FILES_RECORDED;
	char record[PATH_MAX];
	int ret = 0;

	*package = (struct lab_package){ .version = "" };
	if (!find_entry(arch, image, folder, &release))
		return 0;
	/* Kernels of older programs have no record. */
	if (lab_path(record, "%s/sums", folder) && !access(record, F_OK))
		files = lab_files_check(folder, "sums", "checked");
	if (files != LAB_FILES_RECORDED)
		ret = run_fetch(arch, "--release", release, fetch, again, err);
	/* Without the script, the sizes decide. */
	if (ret == -ENOSYS)
		ret = files == LAB_FILES_TOUCHED ? 0 : -ENETUNREACH;
	if (ret == -EINTR)
		return ret;
	if (ret && fetch == JOB_FETCH_NEVER)
		return error_set(
			err, -EBADMSG,
			"kernel %s in the cache is damaged (wsbench kernel fetch --arch %s --release %s)",
			release, lab_arch_name(arch), release);
	/* A kernel that is cached exists: what failed is its download. */
	if (ret)
		return -ENETUNREACH;
	read_package(folder, package);
	return 0;
}

static int is_release(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

void lab_kernels(enum arch arch,
		 void (*each)(void *ctx, enum arch arch, const char *release,
			      const char *package),
		 void *ctx)
{
	char cache[PATH_MAX], path[PATH_MAX], *package;
	struct dirent **entries;
	int n;

	lab_kernel_cache(arch, cache);
	n = scandir(cache, &entries, is_release, versionsort);
	for (int i = 0; i < n; i++) {
		if (lab_path(path, "%s/%s/vmlinuz", cache, entries[i]->d_name) &&
		    !access(path, F_OK)) {
			package = NULL;
			if (lab_path(path, "%s/%s/package", cache, entries[i]->d_name) &&
			    file_read(path, 4096, &package) >= 0)
				package[strcspn(package, "\n")] = '\0';
			each(ctx, arch, entries[i]->d_name,
			     package && *package ? package : NULL);
			free(package);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}
