/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and checking a kernel, and reading modules with their dependencies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmod_source.h> /* generated: scripts/kmod.sh --source */

#include "host/lib/error.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/emulator.h"

static bool has(const unsigned char *head, size_t bytes, size_t at, const char *magic)
{
	size_t n = strlen(magic);

	return at + n <= bytes && !memcmp(head + at, magic, n);
}

/*
 * The magic numbers of Documentation/arch/x86/boot.rst (0x202) and
 * Documentation/arch/arm64/booting.rst (56). The emulator unpacks a gzipped arm64
 * Image itself.
 */
int lab_kernel_check(enum arch arch, const unsigned char *head, size_t bytes,
		     const char **what)
{
	bool x86_64 = has(head, bytes, 0x202, "HdrS");
	bool aarch64 = has(head, bytes, 56, "ARM\x64");
	bool gzip = has(head, bytes, 0, "\x1f\x8b");

	if (arch == ARCH_X86_64 ? x86_64 : aarch64 || gzip)
		return 0;
	if (x86_64)
		*what = "it is a kernel for x86_64";
	else if (aarch64)
		*what = "it is a kernel for aarch64";
	else if (has(head, bytes, 4, "zimg"))
		*what = "it is an EFI zboot image: give the Image it was made from";
	else if (has(head, bytes, 0,
		     "\x7f"
		     "ELF"))
		*what = "it is an ELF file (vmlinux?): give the bzImage or Image";
	else
		*what = "it is not a kernel image";
	return -EINVAL;
}

static int check_image(enum arch arch, const char *path, struct error *err)
{
	unsigned char head[LAB_KERNEL_HEAD_BYTES];
	const char *what = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return error_set(err, -errno, "cannot read kernel %s: %s", path,
				 strerror(errno));
	n = read(fd, head, sizeof(head));
	if (n < 0) {
		n = -errno;
		close(fd);
		return error_set(err, n, "cannot read kernel %s: %s", path, strerror(-n));
	}
	close(fd);
	if (lab_kernel_check(arch, head, n, &what))
		return error_set(err, -EINVAL, "cannot boot %s as a kernel for %s: %s",
				 path, lab_arch_name(arch), what);
	return 0;
}

static int find_image(enum arch arch, const char *kernel, bool is_name,
		      enum job_fetch fetch, struct lab_kernel *out, struct error *err)
{
	if (kernel && !is_name && (strchr(kernel, '/') || !access(kernel, F_OK)))
		return lab_path(out->image, "%s", kernel)
			       ? 0
			       : error_set(err, -ENAMETOOLONG,
					   "the kernel's path is too long");
	return lab_cache_find(arch, kernel, fetch, out->image, err);
}

static int find_modules(const char *modules, struct lab_kernel *out, struct error *err)
{
	const char *slash;

	if (modules) {
		if (!lab_path(out->modules, "%s", modules))
			return error_set(err, -ENAMETOOLONG,
					 "the modules' path is too long");
		if (access(modules, R_OK | X_OK))
			return error_set(err, -errno, "cannot read modules in %s: %s",
					 modules, strerror(errno));
		return 0;
	}
	slash = strrchr(out->image, '/');
	if (!lab_path(out->modules, "%.*s/modules", slash ? (int)(slash - out->image) : 1,
		      slash ? out->image : ".") ||
	    access(out->modules, R_OK | X_OK))
		out->modules[0] = '\0';
	return 0;
}

int lab_kernel_find(enum arch arch, const char *kernel, bool is_name, const char *modules,
		    enum job_fetch fetch, struct lab_kernel *out, struct error *err)
{
	int ret = find_image(arch, kernel, is_name, fetch, out, err);

	if (!ret)
		ret = lab_cache_verify(arch, out->image, fetch, &out->package, err);
	if (!ret)
		ret = check_image(arch, out->image, err);
	if (!ret)
		ret = find_modules(modules, out, err);
	return ret;
}

const char *lab_module_info(const uint8_t *data, size_t bytes, const char *key)
{
	size_t n = strlen(key);
	const uint8_t *p = data, *end = data + bytes;

	/* .modinfo is a list of strings, each after the NUL of the one before. */
	while (p < end && (p = memmem(p, end - p, key, n))) {
		if (p > data && !p[-1] && memchr(p, '\0', end - p))
			return (const char *)p + n;
		p += n;
	}
	return NULL;
}

static void replace(char *text, char from, char to)
{
	for (; (text = strchr(text, from)); text++)
		*text = to;
}

