/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens files with DWARF by elfutils' libdw, and finds those whose code ran. */
#include "host/explain/symbols.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/file.h"
#include "host/result/result.h"

#define RELEASE_BYTES 80

struct file {
	const char *path;
	bool in_folder; /* found in a folder: only used if it fits */
	bool is_image;	/* of `space` */
	bool bound;
	enum trace_space space;
	char *module; /* "": the kernel itself */
	char release[RELEASE_BYTES];
	Dwfl *dwfl;
	Dwfl_Module *mod;
	struct debuginfo_lines *lines;
	struct debuginfo_places *places;
};

struct debuginfo {
	enum arch arch;
	struct file *files;
	size_t n_files;
	struct result_store *store; /* owns paths and names */
};

struct debuginfo *debuginfo_new(enum arch arch)
{
	struct debuginfo *d = store_check(calloc(1, sizeof(*d)));

	d->arch = arch;
	d->store = store_new();
	return d;
}

void debuginfo_free(struct debuginfo *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_files; i++)
		dwfl_end(d->files[i].dwfl);
	store_free(d->store);
	free(d);
}

static char *keep(struct debuginfo *d, const char *text, size_t bytes)
{
	char *copy = store_alloc(d->store, bytes + 1);

	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

static struct file *add_file(struct debuginfo *d, const char *path)
{
	struct file *f;

	d->files = store_grow(d->store, d->files, d->n_files, sizeof(*d->files));
	f = &d->files[d->n_files++];
	memset(f, 0, sizeof(*f));
	f->path = keep(d, path, strlen(path));
	return f;
}

/* ------------------------------ opening ------------------------------ */

/* The name of a module by its file: "kvm-amd.ko.debug" is kvm_amd, "vmlinux-6.1" "". */
static char *module_of_path(struct debuginfo *d, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *end = strstr(name, ".ko");
	char *module = keep(d, name, end ? (size_t)(end - name) : 0);

	for (char *c = module; *c; c++)
		if (*c == '-')
			*c = '_';
	return module;
}

/* DWARF is in the file itself: nothing is searched for elsewhere. */
static int no_other_file(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
			 const char *path, const char *link, GElf_Word crc, char **found)
{
	(void)mod;
	(void)data;
	(void)name;
	(void)base;
	(void)path;
	(void)link;
	(void)crc;
	(void)found;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = no_other_file,
	.section_address = dwfl_offline_section_address,
};

/* The release in a text such as "vermagic=6.1.0-1-amd64 SMP", behind the prefix. */
static void set_release(struct file *f, const char *text, size_t bytes)
{
	size_t n = 0;

	while (n < bytes && n < RELEASE_BYTES - 1 && text[n] > ' ' && text[n] < 0x7f)
		n++;
	memcpy(f->release, text, n);
	f->release[n] = '\0';
}

/* .modinfo holds strings "KEY=VALUE". */
static void read_modinfo(struct debuginfo *d, struct file *f, const char *p, size_t bytes)
{
	const char *end = p + bytes;

	while (p < end) {
		size_t n = strnlen(p, (size_t)(end - p));

		if (n > 5 && !strncmp(p, "name=", 5))
			f->module = keep(d, p + 5, n - 5);
		else if (n > 9 && !strncmp(p, "vermagic=", 9))
			set_release(f, p + 9, n - 9);
		p += n + 1;
	}
}

/* Which module of which kernel it is, as far as the file says that. */
static void describe(struct debuginfo *d, struct file *f)
{
	static const char banner[] = "Linux version ";
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(f->mod, &bias);
	Elf_Scn *section = NULL;
	size_t names;
	GElf_Ehdr eh;

	f->module = module_of_path(d, f->path);
	if (!elf || !gelf_getehdr(elf, &eh) || elf_getshdrstrndx(elf, &names))
		return;
	if (eh.e_type != ET_REL)
		f->module = keep(d, "", 0);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr sh;
		const char *name;
		Elf_Data *data;
		const char *at;

		if (!gelf_getshdr(section, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (!name ||
		    (strcmp(name, ".modinfo") != 0 && strcmp(name, ".rodata") != 0))
			continue;
		data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf)
			continue;
		if (name[1] == 'm' && eh.e_type == ET_REL)
			read_modinfo(d, f, data->d_buf, data->d_size);
		at = eh.e_type == ET_REL ? NULL
					 : memmem(data->d_buf, data->d_size, banner,
						  sizeof(banner) - 1);
		if (at && !*f->release)
			set_release(f, at + sizeof(banner) - 1,
				    data->d_size - (size_t)(at - (char *)data->d_buf) -
					    (sizeof(banner) - 1));
	}
}

/* `fd` belongs to libdwfl from now on; -1: opens the path. */
static int open_file(struct debuginfo *d, struct file *f, int fd, struct error *err)
{
	Dwarf_Addr bias;
	int rc = 0;

	f->dwfl = dwfl_begin(&callbacks);
	if (!f->dwfl)
		return error_set(err, -EIO, "%s: %s", file_tail(f->path),
				 dwfl_errmsg(-1));
	dwfl_report_begin(f->dwfl);
	f->mod = dwfl_report_offline(f->dwfl, f->path, f->path, fd);
	if (!f->mod && fd >= 0)
		close(fd);
	dwfl_report_end(f->dwfl, NULL, NULL);
	if (!f->mod)
		rc = error_set(err, -ENOEXEC,
			       "%s: not a vmlinux and not a kernel module: %s",
			       file_tail(f->path), dwfl_errmsg(-1));
	else if (!dwfl_module_getdwarf(f->mod, &bias))
		rc = error_set(err, -ENOEXEC, "%s: has no debug information (DWARF): %s",
			       file_tail(f->path), dwfl_errmsg(-1));
	else
		describe(d, f);
	f->lines = rc ? NULL : debuginfo_lines_new(d->store, f->mod);
	if (rc) {
		dwfl_end(f->dwfl);
		f->dwfl = NULL;
		f->mod = NULL;
	}
	return rc;
}

/* "vmlinux", "vmlinux-6.1", "kvm.ko", "kvm.ko.debug", "kvm.ko.xz" */
static bool is_candidate(const char *name)
{
	const char *ko = strstr(name, ".ko");

	return !strcmp(name, "vmlinux") || !strncmp(name, "vmlinux-", 8) ||
	       !strncmp(name, "vmlinux.debug", 14) ||
	       (ko && ko != name && (!ko[3] || ko[3] == '.'));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_folder(struct debuginfo *d, const char *path, struct error *err)
{
	char *const roots[] = { (char *)path, NULL };
	const size_t before = d->n_files;
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	int unread = 0;

	if (!fts)
		return file_error(err, "read", path, -errno);
	while ((entry = fts_read(fts))) {
		struct file *f;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
		    entry->fts_info == FTS_NS)
			unread = entry->fts_errno;
		if (entry->fts_info != FTS_F || !is_candidate(entry->fts_name))
			continue;
		f = add_file(d, entry->fts_path);
		f->in_folder = true;
		f->module = module_of_path(d, f->path);
	}
	fts_close(fts);
	if (d->n_files == before && unread)
		return file_error(err, "read all of", path, -unread);
	if (d->n_files == before)
		return error_set(err, -ENOENT, "%s: has no vmlinux and no kernel modules",
				 file_tail(path));
	return 0;
}

int debuginfo_add(struct debuginfo *d, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st))
		return file_error(err, "read", path, -errno);
	if (S_ISDIR(st.st_mode))
		return add_folder(d, path, err);
	return open_file(d, add_file(d, path), -1, err);
}

