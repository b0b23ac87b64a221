/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the code of a file with DWARF ran, by the addresses of its functions. */
#include "host/explain/symbols.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"

/* A section of code, and where the recorded kernel has it. */
struct place {
	enum trace_space space;
	size_t section;
	uint64_t begin, end; /* in the addresses of libdwfl */
	uint64_t offset;     /* from these to the recorded addresses */
	size_t votes;	     /* functions that are at this offset */
};

struct debuginfo_places {
	Dwfl_Module *mod;
	struct place *list;
	size_t n;
};

/* A function that ran, and its symbols in the file. */
struct ran {
	const struct debuginfo_code *code;
	size_t symbols;
	uint64_t vaddr; /* of the symbol, in the addresses of libdwfl */
	struct place place;
};

static int by_function(const void *a, const void *b)
{
	const struct debuginfo_code *x = ((const struct ran *)a)->code;
	const struct debuginfo_code *y = ((const struct ran *)b)->code;
	int order = strcmp(x->function, y->function);

	if (order)
		return order;
	if (x->space != y->space)
		return (x->space > y->space) - (x->space < y->space);
	return (x->function_vaddr > y->function_vaddr) -
	       (x->function_vaddr < y->function_vaddr);
}

/* The functions of this code, by their names; free() them. */
static size_t functions_of(const struct debuginfo_code *const *code, size_t n,
			   struct ran **out)
{
	struct ran *list = store_check(calloc(n + 1, sizeof(*list)));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		list[i].code = code[i];
	qsort(list, n, sizeof(*list), by_function);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_function(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	*out = list;
	return kept;
}

/* The first of the functions that have this name, or n. */
static size_t first_named(const struct ran *list, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(list[middle].code->function, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The section of a symbol that is code. */
static bool find_section(Elf *elf, size_t index, const GElf_Sym *sym, uint64_t vaddr,
			 struct place *place)
{
	Elf_Scn *section = elf_getscn(elf, index);
	GElf_Shdr sh;
	GElf_Ehdr eh;

	if (!section || !gelf_getshdr(section, &sh) || !gelf_getehdr(elf, &eh) ||
	    !(sh.sh_flags & SHF_EXECINSTR))
		return false;
	place->section = index;
	place->begin = vaddr - sym->st_value + (eh.e_type == ET_REL ? 0 : sh.sh_addr);
	place->end = place->begin + sh.sh_size;
	return vaddr >= place->begin && vaddr < place->end;
}

/* Looks for the symbols of these functions. */
static void find_symbols(const struct debuginfo_places *f, struct ran *list, size_t n)
{
	int symbols = dwfl_module_getsymtab(f->mod);

	for (int s = 0; s < symbols; s++) {
		GElf_Sym sym;
		GElf_Addr vaddr;
		GElf_Word section = SHN_UNDEF;
		Elf *elf = NULL;
		const char *name = dwfl_module_getsym_info(f->mod, s, &sym, &vaddr,
							   &section, &elf, NULL);
		struct place place;

		if (!name || !*name || section == SHN_UNDEF || !elf)
			continue;
		for (size_t i = first_named(list, n, name);
		     i < n && !strcmp(list[i].code->function, name); i++) {
			if (list[i].symbols && list[i].vaddr == vaddr)
				continue;
			if (!find_section(elf, section, &sym, vaddr, &place))
				continue;
			list[i].symbols++;
			list[i].vaddr = vaddr;
			list[i].place = place;
		}
	}
}

static struct place *place_at(struct debuginfo_places *f, const struct place *like,
			      enum trace_space space, uint64_t offset)
{
	struct place *p = f->list, *end = f->list + f->n;

	while (p < end &&
	       (p->space != space || p->section != like->section || p->offset != offset))
		p++;
	if (p == end) {
		*p = *like;
		p->space = space;
		p->offset = offset;
		p->votes = 0;
		f->n++;
	}
	return p;
}

static int by_votes(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->votes < y->votes) - (x->votes > y->votes);
}

/*
 * Every function with one symbol alone votes for the offset of its section. Of each
 * section and space, the offset with the most votes stays. Returns the votes for those
 * offsets; `*all`: the votes for any.
 */
static size_t vote(struct debuginfo_places *f, const struct ran *list, size_t n,
		   size_t *all)
{
	size_t kept = 0, won = 0;

	*all = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].symbols != 1)
			continue;
		place_at(f, &list[i].place, list[i].code->space,
			 list[i].code->function_vaddr - list[i].vaddr)
			->votes++;
		++*all;
	}
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_votes);
	for (size_t i = 0; i < f->n; i++) {
		size_t k = 0;

		while (k < kept && (f->list[k].section != f->list[i].section ||
				    f->list[k].space != f->list[i].space))
			k++;
		if (k < kept)
			continue;
		won += f->list[i].votes;
		f->list[kept++] = f->list[i];
	}
	f->n = kept;
	return won;
}

