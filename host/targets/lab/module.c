/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel module's image, without the tables that only tracers and debuggers read. Linux
 * executes 190 million instructions, a quarter of a boot, to prepare those of KVM.
 */
#include <elf.h>
#include <string.h>

#include "host/targets/lab/initramfs.h"

/* x86_64: the call of __fentry__ that begins a function, and what ftrace makes of it. */
static const uint8_t nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
#define CALL 0xe8

#define FTRACE_SITES "__mcount_loc"
#define FTRACE_ENTRY "__fentry__"

#define BPF_TYPES ".BTF"

struct image {
	uint8_t *data;
	size_t bytes;
	Elf64_Shdr *sections;
	size_t n;
	const char *names; /* ends with NUL */
	size_t names_bytes;
};

static bool is_inside(const struct image *m, uint64_t at, uint64_t bytes)
{
	return at <= m->bytes && bytes <= m->bytes - at;
}

/* An aligned ELF object for x86_64 whose tables are inside. */
static bool open_image(struct image *m, uint8_t *data, size_t bytes)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)data;
	const Elf64_Shdr *names;

	*m = (struct image){ .data = data, .bytes = bytes };
	if (bytes < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_machine != EM_X86_64 || header->e_type != ET_REL ||
	    header->e_shentsize != sizeof(*names) ||
	    header->e_shoff % _Alignof(Elf64_Shdr) ||
	    !is_inside(m, header->e_shoff, (uint64_t)header->e_shnum * sizeof(*names)) ||
	    header->e_shstrndx >= header->e_shnum)
		return false;
	m->sections = (Elf64_Shdr *)(data + header->e_shoff);
	m->n = header->e_shnum;
	names = &m->sections[header->e_shstrndx];
	if (!names->sh_size || !is_inside(m, names->sh_offset, names->sh_size))
		return false;
	m->names = (const char *)data + names->sh_offset;
	m->names_bytes = names->sh_size;
	for (size_t i = 0; i < m->n; i++)
		if (m->sections[i].sh_type != SHT_NOBITS &&
		    !is_inside(m, m->sections[i].sh_offset, m->sections[i].sh_size))
			return false;
	return !m->names[m->names_bytes - 1];
}

static Elf64_Shdr *find(const struct image *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->sections[i].sh_name < m->names_bytes &&
		    !strcmp(m->names + m->sections[i].sh_name, name))
			return &m->sections[i];
	return NULL;
}

/* The kernel finds these sections by name. The new one lacks the first character. */
static void hide(Elf64_Shdr *section)
{
	if (section)
		section->sh_name++;
}

static bool is_entry(const struct image *m, const Elf64_Shdr *relocations,
		     const Elf64_Rela *r)
{
	const Elf64_Shdr *symbols = &m->sections[relocations->sh_link], *strings;
	const uint64_t i = ELF64_R_SYM(r->r_info);
	const Elf64_Sym *symbol;

	if (i >= symbols->sh_size / sizeof(*symbol) || symbols->sh_link >= m->n)
		return false;
	strings = &m->sections[symbols->sh_link];
	/* Of SHT_NOBITS, open_image() has not checked the offset. */
	if (symbols->sh_type != SHT_SYMTAB || strings->sh_type != SHT_STRTAB)
		return false;
	symbol = (const Elf64_Sym *)(m->data + symbols->sh_offset) + i;
	return symbol->st_name < strings->sh_size &&
	       sizeof(FTRACE_ENTRY) <= strings->sh_size - symbol->st_name &&
	       !memcmp(m->data + strings->sh_offset + symbol->st_name, FTRACE_ENTRY,
		       sizeof(FTRACE_ENTRY));
}

/* The calls of __fentry__ in one section, counted, and with `write` replaced. */
static size_t entries(const struct image *m, const Elf64_Shdr *relocations, bool write)
{
	const Elf64_Shdr *code = &m->sections[relocations->sh_info];
	Elf64_Rela *r = (Elf64_Rela *)(m->data + relocations->sh_offset);
	const size_t n = relocations->sh_size / sizeof(*r);
	uint64_t entry = 0; /* the symbol's index, once it is known */
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		const uint64_t symbol = ELF64_R_SYM(r[i].r_info), at = r[i].r_offset;
		uint8_t *call;

		if (entry ? symbol != entry : !is_entry(m, relocations, &r[i]))
			continue;
		entry = symbol;
		if (at < 1 || at > code->sh_size || code->sh_size - at < 4)
			continue;
		call = m->data + code->sh_offset + at - 1;
		if (*call != CALL)
			continue;
		found++;
		if (write) {
			memcpy(call, nop, sizeof(nop));
			r[i].r_info = R_X86_64_NONE;
		}
	}
	return found;
}

static size_t all_entries(const struct image *m, bool write)
{
	size_t found = 0;

	for (size_t i = 0; i < m->n; i++) {
		const Elf64_Shdr *s = &m->sections[i];

		if (s->sh_type == SHT_RELA && s->sh_info < m->n && s->sh_link < m->n &&
		    !(s->sh_offset % _Alignof(Elf64_Rela)) &&
		    !(m->sections[s->sh_link].sh_offset % _Alignof(Elf64_Sym)) &&
		    m->sections[s->sh_info].sh_type == SHT_PROGBITS &&
		    m->sections[s->sh_info].sh_flags & SHF_EXECINSTR)
			found += entries(m, s, write);
	}
	return found;
}

void lab_module_trim(uint8_t *data, size_t bytes)
{
	struct image m;
	Elf64_Shdr *sites;

	if (!open_image(&m, data, bytes))
		return;
	sites = find(&m, FTRACE_SITES);
	if (sites && sites->sh_size / sizeof(uint64_t) != all_entries(&m, false))
		return;
	hide(find(&m, BPF_TYPES));
	if (sites) {
		(void)all_entries(&m, true);
		hide(sites);
	}
}
