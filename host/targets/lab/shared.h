/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire is made of: memory that the lab's machine sees as a PCI device
 * (QEMU's ivshmem, docs/specs/ivshmem-spec.txt) and we see as a file.
 *
 * It needs no driver, nothing but the machine writes to it while the machine runs, and
 * writing never waits for the reader: a serial port's would, and the machine's count of
 * instructions would depend on how fast we read.
 *
 *   0                 64 bits, little-endian: bytes that the machine has appended
 *   LAB_SHARED_JOB    the job, written by the host before a clone of the machine runs
 *   LAB_SHARED_DATA   what the machine appends
 *
 * An emulator without such a device writes the bytes of a parallel port (port.h) into
 * the same file, from its beginning; its length says how many there are. The job then
 * appears in a page of the machine's memory (bochs_clone.c).
 */
#ifndef WS_LAB_SHARED_H
#define WS_LAB_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_SHARED_BYTES (64u << 20) /* a power of two: it becomes a PCI BAR */
#define LAB_SHARED_DATA	 4096u
#define LAB_SHARED_JOB	 1024u
#define LAB_JOB_BYTES	 3072u /* an encoded job: job_encode() */

enum lab_shared_kind { LAB_SHARED_MEMORY, LAB_SHARED_PORT };

struct lab_shared {
	enum lab_shared_kind kind;
	uint8_t *memory; /* NULL: none */
	size_t bytes;
	volatile uint8_t *pause; /* inside: a store there stops the machine; NULL: none */
	int fd;			 /* outside only; -1: none */
};

/* Outside: an unnamed file of zeros. 0 or a negative errno. */
int lab_shared_create(struct lab_shared *s, enum lab_shared_kind kind);

/*
 * Inside: the device or the port, as root, with /sys mounted. 0; -ENODEV (there is none);
 * or another negative errno, and `what` names what failed.
 */
int lab_shared_attach(struct lab_shared *s, const char **what);

/*
 * Inside: stops the machine at this very instruction. It goes on as a clone, with a job
 * and an empty wire. False: at another time than other machines, so boot it again.
 *
 * QEMU 7.2 (softmmu/icount.c) moves an idle machine's clock to its next timer. A CPU that
 * has stopped itself is idle as soon as its thread has seen that. Where the main thread,
 * which stops the machine, is not there first, it moves the clock before. qemu.c makes
 * the main thread the faster one, and the guest's clock tells whether that worked.
 */
bool lab_shared_wait(struct lab_shared *s, uint8_t job[LAB_JOB_BYTES]);

/* Outside: empties the wire and writes the job, while the machine is stopped. */
void lab_shared_give(struct lab_shared *s, const uint8_t job[LAB_JOB_BYTES]);

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
