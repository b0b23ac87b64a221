/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base machines on disk, and the symbols of their kernels. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/machine.h"
#include "host/targets/lab/session.h"

#define FORMAT	 "worldswitch machine 1"
#define SUFFIX	 ".machine"
#define SYMBOLS	 ".symbols"
#define PACKAGES "/var/lib/dpkg/status" /* changes with every package */

/* Behind the snapshot and the key. */
struct trailer {
	uint64_t snapshot_bytes;
	uint32_t snapshot_crc, key_bytes;
};

/* A file in memory, read-only; NULL: empty or unreadable. */
static const uint8_t *map(int fd, size_t *bytes)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) || st.st_size <= 0)
		return NULL;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	*bytes = st.st_size;
	return p == MAP_FAILED ? NULL : p;
}

static uint32_t checksum(const uint8_t *p, size_t bytes)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), p, bytes);
}

/* Size and checksum of a file's content; false: unreadable. */
static bool add_content(FILE *out, const char *name, int fd)
{
	size_t bytes = 0;
	const uint8_t *p = fd < 0 ? NULL : map(fd, &bytes);

	if (!p)
		return false;
	fprintf(out, "%s %zu %08x\n", name, bytes, checksum(p, bytes));
	munmap((void *)(uintptr_t)p, bytes);
	return true;
}

