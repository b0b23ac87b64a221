/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions by their addresses: of the host's kernel, the VMM and the payload. */
#ifndef WS_EXPLAIN_SYMBOLS_H
#define WS_EXPLAIN_SYMBOLS_H

#include "bench/catalogue.h"
#include "host/explain/image.h"
#include "host/explain/trace.h"

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

/* Start with zeroed memory. 0, -ENOMEM, or -EBADMSG for malformed text. */
int symbols_add_kernel(struct symbols *s, const char *kallsyms, size_t bytes);
int symbols_add_image(struct symbols *s, const struct image *image,
		      enum trace_space space);
void symbols_free(struct symbols *s);

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

/* "guest", "user", "kernel" or "hyp". */
const char *symbols_space_name(enum trace_space space);
/* The name of a symbol; NULL: "[kernel]" and the like, for code without a symbol. */
const char *symbols_name(const struct symbol *symbol, enum trace_space space);

/*
 * The layer of a function, by the table layers.def. `name` NULL: no symbol covers the
 * address. `module` NULL: the kernel itself. Never NULL.
 */
const char *layer_of(enum arch arch, enum trace_space space, const char *module,
		     const char *name);

#endif
