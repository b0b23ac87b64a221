/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of source and inlined functions, by the DWARF of ELF files: of a kernel, of its
 * modules, and of the images that ran. debuginfo.c reads DWARF with elfutils' libdw;
 * debuginfo_none.c is for programs without that library, and the linker chooses.
 */
#ifndef WS_EXPLAIN_DEBUGINFO_H
#define WS_EXPLAIN_DEBUGINFO_H

#include "bench/catalogue.h"
#include "host/explain/image.h"
#include "host/explain/trace.h"
#include "host/lib/error.h"

struct debuginfo;

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

#endif