static int find_module(const char *dir, const char *name, char path[PATH_MAX],
		       struct error *err)
{
	static const char *const packed[] = { "xz", "zst", "gz" };
	char hyphens[64], underscores[64];

	strcpy(hyphens, name);
	strcpy(underscores, name);
	replace(underscores, '-', '_');
	if ((lab_path(path, "%s/%s.ko", dir, hyphens) && !access(path, F_OK)) ||
	    (lab_path(path, "%s/%s.ko", dir, underscores) && !access(path, F_OK)))
		return 0;
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (lab_path(path, "%s/%s.ko.%s", dir, hyphens, packed[i]) &&
		    !access(path, F_OK))
			return error_set(
				err, -ENOENT,
				"the module %s is compressed: unpack it to %s.ko", path,
				hyphens);
	return error_set(err, -ENOENT, "no module %s.ko in %s", hyphens, dir);
}

static int add_module(const char *dir, const char *name, unsigned int depth,
		      struct lab_modules *mods, struct error *err);

static int add_dependencies(const char *dir, const struct lab_module *m,
			    unsigned int depth, struct lab_modules *mods,
			    struct error *err)
{
	const char *p = lab_module_info(m->data, m->bytes, "depends=");
	int ret;

	while (p && *p) {
		size_t n = strcspn(p, ",");
		char name[sizeof(m->name)];

		if (n >= sizeof(name))
			return error_set(err, -EINVAL,
					 "module %s in %s: broken list of dependencies",
					 m->name, dir);
		memcpy(name, p, n);
		name[n] = '\0';
		ret = n ? add_module(dir, name, depth + 1, mods, err) : 0;
		if (ret)
			return ret;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int add_module(const char *dir, const char *name, unsigned int depth,
		      struct lab_modules *mods, struct error *err)
{
	struct lab_module m = { .data = NULL };
	char path[PATH_MAX];
	int ret;

	strncpy(m.name, name, sizeof(m.name) - 1);
	replace(m.name, '_', '-');
	for (size_t i = 0; i < mods->n; i++)
		if (!strcmp(mods->list[i].name, m.name))
			return 0;
	if (depth >= LAB_MODULES_MAX)
		return error_set(err, -ELOOP, "modules in %s: circular dependency", dir);
	ret = find_module(dir, m.name, path, err);
	if (!ret)
		ret = lab_file_read(path, "module", &m.data, &m.bytes, err);
	if (!ret)
		ret = add_dependencies(dir, &m, depth, mods, err);
	if (!ret && mods->n == LAB_MODULES_MAX)
		ret = error_set(err, -E2BIG, "module %s depends on more than %d others",
				m.name, LAB_MODULES_MAX);
	if (ret)
		free(m.data);
	else
		mods->list[mods->n++] = m;
	return ret;
}

/* By Kbuild's list, which scripts/kernel.sh takes along: "kernel/arch/x86/kvm/kvm.ko". */
static bool is_built_in(const char *dir, const char *name)
{
	char path[PATH_MAX], file[sizeof(((struct lab_module *)NULL)->name) + 4];
	char *line = NULL, *base;
	bool found = false;
	size_t room = 0;
	FILE *f;

	if (!lab_path(path, "%s/modules.builtin", dir))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	snprintf(file, sizeof(file), "%s.ko", name);
	replace(file, '_', '-');
	while (!found && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		base = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
		replace(base, '_', '-');
		found = !strcmp(base, file);
	}
	free(line);
	fclose(f);
	return found;
}

int lab_modules_read(const char *dir, const char *name, struct lab_modules *mods,
		     struct error *err)
{
	if (is_built_in(dir, name))
		return 0;
	return add_module(dir, name, 0, mods, err);
}

int lab_modules_read_optional(const char *dir, const char *name, struct lab_modules *mods,
			      struct error *err)
{
	struct error missing;
	char path[PATH_MAX], built[sizeof(mods->list[0].name)];
	size_t before = mods->n;
	int ret;

	snprintf(built, sizeof(built), "%s-" KMOD_SOURCE, name);
	if (find_module(dir, built, path, &missing)) {
		if (find_module(dir, name, path, &missing))
			return 0;
		strcpy(built, name);
	}
	ret = add_module(dir, built, 0, mods, err);
	if (!ret && mods->n > before) {
		strcpy(mods->list[mods->n - 1].name, name);
		mods->list[mods->n - 1].optional = true;
	}
	return ret;
}