/* A file by what changes when it is replaced. */
static bool add_identity(FILE *out, const char *name, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	fprintf(out, "%s %s %llu %llu %lld.%09ld\n", name, path,
		(unsigned long long)st.st_ino, (unsigned long long)st.st_size,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return true;
}

static bool write_key(FILE *out, const struct lab_machine *m, const struct lab_boot *boot,
		      const char *config)
{
	char **argv = lab_machine_argv(m, "", "", boot->append, NULL, false);
	int kernel = open(boot->kernel, O_RDONLY | O_CLOEXEC);
	bool ok = argv != NULL;

	fprintf(out, "%s\n%s\n", FORMAT, m->name);
	if (config)
		fprintf(out, "symbols %s\n", config);
	for (char **arg = argv; ok && *arg; arg++)
		fprintf(out, "%s\n", *arg);
	ok = ok && add_identity(out, "emulator", boot->program) &&
	     add_content(out, "kernel", kernel) &&
	     add_content(out, "initramfs", boot->initramfs);
	(void)add_identity(out, "packages", PACKAGES);
	if (kernel >= 0)
		close(kernel);
	free(argv);
	return ok;
}

/* The folder of the machines, made if need be: beside that of the kernels. */
static bool find_folder(enum arch arch, char dir[PATH_MAX])
{
	char kernels[PATH_MAX];

	lab_kernel_cache(arch, kernels);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(kernels, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	(void)mkdir(kernels, 0777);
	return lab_path(dir, "%s/machines", kernels) &&
	       (!mkdir(dir, 0777) || errno == EEXIST);
}

/* `config`: of symbols; NULL: of a machine. */
static void init(struct lab_saved *s, const struct lab_machine *m,
		 const struct lab_boot *boot, const char *config)
{
	const char *fresh = getenv("WORLDSWITCH_FRESH_MACHINES");
	char dir[PATH_MAX];
	size_t bytes = 0;
	FILE *out;
	bool ok;

	*s = (struct lab_saved){ .key = NULL };
	if ((fresh && *fresh && strcmp(fresh, "0")) || !find_folder(m->arch, dir))
		return;
	out = open_memstream(&s->key, &bytes);
	ok = out && write_key(out, m, boot, config);
	if (out && fclose(out))
		ok = false;
	if (ok)
		lab_path(s->path, "%s/%s-%08x%s", dir, m->name,
			 checksum((const uint8_t *)s->key, bytes),
			 config ? SYMBOLS : SUFFIX);
}

void lab_saved_init(struct lab_saved *s, const struct lab_machine *m,
		    const struct lab_boot *boot)
{
	*s = (struct lab_saved){ .key = NULL };
	if (m->emulator->can_save)
		init(s, m, boot, NULL);
}

void lab_saved_free(struct lab_saved *s)
{
	free(s->key);
	*s = (struct lab_saved){ .key = NULL };
}

static bool is_whole(const struct lab_saved *s, const uint8_t *p, size_t bytes)
{
	struct trailer t;
	size_t key_bytes = strlen(s->key);

	if (bytes < sizeof(t) + key_bytes)
		return false;
	memcpy(&t, p + bytes - sizeof(t), sizeof(t));
	return t.key_bytes == key_bytes &&
	       t.snapshot_bytes == bytes - sizeof(t) - key_bytes &&
	       !memcmp(p + t.snapshot_bytes, s->key, key_bytes) &&
	       t.snapshot_crc == checksum(p, t.snapshot_bytes);
}

int lab_saved_load(const struct lab_saved *s)
{
	int fd = *s->path ? open(s->path, O_RDONLY | O_CLOEXEC) : -1;
	size_t bytes = 0;
	const uint8_t *p = fd < 0 ? NULL : map(fd, &bytes);
	bool ok = p && is_whole(s, p, bytes);

	if (p)
		munmap((void *)(uintptr_t)p, bytes);
	if (fd >= 0 && !ok) {
		(void)unlink(s->path);
		close(fd);
		return -1;
	}
	if (ok)
		(void)futimens(fd, NULL); /* used last now: see prune() */
	return fd;
}

void lab_saved_drop(const struct lab_saved *s)
{
	if (*s->path)
		(void)unlink(s->path);
}

static bool write_all(int fd, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	while (bytes) {
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		bytes -= (size_t)n;
	}
	return true;
}

/* Removes the files that were not used for longest. */
static void prune(const char *dir_path, const char *file_suffix)
{
	DIR *dir = opendir(dir_path);
	char oldest[NAME_MAX + 1];
	struct timespec when = { 0 };
	struct dirent *e;
	struct stat st;
	size_t n;

	while (dir) {
		n = 0;
		rewinddir(dir);
		while ((e = readdir(dir))) {
			const char *suffix = strstr(e->d_name, file_suffix);

			if (!suffix || suffix[strlen(file_suffix)] ||
			    fstatat(dirfd(dir), e->d_name, &st, 0))
				continue;
			if (!n++ || st.st_mtim.tv_sec < when.tv_sec ||
			    (st.st_mtim.tv_sec == when.tv_sec &&
			     st.st_mtim.tv_nsec < when.tv_nsec)) {
				when = st.st_mtim;
				snprintf(oldest, sizeof(oldest), "%s", e->d_name);
			}
		}
		if (n <= LAB_SAVED_MAX || unlinkat(dirfd(dir), oldest, 0))
			break;
	}
	if (dir)
		closedir(dir);
}

static bool is_current(const struct lab_saved *s, const struct lab_machine *m,
		       const struct lab_boot *boot, const char *config)
{
	struct lab_saved now;
	bool same;

	init(&now, m, boot, config);
	same = *s->path && *now.path && !strcmp(now.key, s->key);
	lab_saved_free(&now);
	return same;
}

static void store(const struct lab_saved *s, const void *p, size_t bytes)
{
	char dir[PATH_MAX], self[40];
	struct trailer t = { 0 };
	bool ok;
	int fd;

	snprintf(dir, sizeof(dir), "%s", s->path);
	*strrchr(dir, '/') = '\0';
	/* Without a name until it is whole. */
	fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	t.snapshot_bytes = bytes;
	t.snapshot_crc = checksum(p, bytes);
	t.key_bytes = (uint32_t)strlen(s->key);
	ok = fd >= 0 && write_all(fd, p, bytes) && write_all(fd, s->key, t.key_bytes) &&
	     write_all(fd, &t, sizeof(t));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (ok && !linkat(AT_FDCWD, self, AT_FDCWD, s->path, AT_SYMLINK_FOLLOW))
		prune(dir, strrchr(s->path, '.'));
	if (fd >= 0)
		close(fd);
}

void lab_saved_store(const struct lab_saved *s, const struct lab_machine *m,
		     const struct lab_boot *boot, int snapshot)
{
	size_t bytes = 0;
	const uint8_t *p = is_current(s, m, boot, NULL) ? map(snapshot, &bytes) : NULL;

	if (!p)
		return;
	store(s, p, bytes);
	munmap((void *)(uintptr_t)p, bytes);
}

char *lab_symbols_load(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, size_t *bytes)
{
	struct lab_saved s;
	size_t file_bytes = 0;
	const uint8_t *p;
	char *text = NULL;
	int fd;

	init(&s, m, boot, config);
	fd = lab_saved_load(&s);
	p = fd < 0 ? NULL : map(fd, &file_bytes);
	if (p) {
		*bytes = file_bytes - sizeof(struct trailer) - strlen(s.key);
		text = malloc(*bytes + 1);
		if (text) {
			memcpy(text, p, *bytes);
			text[*bytes] = '\0';
		}
		munmap((void *)(uintptr_t)p, file_bytes);
	}
	if (fd >= 0)
		close(fd);
	lab_saved_free(&s);
	return text;
}

void lab_symbols_store(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, const char *text, size_t bytes)
{
	struct lab_saved s;

	init(&s, m, boot, config);
	if (*s.path)
		store(&s, text, bytes);
	lab_saved_free(&s);
}
