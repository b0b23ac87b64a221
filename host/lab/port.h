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

/* 0 if there is one, -ENODEV, or another negative errno; as root. */
int lab_port_probe(void);

/* Bytes as they are. 0 or a negative errno, and then nothing was sent. */
int lab_port_write(const uint8_t *data, size_t bytes);

#endif
