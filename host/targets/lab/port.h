/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC's parallel port, driven from user space: the wire of a machine without shared
 * memory. A byte is transferred when the port accepts it. The guest waits for no clock
 * and no handshake, so that its count of instructions does not depend on the reader.
 */
#ifndef WS_TARGETS_LAB_PORT_H
#define WS_TARGETS_LAB_PORT_H

#include <stddef.h>
#include <stdint.h>

/*
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
 * Writes LAB_PORT_READY, and copies the first `bytes` of the page when the machine
 * continues; at most LAB_PORT_PAGE_BYTES.
 */
void lab_port_wait(uint8_t *job, size_t bytes);

#endif
