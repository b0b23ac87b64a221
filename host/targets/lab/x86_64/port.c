/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first parallel port: IEEE 1284, compatibility mode. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"

#define PORT_DATA    0x378
#define PORT_CONTROL 0x37a
#define PORT_COUNT   3

#define RELAY_PORTS 4

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

static int relay(uint32_t word)
{
	if (ioperm(LAB_L1_PORT, RELAY_PORTS, 1))
		return -errno;
	outl(word, LAB_L1_PORT);
	ioperm(LAB_L1_PORT, RELAY_PORTS, 0);
	return 0;
}

/* The buffer stays mapped. */
int lab_relay_attach(struct lab_shared *s, const char **what)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	uint8_t *buffer;

	*what = "/dev/mem";
	if (fd < 0)
		return -errno;
	s->kind = LAB_SHARED_RELAY;
	buffer = mmap(NULL, LAB_L1_BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      LAB_L1_BUFFER_GPA);
	close(fd);
	if (buffer == MAP_FAILED)
		return -errno;
	s->memory = buffer;
	s->bytes = LAB_L1_BUFFER_BYTES;
	return 0;
}

int lab_relay_write(struct lab_shared *s, const uint8_t *data, size_t bytes)
{
	int err = 0;

	for (size_t at = 0, n; !err && at < bytes; at += n) {
		n = bytes - at < s->bytes ? bytes - at : s->bytes;
		memcpy(s->memory, data + at, n);
		err = relay((uint32_t)n);
	}
	return err;
}

void lab_relay_symbols(struct lab_shared *s)
{
	if (s->kind == LAB_SHARED_RELAY)
		(void)relay(LAB_L1_SEND_SYMBOLS);
}

uint32_t lab_relay_exits(const void *shared)
{
	uint32_t exits;

	(void)shared;
	if (ioperm(LAB_L1_PORT, RELAY_PORTS, 1))
		return 0;
	exits = inl(LAB_L1_PORT);
	ioperm(LAB_L1_PORT, RELAY_PORTS, 0);
	return exits;
}

/*
 * Filled with the mark at run time: no other page of the machine's memory, the text of
 * this program included, has this content.
 */
static uint8_t page[LAB_PORT_PAGE_BYTES] __attribute__((aligned(LAB_PORT_PAGE_BYTES)));

/*
 * A second after L1's kernel has enabled its local APIC, L0's KVM no longer looks at each
 * exit whether an APIC is disabled (static_branch_slow_dec_deferred() in
 * arch/x86/kvm/lapic.c).
 */
#define SETTLE_US 1200000

void lab_port_wait(bool relayed, uint8_t *job, size_t bytes)
{
	static const char mark[] = LAB_PORT_PAGE_MARK;
	volatile uint8_t *p = page;

	for (size_t i = 0; i < sizeof(page); i++)
		p[i] = (uint8_t)mark[i % sizeof(mark)];
	if (relayed) {
		usleep(SETTLE_US);
		(void)relay(LAB_L1_READY);
	} else {
		(void)lab_port_write((const uint8_t *)LAB_PORT_READY,
				     LAB_PORT_READY_BYTES);
	}
	for (size_t i = 0; i < bytes; i++)
		job[i] = p[i];
}
