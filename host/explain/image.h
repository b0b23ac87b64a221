/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of an ELF image in memory: its functions, its marks (bench/mark.h), and
 * the bytes at an address. Images are 64-bit and little-endian; nothing in them is
 * trusted.
 */
#ifndef WS_TRACE_IMAGE_H
#define WS_TRACE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
	const uint8_t *data; /* not owned */
	size_t bytes;
};

/* `end` is the first address that is not in it. */
struct image_range {
	uint64_t begin, end;
};

struct image_mark {
	uint64_t vaddr;
	uint64_t kind; /* MARK_* */
};

/* 0, or -ENOEXEC: no such image. */
int image_open(struct image *image, const void *data, size_t bytes);

/*
 * All marks, those of code that the linker dropped left out, in memory that the caller
 * frees. The number, or -ENOMEM.
 */
long image_marks(const struct image *image, struct image_mark **marks);

/* Calls `each` for every function, in the order of the file. Stops at the first answer
 * that is not 0, and returns it. */
int image_functions(const struct image *image,
		    int (*each)(void *ctx, uint64_t vaddr, uint64_t bytes,
				const char *name, size_t name_bytes),
		    void *ctx);

/* From the first to behind the last address that is loaded; empty: nothing is. */
struct image_range image_range(const struct image *image);

/* Copies what is loaded at `vaddr`. 0, or -EFAULT: not all of it is. */
int image_read(const struct image *image, uint64_t vaddr, void *to, size_t bytes);

#endif
