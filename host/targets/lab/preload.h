/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a PC that has been booted up to the kernel's 64-bit entry, for an
 * emulator that has no loader of its own (Documentation/x86/boot.rst, "64-bit Boot
 * Protocol").
 */
#ifndef WS_LAB_PRELOAD_H
#define WS_LAB_PRELOAD_H

#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/targets/target.h"

struct lab_preload {
	const uint8_t *kernel; /* a bzImage */
	size_t kernel_bytes;
	const uint8_t *initramfs;
	size_t initramfs_bytes;
	const char *command_line;
	uint32_t memory_bytes; /* of the machine */
};

/*
 * The image that belongs at PRELOAD_BASE, as an unnamed file: its descriptor, or a
 * negative errno. -ENOEXEC: not a kernel that can be entered so.
 */
int lab_preload(const struct lab_preload *what, struct error *err);

#endif