/* The address of an instruction as libdwfl has it. */
static const struct place *locate(const struct debuginfo_places *f,
				  const struct debuginfo_code *c, uint64_t *vaddr)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct place *p = &f->list[i];

		*vaddr = c->vaddr - p->offset;
		if (p->space == c->space && *vaddr >= p->begin && *vaddr < p->end)
			return p;
	}
	return NULL;
}

/*
 * Whether the file has the instructions that ran. Linux patches code at boot, and the
 * linker and the loader of modules fill in operands: the opcodes of nearly all
 * instructions are equal. Files without code say nothing.
 */
static bool has_code(const struct debuginfo_places *f, enum arch arch,
		     const struct debuginfo_code *const *code, size_t n)
{
	size_t compared = 0, equal = 0;
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(f->mod, &bias);

	for (size_t i = 0; i < n; i++) {
		/* The major opcode of arm64 is in the last byte of its little-endian
		 * word. */
		const size_t at = arch == ARCH_AARCH64 ? 3 : 0;
		const struct place *p;
		Elf_Data *data;
		GElf_Shdr sh;
		Elf_Scn *s;
		uint64_t vaddr;

		p = locate(f, code[i], &vaddr);
		s = p ? elf_getscn(elf, p->section) : NULL;
		if (!s || !gelf_getshdr(s, &sh) || sh.sh_type == SHT_NOBITS ||
		    code[i]->n_bytes <= at)
			continue;
		data = elf_rawdata(s, NULL);
		if (!data || vaddr - p->begin + at >= data->d_size)
			continue;
		compared++;
		equal += ((const uint8_t *)data->d_buf)[vaddr - p->begin + at] ==
			 code[i]->bytes[at];
	}
	return 4 * equal >= 3 * compared;
}

struct debuginfo_places *debuginfo_places_new(struct result_store *store, enum arch arch,
					      struct Dwfl_Module *mod,
					      const struct debuginfo_code *const *ran,
					      size_t n, struct debuginfo_fit *fit)
{
	struct debuginfo_places *f = store_alloc(store, sizeof(*f));
	struct ran *list;

	*fit = (struct debuginfo_fit){ .functions = functions_of(ran, n, &list) };
	*f = (struct debuginfo_places){
		.mod = mod,
		.list = store_array(store, fit->functions + 1, sizeof(*f->list)),
	};
	find_symbols(f, list, fit->functions);
	for (size_t i = 0; i < fit->functions; i++)
		fit->found += list[i].symbols > 0;
	fit->won = vote(f, list, fit->functions, &fit->votes);
	free(list);
	fit->same_code = has_code(f, arch, ran, n);
	return f;
}

bool debuginfo_places_find(const struct debuginfo_places *f,
			   const struct debuginfo_code *code, uint64_t *vaddr)
{
	return locate(f, code, vaddr) != NULL;
}
