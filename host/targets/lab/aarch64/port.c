/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arm64 machines have no parallel port, and no L1. */
#include <errno.h>

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

int lab_relay_write(const uint8_t *data, size_t bytes)
{
	return lab_port_write(data, bytes);
}

uint32_t lab_relay_exits(void)
{
	return 0;
}

int lab_l1_run(const char *cmdline, struct error *err)
{
	(void)cmdline;
	return error_set(err, -ENOTSUP, "a lab with L1 exists on x86_64 only");
}