void debuginfo_add_image(struct debuginfo *d, const struct image *image,
			 enum trace_space space)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct error unused;
	struct file *f;

	if (fd < 0)
		return;
	if (file_write(fd, (const char *)image->data, image->bytes)) {
		close(fd);
		return;
	}
	f = add_file(d, "image");
	f->is_image = true;
	f->space = space;
	if (open_file(d, f, fd, &unused)) {
		dwfl_end(f->dwfl);
		d->n_files--;
	}
}

/* ------------------------------ what ran ------------------------------ */

static bool is_of(const struct file *f, const struct debuginfo_code *c)
{
	if (f->is_image)
		return c->space == f->space;
	return (c->space == SPACE_KERNEL || c->space == SPACE_HYP) &&
	       !strcmp(f->module, c->module ? c->module : "");
}

/* -ENODATA: nothing of the file ran. */
static int bind_file(struct debuginfo *d, struct file *f, const char *release,
		     const struct debuginfo_code *code, size_t n, struct error *err)
{
	const struct debuginfo_code **ran;
	struct debuginfo_fit fit;
	size_t n_ran = 0;

	if (!f->is_image && *f->release && release && strcmp(f->release, release) != 0)
		return error_set(err, -ENOEXEC, "%s: is of Linux %s, but Linux %s ran",
				 file_tail(f->path), f->release, release);
	ran = store_check(calloc(n + 1, sizeof(*ran)));
	for (size_t i = 0; i < n; i++)
		if (is_of(f, &code[i]))
			ran[n_ran++] = &code[i];
	if (n_ran)
		f->places =
			debuginfo_places_new(d->store, d->arch, f->mod, ran, n_ran, &fit);
	free(ran);
	if (!n_ran)
		return -ENODATA;
	if (2 * fit.found < fit.functions || !fit.votes || 10 * fit.won < 9 * fit.votes ||
	    !fit.same_code)
		return error_set(
			err, -ENOEXEC,
			"%s: is of another build of Linux %s: of the %zu functions that ran, %zu are in the file, and %zu of them where they ran",
			file_tail(f->path), release ? release : "?", fit.functions,
			fit.found, fit.won);
	f->bound = true;
	return 0;
}

