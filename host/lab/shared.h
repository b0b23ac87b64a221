/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire is made of: memory that the lab's machine sees as a PCI device
 * (QEMU's ivshmem, docs/specs/ivshmem-spec.txt) and we see as a file.
 *
 * It needs no driver, nothing but the machine writes to it, and writing never
 * waits for the reader: a serial port's would, and the machine's count of
 * instructions would depend on how fast we read.
 *
 * The machine appends bytes from LAB_SHARED_DATA on, then stores how many there
 * are, 64 bits little-endian, at the beginning. Behind that stands one word that is
 * ours to write and the machine's to read, once its job is done: what is wanted beside
 * the results. In its initramfs, or on its command line, that would change the job.
 *
 * An emulator without such a device writes the bytes of a parallel port (port.h) into
 * the same file, from its beginning; how long it is says how many there are.
 */
#ifndef WS_LAB_SHARED_H
#define WS_LAB_SHARED_H

#include <stddef.h>
#include <stdint.h>

#define LAB_SHARED_BYTES (64u << 20) /* a power of two: it becomes a PCI BAR */
#define LAB_SHARED_DATA	 4096u
#define LAB_SHARED_WISH	 8u /* where the word is, of 32 bits */

#define LAB_WISH_SYMBOLS 1u /* send the kernel's functions */

enum lab_shared_kind { LAB_SHARED_MEMORY, LAB_SHARED_PORT };

struct lab_shared {
	enum lab_shared_kind kind;
	uint8_t *memory; /* NULL: none */
	size_t bytes;
	int fd; /* outside only; -1: none */
};

/* Outside: an unnamed file of zeros. 0 or a negative errno. */
int lab_shared_create(struct lab_shared *s, enum lab_shared_kind kind);

/*
 * Inside: the device or the port, as root, with /sys mounted. 0; -ENODEV (there is none);
 * or another negative errno, and `what` names what failed.
 */
int lab_shared_attach(struct lab_shared *s, const char **what);

/* The word; before the machine starts, and inside of it. A port takes none in. */
void lab_shared_wish(struct lab_shared *s, uint32_t wish);
uint32_t lab_shared_wished(const struct lab_shared *s);

void lab_shared_free(struct lab_shared *s);

/* Appends; -ENOSPC where it does not fit, and then nothing is appended. */
int lab_shared_append(struct lab_shared *s, const uint8_t *data, size_t bytes);

/*
 * Outside: how many bytes there are now, from lab_shared_data() on; -EBADMSG if the
 * machine claims more than fit. What is there may still be changed by the machine:
 * copy, then look.
 */
int64_t lab_shared_written(const struct lab_shared *s);
const uint8_t *lab_shared_data(const struct lab_shared *s);

#endif
