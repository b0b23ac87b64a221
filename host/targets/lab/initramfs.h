/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a lab's machine finds in its memory when its kernel is up. */
#ifndef WS_LAB_INITRAMFS_H
#define WS_LAB_INITRAMFS_H

#include "host/targets/lab/cpio.h"
#include "host/targets/lab/module.h"
#include "host/targets/target.h"

/* Where the two sides of lab/ agree that things are, below the root. */
#define LAB_PAYLOAD_PATH  "payload.elf" /* the user's own, if there is one */
#define LAB_MODULES_PATH  "modules"	/* NAME.ko */
#define LAB_OPTIONAL_PATH "optional.ko" /* a module for later; zeros: none */
#define LAB_ORDER_PATH	  "load-order"	/* names of the modules, a line each */

struct lab_initramfs {
	const uint8_t *program; /* the static wsbench that becomes /init */
	size_t program_bytes;
	const struct lab_modules *modules;
	const uint8_t *payload; /* NULL: none */
	size_t payload_bytes;
};

/* The archive; the same to the byte for the same content. 0 or -ENOMEM. */
int lab_initramfs_build(const struct lab_initramfs *what, struct lab_cpio *out);

#endif