int debuginfo_bind(struct debuginfo *d, const char *release,
		   const struct debuginfo_code *code, size_t n, struct error *err)
{
	struct error why = { "" };
	bool any = false;
	int rc;

	for (size_t i = 0; i < d->n_files; i++)
		d->files[i].bound = false;
	for (size_t i = 0; i < d->n_files; i++) {
		struct file *f = &d->files[i];
		bool wanted = !f->in_folder;

		/* Of a folder, only what ran is opened, and of two builds the one that
		 * ran. */
		for (size_t k = 0; k < n && !wanted; k++)
			wanted = is_of(f, &code[k]);
		for (size_t k = 0; k < i && f->in_folder && wanted; k++)
			wanted = !d->files[k].bound ||
				 strcmp(d->files[k].module, f->module) != 0;
		if (!wanted)
			continue;
		rc = f->dwfl ? 0 : open_file(d, f, -1, &why);
		if (!rc)
			rc = bind_file(d, f, release, code, n, &why);
		if (rc && rc != -ENODATA && !f->is_image && !f->in_folder) {
			*err = why;
			return rc;
		}
		any = any || (f->in_folder && f->bound);
	}
	for (size_t i = 0; i < d->n_files && !any; i++)
		if (d->files[i].in_folder && *why.text) {
			*err = why;
			return -ENOEXEC;
		}
	return 0;
}

size_t debuginfo_find(struct debuginfo *d, const struct debuginfo_code *code,
		      struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX])
{
	for (size_t i = 0; i < d->n_files; i++) {
		struct file *f = &d->files[i];
		uint64_t vaddr;

		if (f->bound && is_of(f, code) &&
		    debuginfo_places_find(f->places, code, &vaddr))
			return debuginfo_lines_find(f->lines, vaddr, frames);
	}
	return 0;
}
