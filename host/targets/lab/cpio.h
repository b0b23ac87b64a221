/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives that the kernel unpacks as its first file system: cpio, format "newc"
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * The same calls give the same bytes, always: inode numbers count up from 1, all
 * times and owners are 0.
 */
#ifndef WS_LAB_CPIO_H
#define WS_LAB_CPIO_H

#include <stddef.h>
#include <stdint.h>

struct lab_cpio {      /* zeroed memory to begin with */
	uint8_t *data; /* free() it in the end */
	size_t bytes, room;
	uint32_t inode;
	int error; /* -ENOMEM once anything failed; the rest does nothing then */
};

/* Paths have no leading slash; parents come before what is in them. */
void lab_cpio_dir(struct lab_cpio *c, const char *path);
void lab_cpio_file(struct lab_cpio *c, const char *path, unsigned int permissions,
		   const void *data, size_t bytes);
void lab_cpio_chardev(struct lab_cpio *c, const char *path, unsigned int permissions,
		      unsigned int major, unsigned int minor);
int lab_cpio_end(struct lab_cpio *c); /* the trailer; returns c->error */

#endif
