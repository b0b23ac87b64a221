/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base machines on disk, and the symbols of their kernels. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/qemu.h"
#include "host/targets/lab/session.h"

/* Of the file, and of what wsbench does to a kernel (qemu_image.c). */
#define FORMAT	 "worldswitch machine 5"
#define SUFFIX	 ".machine"
#define SYMBOLS	 ".symbols"
#define PACKAGES "/var/lib/dpkg/status" /* changes with every package */

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

#define PAGE_BYTES  4096u
#define CHUNK_BYTES (1u << 20)

/*
 * The file as it was when its content had this checksum. Since then the host was not
 * started again: a power failure leaves files whose content was not written.
 */
struct checked {
	uint64_t inode;
	int64_t mtime_s, mtime_ns;
	char boot[40]; /* of BOOT_ID */
};

/* Behind the snapshot, the description and the key. */
struct trailer {
	uint64_t snapshot_bytes;
	uint32_t crc; /* of the snapshot and the description */
	uint32_t description_bytes, key_bytes, zero;
	struct checked checked;
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
	char **argv = lab_machine_argv(m, "", "", boot->append, NULL, 0);
	char library[PATH_MAX];
	struct error ignored;
	int kernel = open(boot->kernel, O_RDONLY | O_CLOEXEC);
	bool ok = argv != NULL;

	fprintf(out, "%s\n%s\n", FORMAT, m->name);
	if (config)
		fprintf(out, "symbols %s\n", config);
	for (char **arg = argv; ok && *arg; arg++)
		fprintf(out, "%s\n", *arg);
	/* Of Bochs also firmware, configuration and layout of the memory, which are in
	 * us. */
	if (ok && m->emulator->stays)
		ok = !lab_find_clone_library(library, &ignored) &&
		     add_identity(out, "library", library) &&
		     add_identity(out, "wsbench", "/proc/self/exe");
	else
		fprintf(out, "image %d\n", QEMU_IMAGE_VERSION);
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
	s->from_file = m->emulator->stays;
}

void lab_saved_free(struct lab_saved *s)
{
	free(s->key);
	*s = (struct lab_saved){ .key = NULL };
}

/* The file of a copy, and the checksum of what was copied. */
struct copy {
	int fd;
	uint32_t crc;
};

