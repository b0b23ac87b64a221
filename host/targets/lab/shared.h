/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of the wire: a PCI device in the lab's machine (QEMU's ivshmem,
 * docs/specs/ivshmem-spec.txt), and a file outside.
 *
 * The device needs no driver, and only the machine writes to it while the machine runs. A
 * write does not wait for the reader. A write to a serial port would, so that the count
 * of instructions would depend on the speed of the reader.
 *
 *   0                 64 bits, little-endian: bytes that the machine has appended
 *   LAB_SHARED_JOB    the job, written by the host before a clone of the machine runs
 *   LAB_SHARED_DATA   what the machine appends
 *
 * An emulator without this device appends the bytes of a parallel port to an
 * empty file. The job appears in a page of the machine's memory (bochs/clone.c).
 */
#ifndef WS_TARGETS_LAB_SHARED_H
#define WS_TARGETS_LAB_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/targets/job.h"

#define LAB_SHARED_BYTES (64u << 20) /* a power of two: it becomes a PCI BAR */
#define LAB_SHARED_DATA	 4096u
#define LAB_SHARED_JOB	 1024u

enum lab_shared_kind {
	LAB_SHARED_MEMORY,
	LAB_SHARED_PORT,
	LAB_SHARED_RELAY, /* inside, in L1: l1.h */
};

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
 * Inside: stops the machine at this instruction. A clone continues from here, with a job
 * and an empty wire. False: the clock has moved, and another machine must be booted.
 *
 * QEMU 7.2 (softmmu/icount.c) moves the clock of an idle machine to its next timer. A CPU
 * that has stopped itself is idle when its thread notices. If the main thread has not
 * stopped the machine by then, the clock moves. qemu.c makes the main thread run first,
 * and the guest's clock shows whether it did.
 */
bool lab_shared_wait(struct lab_shared *s, uint8_t job[JOB_BYTES]);

/* Outside, while the machine is stopped: empties the wire and writes the job. */
void lab_shared_give(struct lab_shared *s, const uint8_t job[JOB_BYTES]);

void lab_shared_free(struct lab_shared *s);

/* Appends all bytes, or none: -ENOSPC. */
int lab_shared_append(struct lab_shared *s, const uint8_t *data, size_t bytes);

/*
 * Outside: the number of bytes from lab_shared_data() on; -EBADMSG if the machine's count
 * is too large. The machine can still change the bytes: copy them before the check.
 */
int64_t lab_shared_written(const struct lab_shared *s);
const uint8_t *lab_shared_data(const struct lab_shared *s);

/*
 * A PC's parallel port, driven from user space: the wire of a machine without shared
 * memory. A byte is transferred when the port accepts it. The guest waits for no clock
 * and no handshake, so that its count of instructions does not depend on the reader.
 *
 * A machine writes this to the port when it is ready to be cloned. The process of the
 * emulator then forks (bochs/clone.c); each fork continues with a job in its page.
 */
#define LAB_PORT_READY	     "\xf7WS-READY-TO-BE-CLONED\xf7"
#define LAB_PORT_READY_BYTES (sizeof(LAB_PORT_READY) - 1)

/* The content of the page of the job before the job is there. */
#define LAB_PORT_PAGE_BYTES 4096u
#define LAB_PORT_PAGE_MARK  "worldswitch: the job is to be put into this page"

/* 0 if there is one, -ENODEV, or another negative errno; as root. */
int lab_port_probe(void);

/* Writes all bytes and returns 0, or none and returns a negative errno. */
int lab_port_write(const uint8_t *data, size_t bytes);

/*
 * Writes LAB_PORT_READY (`relayed`: has L0 write it), and copies the first `bytes` of the
 * page when the machine continues; at most LAB_PORT_PAGE_BYTES.
 */
void lab_port_wait(bool relayed, uint8_t *job, size_t bytes);

/* lab_port_write() of L1, by way of L0; and the exits of L1 that L0's KVM has counted. */
int lab_relay_write(const uint8_t *data, size_t bytes);
uint32_t lab_relay_exits(void);

#endif
