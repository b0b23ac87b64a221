/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions by their addresses, of the host's kernel, the VMM and the payload; their
 * layers; lines of source and inlined functions.
 */
#ifndef WS_EXPLAIN_SYMBOLS_H
#define WS_EXPLAIN_SYMBOLS_H

#include "bench/catalogue.h"
#include "host/explain/trace.h"
#include "host/lib/error.h"

struct Dwfl_Module;
struct debuginfo;
struct debuginfo_lines;
struct debuginfo_places;
struct result_store;

/* ------------------------------ functions ------------------------------ */

struct symbol {
	uint64_t vaddr;
	uint64_t bytes; /* 0: up to the next one */
	enum trace_space space;
	bool global;
	const char *name;
	const char *module; /* NULL: the kernel itself */
};

struct symbols {
	struct symbol *list; /* by space and address after symbols_sort() */
	size_t n, room;
	struct symbol_text *texts; /* copies of the names */
};

/*
 * The lines of `path` (/proc/kallsyms) that describe code (types t, T, w, W), in memory
 * that the caller frees. 0 or a negative errno.
 */
int symbols_read_kernel(const char *path, char **text, size_t *bytes);

/* In front of the names of what L0 executes: without blanks, which end a frame. */
#define SYMBOLS_L0_PREFIX "L0:"

/*
 * Start with zeroed memory. `l1`: the text has two kernels, and TARGET_SYMBOLS_OF_L0 once
 * between them. 0, -ENOMEM, or -EBADMSG for malformed text.
 */
int symbols_add_kernel(struct symbols *s, const char *kallsyms, size_t bytes, bool l1);
int symbols_add_image(struct symbols *s, const struct image *image,
		      enum trace_space space);
void symbols_free(struct symbols *s);

/* From the first function of a kernel to the end of the last one; empty: none. */
struct image_range symbols_range(const struct symbols *s, enum trace_space space);

/*
 * Without VHE the kernel maps its EL2 code twice: at the addresses of /proc/kallsyms
 * and at EL2. Derives the offset from the targets of calls at EL2, and adds the symbols
 * with this offset. 0 or -ENOMEM.
 */
int symbols_add_hyp(struct symbols *s, const struct trace *t);

/*
 * Linux allocates a thunk, which is one jump, for each register of indirect branches on
 * CPUs with the bug ITS (arch/x86/kernel/alternative.c). The thunks have no symbols. Adds
 * a symbol for every indirect jump of the kernel that no symbol covers; sorts. 0 or
 * -ENOMEM.
 */
int symbols_add_thunks(struct symbols *s, const struct trace *t);

/* Sorts the symbols; of several at one address the preferred name stays. */
void symbols_sort(struct symbols *s);

/* The function at an address, or NULL. */
const struct symbol *symbols_find(const struct symbols *s, enum trace_space space,
				  uint64_t vaddr);

/* "guest", "user", "kernel", "hyp" or "l0". */
const char *symbols_space_name(enum trace_space space);
enum trace_space symbols_space(const char *name); /* SPACE_KERNEL: no such name */
/* The name of a symbol; NULL: "[kernel]" and the like, for code without a symbol. */
const char *symbols_name(const struct symbol *symbol, enum trace_space space);

/*
 * The layer of a function, by the table layers.def. `name` NULL: no symbol covers the
 * address. `module` NULL: the kernel itself. Never NULL.
 */
const char *layer_of(enum arch arch, enum trace_space space, const char *module,
		     const char *name);

/* ------------------------------ lines of source ------------------------------ */

/*
 * By the DWARF of ELF files: of a kernel, of its modules, and of the images that ran.
 * debuginfo.c, debuginfo_lines.c and debuginfo_places.c read DWARF with elfutils' libdw;
 * debuginfo_none.c is for programs without that library, and the linker chooses.
 */

/* An instruction that ran, and its function. */
struct debuginfo_code {
	uint64_t vaddr;
	const uint8_t *bytes; /* as executed */
	size_t n_bytes;
	enum trace_space space;
	uint64_t function_vaddr;
	const char *function;
	const char *module; /* NULL: the kernel itself, or an image */
};

/* A function of a chain of inlined functions, and the place in it. */
struct debuginfo_frame {
	const char *function; /* NULL: the function of the symbol */
	const char *file; /* relative to the root of the source if that is known; NULL */
	uint64_t line;	  /* 0: none */
};

#define DEBUGINFO_DEPTH_MAX 32

/* These functions abort if out of memory. */
struct debuginfo *debuginfo_new(enum arch arch);
void debuginfo_free(struct debuginfo *d);

/*
 * Adds a file with DWARF: a vmlinux, a module, or a folder that is searched for them. 0,
 * or a negative errno with `err`: no such file, no ELF file, no DWARF; -ENOSYS: this
 * program has no libdw.
 */
int debuginfo_add(struct debuginfo *d, const char *path, struct error *err);

/* Adds an image that runs in `space`. Without DWARF, or without libdw, adds nothing. */
void debuginfo_add_image(struct debuginfo *d, const struct image *image,
			 enum trace_space space);

/*
 * Finds out where the recorded kernel, of the release `release`, has the code of the
 * files, by the addresses of functions. 0, or -ENOEXEC with `err`: a file is of another
 * kernel or of another build. A folder's files of another kernel are skipped, unless the
 * folder has no others.
 */
int debuginfo_bind(struct debuginfo *d, const char *release,
		   const struct debuginfo_code *code, size_t n, struct error *err);

/*
 * The functions that an instruction is in, the outermost first: the last one holds the
 * instruction, the others hold the places where the next one was inlined. Returns their
 * number, 0: no DWARF of it. The strings live as long as `d`.
 */
size_t debuginfo_find(struct debuginfo *d, const struct debuginfo_code *code,
		      struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX]);

/*
 * For debuginfo.c: the DWARF of one file. `mod` is libdwfl's; `store` owns the result and
 * the names of files. `vaddr` is an address of libdwfl; returns as debuginfo_find().
 */
struct debuginfo_lines *debuginfo_lines_new(struct result_store *store,
					    struct Dwfl_Module *mod);
size_t debuginfo_lines_find(struct debuginfo_lines *l, uint64_t vaddr,
			    struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX]);

/* How well a file fits what ran. */
struct debuginfo_fit {
	size_t functions;  /* that ran */
	size_t found;	   /* of them in the file */
	size_t votes, won; /* with one symbol; of them, at the offset of most */
	bool same_code;	   /* the file has the instructions that ran, or no code */
};

/*
 * For debuginfo.c: where the `n` instructions of a file ran. As above; `vaddr` is the
 * address of libdwfl.
 */
struct debuginfo_places *debuginfo_places_new(struct result_store *store, enum arch arch,
					      struct Dwfl_Module *mod,
					      const struct debuginfo_code *const *ran,
					      size_t n, struct debuginfo_fit *fit);
bool debuginfo_places_find(const struct debuginfo_places *f,
			   const struct debuginfo_code *code, uint64_t *vaddr);

#endif
