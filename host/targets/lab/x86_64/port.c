/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first parallel port: IEEE 1284, compatibility mode. */
#include <errno.h>
#include <string.h>
#include <sys/io.h>

#include "host/targets/lab/shared.h"

#define PORT_DATA    0x378
#define PORT_CONTROL 0x37a
#define PORT_COUNT   3

#define CONTROL_STROBE 0x01
#define CONTROL_IDLE   0x0c /* selected, not being reset */

/*
 * The process has access to the port only during a transfer: an I/O bitmap adds
 * instructions to every switch to the process, and so to every exit to user space.
 */
static int begin(void)
{
	return ioperm(PORT_DATA, PORT_COUNT, 1) ? -errno : 0;
}

static void end(void)
{
	ioperm(PORT_DATA, PORT_COUNT, 0);
}

int lab_port_probe(void)
{
	int err = begin();

	if (err)
		return err;
	outb(0x5a, PORT_DATA);
	if (inb(PORT_DATA) != 0x5a)
		err = -ENODEV;
	end();
	return err;
}

int lab_port_write(const uint8_t *data, size_t bytes)
{
	int err = begin();

	if (err)
		return err;
	for (size_t i = 0; i < bytes; i++) {
		outb(data[i], PORT_DATA);
		outb(CONTROL_IDLE | CONTROL_STROBE, PORT_CONTROL);
		outb(CONTROL_IDLE, PORT_CONTROL);
	}
	end();
	return 0;
}

/*
 * Filled with the mark at run time: no other page of the machine's memory, the text of
 * this program included, has this content.
 */
static uint8_t page[LAB_PORT_PAGE_BYTES] __attribute__((aligned(LAB_PORT_PAGE_BYTES)));

void lab_port_wait(uint8_t *job, size_t bytes)
{
	static const char mark[] = LAB_PORT_PAGE_MARK;
	volatile uint8_t *p = page;

	for (size_t i = 0; i < sizeof(page); i++)
		p[i] = (uint8_t)mark[i % sizeof(mark)];
	(void)lab_port_write((const uint8_t *)LAB_PORT_READY, LAB_PORT_READY_BYTES);
	for (size_t i = 0; i < bytes; i++)
		job[i] = p[i];
}