static bool write_at(int fd, const uint8_t *p, size_t bytes, off_t at)
{
	while (bytes) {
		ssize_t n = pwrite(fd, p, bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

static bool copy_chunk(struct copy *c, const uint8_t *p, size_t bytes, off_t at)
{
	static const uint8_t zero[PAGE_BYTES];
	size_t begin = 0, size;
	bool ok = true;

	for (size_t page = 0; page < bytes; page += size) {
		const uint64_t place = (uint64_t)at + page;

		size = bytes - page < PAGE_BYTES ? bytes - page : PAGE_BYTES;
		if (memcmp(p + page, zero, size)) {
			c->crc = (uint32_t)crc32_z(c->crc, (const uint8_t *)&place,
						   sizeof(place));
			c->crc = (uint32_t)crc32_z(c->crc, p + page, size);
			continue;
		}
		ok = ok && write_at(c->fd, p + begin, page - begin, at + (off_t)begin);
		begin = page + size;
	}
	return ok && write_at(c->fd, p + begin, bytes - begin, at + (off_t)begin);
}

/*
 * Copies the first bytes of a file without pages of zeros, which most of a machine's
 * memory is. The checksum is of places and contents of the others, and does not depend on
 * the holes that the file has.
 */
static bool copy_pages(int from, size_t bytes, struct copy *c)
{
	uint8_t *chunk = malloc(CHUNK_BYTES);
	bool ok = chunk && !ftruncate(c->fd, (off_t)bytes);
	off_t at = 0;
	size_t n;

	c->crc = (uint32_t)crc32_z(0, NULL, 0);
	while (ok && (at = lseek(from, at, SEEK_DATA)) >= 0 && at < (off_t)bytes) {
		at -= at % CHUNK_BYTES;
		n = bytes - (size_t)at < CHUNK_BYTES ? bytes - (size_t)at : CHUNK_BYTES;
		ok = pread(from, chunk, n, at) == (ssize_t)n &&
		     copy_chunk(c, chunk, n, at);
		at += (off_t)n;
	}
	ok = ok && (at >= 0 || errno == ENXIO); /* behind the last data */
	free(chunk);
	return ok;
}

/* Reads what is behind the snapshot. False: the file is not a whole one of this key. */
static bool read_trailer(const struct lab_saved *s, int fd, struct trailer *t)
{
	const size_t key_bytes = strlen(s->key);
	char *key = malloc(key_bytes + 1);
	struct stat st;
	off_t end;
	bool ok;

	ok = key && !fstat(fd, &st) &&
	     (end = st.st_size - (off_t)(key_bytes + sizeof(*t))) > 0 &&
	     pread(fd, key, key_bytes, end) == (ssize_t)key_bytes &&
	     pread(fd, t, sizeof(*t), end + (off_t)key_bytes) == sizeof(*t) &&
	     t->key_bytes == key_bytes && t->snapshot_bytes <= (uint64_t)end &&
	     t->snapshot_bytes + t->description_bytes == (uint64_t)end &&
	     !memcmp(key, s->key, key_bytes);
	free(key);
	return ok;
}

/* A string, behind the snapshot; NULL: not readable. */
static char *read_description(int fd, const struct trailer *t, uint32_t *crc)
{
	char *text = malloc((size_t)t->description_bytes + 1);

	if (!text || pread(fd, text, t->description_bytes, (off_t)t->snapshot_bytes) !=
			     (ssize_t)t->description_bytes) {
		free(text);
		return NULL;
	}
	text[t->description_bytes] = '\0';
	*crc = (uint32_t)crc32_z(*crc, (const uint8_t *)text, t->description_bytes);
	return text;
}

/* The file as it is now. False: no answer, or another user's, who alone sets its times.
 */
static bool check_file(int fd, struct checked *c)
{
	int boot = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	memset(c, 0, sizeof(*c));
	ok = boot >= 0 && read(boot, c->boot, sizeof(c->boot) - 1) > 0 &&
	     !fstat(fd, &st) && st.st_uid == geteuid();
	if (ok) {
		c->inode = st.st_ino;
		c->mtime_s = st.st_mtim.tv_sec;
		c->mtime_ns = st.st_mtim.tv_nsec;
	}
	if (boot >= 0)
		close(boot);
	return ok;
}

/* Writes the trailer to its place; the file keeps the time that the trailer has. */
static bool write_trailer(int fd, const struct trailer *t)
{
	const off_t at = (off_t)(t->snapshot_bytes + t->description_bytes + t->key_bytes);
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_NOW },
		{ .tv_sec = t->checked.mtime_s,
		  .tv_nsec = *t->checked.boot ? t->checked.mtime_ns : UTIME_OMIT },
	};

	return write_at(fd, (const uint8_t *)t, sizeof(*t), at) && !futimens(fd, times);
}

/* Records that the file of `fd`, as it was before its content was compared, is intact. */
static void record_check(const struct lab_saved *s, int fd, const struct checked *before,
			 struct trailer *t)
{
	int file = open(s->path, O_WRONLY | O_CLOEXEC);
	struct checked now, here;

	/* Not of a file that took its place, or changed. */
	if (file >= 0 && check_file(fd, &now) && check_file(file, &here) &&
	    !memcmp(&now, before, sizeof(now)) && !memcmp(&here, before, sizeof(here))) {
		t->checked = *before;
		(void)write_trailer(file, t);
	}
	if (file >= 0)
		close(file);
}

/* A copy in memory, if the checksum is right; else -1. */
static int load_copy(int fd, const struct trailer *t, char **text)
{
	struct copy c = { .fd = memfd_create("worldswitch-snapshot",
					     MFD_CLOEXEC | MFD_ALLOW_SEALING) };

	if (c.fd >= 0 && (!copy_pages(fd, t->snapshot_bytes, &c) ||
			  !(*text = read_description(fd, t, &c.crc)) || c.crc != t->crc ||
			  lab_seal(c.fd))) {
		close(c.fd);
		return -1;
	}
	return c.fd;
}

/*
 * A copy in memory of a file whose checksum was right before and is not compared again.
 * -1: not possible, or its holes are not holes any more, as in a copy of the cache.
 */
static int load_checked(int fd, const struct trailer *t, char **text)
{
	const off_t end = (off_t)t->snapshot_bytes;
	off_t at = 0, hole;
	uint32_t ignored = 0;
	struct stat st;
	int copy = memfd_create("worldswitch-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool ok = copy >= 0 && !fstat(fd, &st) && st.st_blocks * 512 < end &&
		  !ftruncate(copy, end);

	while (ok && (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < end) {
		hole = lseek(fd, at, SEEK_HOLE);
		ok = hole > at && lseek(copy, at, SEEK_SET) == at;
		hole = hole < end ? hole : end;
		while (ok && at < hole)
			ok = sendfile(copy, fd, &at, (size_t)(hole - at)) > 0;
	}
	ok = ok && (at >= 0 || errno == ENXIO);
	if (ok && (*text = read_description(fd, t, &ignored)) && !lab_seal(copy))
		return copy;
	free(*text);
	*text = NULL;
	if (copy >= 0)
		close(copy);
	return -1;
}

/*
 * The file was used last now: see prune(). Only the owner can set one time and keep the
 * other, by which the owner's next load knows that the file has not changed; after
 * another user's, the owner compares the checksum once more.
 */
static void renew(int fd)
{
	const struct timespec used[2] = { { .tv_nsec = UTIME_NOW },
					  { .tv_nsec = UTIME_OMIT } };

	if (futimens(fd, used))
		(void)futimens(fd, NULL);
}

int lab_saved_load(const struct lab_saved *s, char **description)
{
	int fd = *s->path ? open(s->path, O_RDONLY | O_CLOEXEC) : -1, snapshot = -1;
	struct checked now;
	char *text = NULL;
	struct trailer t;
	uint32_t ignored = 0;
	bool known, whole, checked;

	*description = NULL;
	if (fd < 0)
		return -1;
	known = check_file(fd, &now);
	whole = read_trailer(s, fd, &t);
	checked = whole && known && !memcmp(&now, &t.checked, sizeof(now));
	if (checked && !s->from_file)
		snapshot = load_checked(fd, &t, &text);
	else if (checked && (text = read_description(fd, &t, &ignored)))
		snapshot = fd;
	if (whole && snapshot < 0) {
		snapshot = load_copy(fd, &t, &text);
		if (snapshot >= 0 && known && !checked)
			record_check(s, fd, &now, &t);
	}
	if (snapshot >= 0 && t.description_bytes)
		*description = text;
	else
		free(text);
	if (snapshot < 0)
		(void)unlink(s->path);
	else
		renew(fd);
	if (snapshot != fd)
		close(fd);
	return snapshot;
}

void lab_saved_drop(const struct lab_saved *s)
{
	if (*s->path)
		(void)unlink(s->path);
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
			if (!n++ || st.st_atim.tv_sec < when.tv_sec ||
			    (st.st_atim.tv_sec == when.tv_sec &&
			     st.st_atim.tv_nsec < when.tv_nsec)) {
				when = st.st_atim;
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

/* A file that is written: without a name until it is whole. */
static bool write_begin(const struct lab_saved *s, int from, struct copy *c,
			struct trailer *t)
{
	char dir[PATH_MAX];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s", s->path);
	*strrchr(dir, '/') = '\0';
	*t = (struct trailer){ .key_bytes = (uint32_t)strlen(s->key) };
	*c = (struct copy){ .fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) };
	if (c->fd < 0 || fstat(from, &st) || !copy_pages(from, st.st_size, c))
		return false;
	t->snapshot_bytes = (uint64_t)st.st_size;
	return true;
}

/* `description`: NULL: none. */
static void write_end(const struct lab_saved *s, struct copy *c, struct trailer *t,
		      const char *description)
{
	const size_t bytes = description ? strlen(description) : 0;
	const uint8_t *const text = (const uint8_t *)description;
	off_t at = (off_t)t->snapshot_bytes;
	char dir[PATH_MAX], self[40];

	snprintf(dir, sizeof(dir), "%s", s->path);
	*strrchr(dir, '/') = '\0';
	t->description_bytes = (uint32_t)bytes;
	/* Of NULL, zlib has another. */
	t->crc = text ? (uint32_t)crc32_z(c->crc, text, bytes) : c->crc;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", c->fd);
	(void)check_file(c->fd, &t->checked);
	if (write_at(c->fd, text, bytes, at) &&
	    write_at(c->fd, (const uint8_t *)s->key, t->key_bytes, at + (off_t)bytes) &&
	    write_trailer(c->fd, t) &&
	    !linkat(AT_FDCWD, self, AT_FDCWD, s->path, AT_SYMLINK_FOLLOW))
		prune(dir, strrchr(s->path, '.'));
}

struct lab_saving {
	pthread_t thread;
	struct lab_saved saved; /* its own */
	const struct lab_machine *machine;
	struct lab_boot boot;
	int snapshot; /* its own */
	pthread_mutex_t lock;
	pthread_cond_t decided;
	enum { SAVING_UNDECIDED, SAVING_KEEP, SAVING_DROP } verdict;
	char *description;
};

static void *save(void *ctx)
{
	struct lab_saving *w = ctx;
	struct timing_mark mark = timing_mark();
	struct trailer t;
	struct copy c;
	bool ok = write_begin(&w->saved, w->snapshot, &c, &t);

	/* Waiting is not a part of it. */
	timing_add(w->boot.timing, TIMING_SNAPSHOT, &mark, 0);
	pthread_mutex_lock(&w->lock);
	while (w->verdict == SAVING_UNDECIDED)
		pthread_cond_wait(&w->decided, &w->lock);
	ok = ok && w->verdict == SAVING_KEEP;
	pthread_mutex_unlock(&w->lock);
	mark = timing_mark();
	if (ok && is_current(&w->saved, w->machine, &w->boot, NULL))
		write_end(&w->saved, &c, &t, w->description);
	timing_add(w->boot.timing, TIMING_SNAPSHOT, &mark, 0);
	if (c.fd >= 0)
		close(c.fd);
	return NULL;
}

static void free_saving(struct lab_saving *w)
{
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->decided);
	lab_saved_free(&w->saved);
	free(w->description);
	if (w->snapshot >= 0)
		close(w->snapshot);
	free(w);
}

struct lab_saving *lab_saved_begin(const struct lab_saved *s, const struct lab_machine *m,
				   const struct lab_boot *boot, int snapshot)
{
	struct lab_saving *w = *s->path && snapshot >= 0 ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	*w = (struct lab_saving){
		.saved.key = strdup(s->key),
		.machine = m,
		.boot = *boot,
		.snapshot = fcntl(snapshot, F_DUPFD_CLOEXEC, 0),
	};
	memcpy(w->saved.path, s->path, sizeof(s->path));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->decided, NULL);
	if (w->saved.key && w->snapshot >= 0 &&
	    !pthread_create(&w->thread, NULL, save, w))
		return w;
	free_saving(w);
	return NULL;
}

void lab_saved_decide(struct lab_saving *w, bool keep, const char *description)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->description = keep && description ? strdup(description) : NULL;
	w->verdict = keep ? SAVING_KEEP : SAVING_DROP;
	pthread_cond_signal(&w->decided);
	pthread_mutex_unlock(&w->lock);
}

void lab_saved_wait(struct lab_saving *w)
{
	if (!w)
		return;
	pthread_join(w->thread, NULL);
	free_saving(w);
}

char *lab_symbols_load(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, size_t *bytes)
{
	struct lab_saved s;
	const uint8_t *p;
	char *text = NULL, *none;
	int fd;

	init(&s, m, boot, config);
	fd = lab_saved_load(&s, &none);
	p = fd < 0 ? NULL : map(fd, bytes);
	if (p) {
		text = malloc(*bytes + 1);
		if (text) {
			memcpy(text, p, *bytes);
			text[*bytes] = '\0';
		}
		munmap((void *)(uintptr_t)p, *bytes);
	}
	if (fd >= 0)
		close(fd);
	free(none);
	lab_saved_free(&s);
	return text;
}

void lab_symbols_store(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, const char *text, size_t bytes)
{
	struct copy c = { .fd = -1 };
	struct lab_saved s;
	struct trailer t;
	int fd = lab_memory_file("worldswitch-symbols", text, bytes);

	init(&s, m, boot, config);
	if (*s.path && fd >= 0 && write_begin(&s, fd, &c, &t))
		write_end(&s, &c, &t, NULL);
	if (c.fd >= 0)
		close(c.fd);
	if (fd >= 0)
		close(fd);
	lab_saved_free(&s);
}
