/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads ELF images. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mark.h"
#include "host/explain/trace.h"

/* `bytes` at `offset`, or NULL: outside the image. */
static const uint8_t *at(const struct image *image, uint64_t offset, uint64_t bytes)
{
	if (offset > image->bytes || bytes > image->bytes - offset)
		return NULL;
	return image->data + offset;
}

static void header(const struct image *image, Elf64_Ehdr *h)
{
	memcpy(h, image->data, sizeof(*h));
}

int image_open(struct image *image, const void *data, size_t bytes)
{
	const uint8_t *ident = data;

	image->data = data;
	image->bytes = bytes;
	if (bytes < sizeof(Elf64_Ehdr) || memcmp(ident, ELFMAG, SELFMAG) ||
	    ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	return 0;
}

static int section(const struct image *image, unsigned int index, Elf64_Shdr *s)
{
	Elf64_Ehdr h;
	const uint8_t *p;

	header(image, &h);
	if (index >= h.e_shnum || h.e_shentsize != sizeof(*s))
		return -ENOENT;
	p = at(image, h.e_shoff + (uint64_t)index * sizeof(*s), sizeof(*s));
	if (!p)
		return -ENOENT;
	memcpy(s, p, sizeof(*s));
	return 0;
}

/* The string at `offset` of a string section; NULL: not terminated within it. */
static const char *string(const struct image *image, const Elf64_Shdr *strings,
			  uint64_t offset, size_t *bytes)
{
	const uint8_t *p = at(image, strings->sh_offset, strings->sh_size), *end;

	if (!p || offset >= strings->sh_size)
		return NULL;
	p += offset;
	end = memchr(p, '\0', strings->sh_size - offset);
	if (!end)
		return NULL;
	*bytes = (size_t)(end - p);
	return (const char *)p;
}

static int find_section(const struct image *image, const char *name, Elf64_Shdr *s)
{
	Elf64_Shdr names;
	Elf64_Ehdr h;
	unsigned int i;

	header(image, &h);
	if (section(image, h.e_shstrndx, &names))
		return -ENOENT;
	for (i = 0; !section(image, i, s); i++) {
		size_t bytes;
		const char *found = string(image, &names, s->sh_name, &bytes);

		if (found && !strcmp(found, name))
			return 0;
	}
	return -ENOENT;
}

long image_marks(const struct image *image, struct image_mark **marks)
{
	const uint8_t *p = NULL;
	Elf64_Shdr s = { .sh_size = 0 };
	size_t n, i;
	long kept = 0;

	if (!find_section(image, MARK_SECTION, &s))
		p = at(image, s.sh_offset, s.sh_size);
	n = p ? s.sh_size / MARK_ENTRY_BYTES : 0;
	*marks = calloc(n + 1, sizeof(**marks));
	if (!*marks)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct image_mark *m = &(*marks)[kept];

		memcpy(m, p + i * MARK_ENTRY_BYTES, sizeof(*m));
		/* The address of dropped code is 0 or 1, depending on the linker. */
		kept += m->vaddr > 1;
	}
	return kept;
}

int image_functions(const struct image *image,
		    int (*each)(void *ctx, uint64_t vaddr, uint64_t bytes,
				const char *name, size_t name_bytes),
		    void *ctx)
{
	Elf64_Shdr table, strings;
	const uint8_t *p;
	size_t i;
	int ret = 0;

	if (find_section(image, ".symtab", &table) ||
	    section(image, table.sh_link, &strings))
		return 0;
	p = at(image, table.sh_offset, table.sh_size);
	for (i = 0; p && !ret && i < table.sh_size / sizeof(Elf64_Sym); i++) {
		const char *name;
		size_t name_bytes;
		Elf64_Sym sym;

		memcpy(&sym, p + i * sizeof(sym), sizeof(sym));
		/* Functions in assembly may lack a type. */
		if (sym.st_shndx == SHN_UNDEF || sym.st_shndx >= SHN_LORESERVE ||
		    (ELF64_ST_TYPE(sym.st_info) != STT_FUNC &&
		     ELF64_ST_TYPE(sym.st_info) != STT_NOTYPE))
			continue;
		name = string(image, &strings, sym.st_name, &name_bytes);
		if (name && name_bytes)
			ret = each(ctx, sym.st_value, sym.st_size, name, name_bytes);
	}
	return ret;
}

/* Program header `index`, or -ENOENT. */
static int segment(const struct image *image, unsigned int index, Elf64_Phdr *ph)
{
	const uint8_t *p;
	Elf64_Ehdr h;

	header(image, &h);
	if (index >= h.e_phnum || h.e_phentsize != sizeof(*ph))
		return -ENOENT;
	p = at(image, h.e_phoff + (uint64_t)index * sizeof(*ph), sizeof(*ph));
	if (!p)
		return -ENOENT;
	memcpy(ph, p, sizeof(*ph));
	return 0;
}

struct image_range image_range(const struct image *image)
{
	struct image_range r = { ~0ull, 0 };
	Elf64_Phdr ph;
	unsigned int i;

	for (i = 0; !segment(image, i, &ph); i++) {
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_vaddr < r.begin)
			r.begin = ph.p_vaddr;
		if (ph.p_vaddr + ph.p_memsz > r.end)
			r.end = ph.p_vaddr + ph.p_memsz;
	}
	return r;
}

int image_read(const struct image *image, uint64_t vaddr, void *to, size_t bytes)
{
	Elf64_Phdr ph;
	unsigned int i;

	for (i = 0; !segment(image, i, &ph); i++) {
		const uint8_t *p;

		if (ph.p_type != PT_LOAD || vaddr < ph.p_vaddr ||
		    vaddr - ph.p_vaddr >= ph.p_filesz ||
		    bytes > ph.p_filesz - (vaddr - ph.p_vaddr))
			continue;
		p = at(image, ph.p_offset + (vaddr - ph.p_vaddr), bytes);
		if (!p)
			return -EFAULT;
		memcpy(to, p, bytes);
		return 0;
	}
	return -EFAULT;
}
