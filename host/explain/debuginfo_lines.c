/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of source and inlined functions at an address of a file, by its DWARF. */
#include "host/explain/symbols.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <string.h>

#include "host/result/result.h"

struct debuginfo_lines {
	struct result_store *store;
	Dwfl_Module *mod;
	Dwarf_Die function; /* the last one that was found */
	bool has_function;
};

struct debuginfo_lines *debuginfo_lines_new(struct result_store *store,
					    struct Dwfl_Module *mod)
{
	struct debuginfo_lines *l = store_alloc(store, sizeof(*l));

	*l = (struct debuginfo_lines){ .store = store, .mod = mod };
	return l;
}

/* A copy without "." and "NAME/..". */
static char *normalise(struct debuginfo_lines *l, const char *name)
{
	const size_t bytes = strlen(name) + 1;
	char *path = memcpy(store_alloc(l->store, bytes), name, bytes);
	const bool rooted = *path == '/';
	char *from = path, *to = path;

	while (*from) {
		size_t n = strcspn(from, "/");
		const bool last = !from[n];
		char *before = to;

		/* The component before, without its slash. */
		while (before > path && before[-1] == '/')
			before--;
		while (before > path && before[-1] != '/')
			before--;
		if (n == 2 && !strncmp(from, "..", 2) && to > path + rooted &&
		    strncmp(before, "../", 3) != 0) {
			to = before;
		} else if (n && !(n == 1 && *from == '.')) {
			memmove(to, from, n);
			to += n;
			*to++ = '/';
		} else if (!n && from == path) {
			*to++ = '/';
		}
		from += n + !last;
		if (last)
			break;
	}
	if (to > path + 1)
		to--;
	*to = '\0';
	return path;
}

/*
 * A file's name relative to the root of its source: without the folders that it shares
 * with the folder of the compiler, which is that root or, for Linux, may be below it.
 */
static const char *short_path(struct debuginfo_lines *l, Dwarf_Die *cu, const char *path)
{
	Dwarf_Attribute attr;
	const char *folder =
		dwarf_formstring(dwarf_attr_integrate(cu, DW_AT_comp_dir, &attr));
	char *file, *root;
	size_t same = 0;

	if (!path)
		return NULL;
	file = normalise(l, path);
	if (!folder)
		return file;
	root = normalise(l, folder);
	for (size_t i = 0; file[i] == root[i] || (!root[i] && file[i] == '/'); i++) {
		if (file[i] == '/')
			same = i + 1;
		if (!root[i] || !file[i])
			break;
	}
	return file + (same > 1 ? same : 0);
}

static bool has_pc(Dwarf_Die *die, Dwarf_Addr pc)
{
	return dwarf_haspc(die, pc) > 0;
}

/* The compilation unit of an address; without .debug_aranges, every unit is tried. */
static Dwarf_Die *find_unit(const struct debuginfo_lines *l, uint64_t vaddr,
			    Dwarf_Addr *bias)
{
	Dwarf_Die *cu = dwfl_module_addrdie(l->mod, vaddr, bias);

	if (cu)
		return cu;
	while ((cu = dwfl_module_nextcu(l->mod, cu, bias)))
		if (has_pc(cu, vaddr - *bias))
			return cu;
	return NULL;
}

static bool find_function(struct debuginfo_lines *l, Dwarf_Die *cu, Dwarf_Addr pc)
{
	Dwarf_Die die;
	int rc;

	if (l->has_function && has_pc(&l->function, pc))
		return true;
	for (rc = dwarf_child(cu, &die); !rc; rc = dwarf_siblingof(&die, &die)) {
		if (dwarf_tag(&die) != DW_TAG_subprogram || !has_pc(&die, pc))
			continue;
		l->function = die;
		l->has_function = true;
		return true;
	}
	return false;
}

/* The child of `scope` that holds the address: a block, or an inlined function. */
static bool find_scope(Dwarf_Die *scope, Dwarf_Addr pc, Dwarf_Die *inner)
{
	int rc;

	for (rc = dwarf_child(scope, inner); !rc; rc = dwarf_siblingof(inner, inner)) {
		int tag = dwarf_tag(inner);

		if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
		    has_pc(inner, pc))
			return true;
	}
	return false;
}

static uint64_t number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value))
		return 0;
	return value;
}

/* Where an inlined function was called. */
static void find_call(struct debuginfo_lines *l, Dwarf_Die *cu, Dwarf_Die *inlined,
		      struct debuginfo_frame *frame)
{
	size_t n, number = number_of(inlined, DW_AT_call_file);
	Dwarf_Files *files;

	frame->line = number_of(inlined, DW_AT_call_line);
	if (!dwarf_getsrcfiles(cu, &files, &n) && number < n)
		frame->file = short_path(l, cu, dwarf_filesrc(files, number, NULL, NULL));
}

size_t debuginfo_lines_find(struct debuginfo_lines *l, uint64_t vaddr,
			    struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX])
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = find_unit(l, vaddr, &bias), scope, inner;
	Dwarf_Line *line;
	size_t n = 1;
	int number;

	if (!cu)
		return 0;
	memset(frames, 0, DEBUGINFO_DEPTH_MAX * sizeof(*frames));
	if (find_function(l, cu, vaddr - bias)) {
		scope = l->function;
		while (n < DEBUGINFO_DEPTH_MAX &&
		       find_scope(&scope, vaddr - bias, &inner)) {
			if (dwarf_tag(&inner) == DW_TAG_inlined_subroutine) {
				find_call(l, cu, &inner, &frames[n - 1]);
				frames[n++].function = dwarf_diename(&inner);
			}
			scope = inner;
		}
	}
	line = dwarf_getsrc_die(cu, vaddr - bias);
	if (line) {
		frames[n - 1].file = short_path(l, cu, dwarf_linesrc(line, NULL, NULL));
		if (!dwarf_lineno(line, &number) && number > 0)
			frames[n - 1].line = (uint64_t)number;
	}
	return n;
}
