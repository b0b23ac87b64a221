/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arm64 machines have no parallel port. */
#include <errno.h>

#include "host/targets/lab/shared.h"

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

void lab_port_wait(uint8_t *job, size_t bytes)
{
	(void)job;
	(void)bytes;
}
