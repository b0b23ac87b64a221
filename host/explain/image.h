/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF images in memory: functions, marks (bench/mark.h), and bytes at an address.
 * Images are 64-bit and little-endian; nothing in them is trusted.
 */
#ifndef WS_EXPLAIN_IMAGE_H
#define WS_EXPLAIN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
	const uint8_t *data; /* not owned */
	size_t bytes;
};

/* `end` is exclusive. */
struct image_range {
	uint64_t begin, end;
};

struct image_mark {
	uint64_t vaddr;
	uint64_t kind; /* MARK_* */
};

/* 0, or -ENOEXEC: not such an image. */
int image_open(struct image *image, const void *data, size_t bytes);

/*
 * All marks except those of code that the linker dropped. The caller frees them.
 * Returns the number, or -ENOMEM.
 */
long image_marks(const struct image *image, struct image_mark **marks);

/*
 * Calls `each` for every function in the order of the file. Stops when `each` returns
 * non-zero, and returns that value.
 */
int image_functions(const struct image *image,
		    int (*each)(void *ctx, uint64_t vaddr, uint64_t bytes,
				const char *name, size_t name_bytes),
		    void *ctx);

/* The range of all loaded segments; empty if there are none. */
struct image_range image_range(const struct image *image);

/* Copies loaded bytes at `vaddr`. 0, or -EFAULT: not all of them are loaded. */
int image_read(const struct image *image, uint64_t vaddr, void *to, size_t bytes);

#endif
