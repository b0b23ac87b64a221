/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC's parallel port, driven from user space: the way out of a lab whose machine has
 * no memory to share. Each byte is at the other end when the port has taken it; no
 * clock and no handshake is waited for, and so the machine's count of instructions
 * does not depend on who reads.
 */
#ifndef WS_LAB_PORT_H
#define WS_LAB_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "host/targets/lab/shared.h"

/*
 * What a machine writes to the port when it is ready to be cloned. The emulator's
 * process is then forked (bochs_clone.c); each fork goes on with a job in its page.
 */
#define LAB_PORT_READY	     "\xf7WS-READY-TO-BE-CLONED\xf7"
#define LAB_PORT_READY_BYTES (sizeof(LAB_PORT_READY) - 1)

/* The page that the job appears in begins so, until it does. */
#define LAB_PORT_PAGE_BYTES 4096u
#define LAB_PORT_PAGE_MARK  "worldswitch: the job is to be put into this page"

/* 0 if there is one, -ENODEV, or another negative errno; as root. */
int lab_port_probe(void);

/* Bytes as they are. 0 or a negative errno, and then nothing was sent. */
int lab_port_write(const uint8_t *data, size_t bytes);

/* Writes LAB_PORT_READY, and copies the job that is there when the machine goes on. */
void lab_port_wait(uint8_t job[LAB_JOB_BYTES]);

#endif
