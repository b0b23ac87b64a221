/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arm64 machines have no parallel port; L1 reaches the wire of L0's machine itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"

int lab_port_probe(void)
{
	return -ENODEV;
}

int lab_port_write(const uint8_t *data, size_t bytes)
{
	(void)data;
	(void)bytes;
	return -ENODEV;
}

void lab_port_wait(bool relayed, uint8_t *job, size_t bytes)
{
	(void)relayed;
	(void)job;
	(void)bytes;
}

int lab_relay_write(struct lab_shared *s, const uint8_t *data, size_t bytes)
{
	(void)s;
	return lab_port_write(data, bytes);
}

/* A range that is not memory: a device's, which is what it is. */
static uint8_t *map_gpa(int fd, uint32_t gpa, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, gpa);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Registers and wire stay mapped. */
int lab_relay_attach(struct lab_shared *s, const char **what)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC), ret = 0;

	*what = "/dev/mem";
	if (fd < 0)
		return -errno;
	s->kind = LAB_SHARED_MEMORY;
	s->bytes = LAB_SHARED_BYTES;
	s->l0 = (volatile uint32_t *)(void *)map_gpa(fd, LAB_L1_REGISTERS_GPA, page);
	s->memory = map_gpa(fd, LAB_L1_WIRE_GPA, s->bytes);
	if (!s->l0 || !s->memory)
		ret = -errno;
	close(fd);
	return ret;
}

void lab_relay_symbols(struct lab_shared *s)
{
	if (s->in_l1)
		s->l0[LAB_L1_SYMBOLS] = 1;
}

uint32_t lab_relay_exits(const void *shared)
{
	const struct lab_shared *s = shared;

	return s->l0[LAB_L1_EXITS];
}
