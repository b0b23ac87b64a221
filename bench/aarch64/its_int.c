/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An LPI by the ITS' own INT command: from the store that makes the ITS read its queue
 * until the handler has acknowledged and ended the interrupt. The handler tells by X1.
 */
#define BODY_HAS_SETUP 1
#include "bench/body.h"
#include "guest/aarch64/gic.h"
#include "guest/aarch64/its.h"

static uint32_t cwriter;

GIC_HANDLER(on_lpi, "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t"
		    "mov x1, #1\n\t");

BODY enum body_presence body_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init() || !its_init(&cwriter))
		return BODY_ABSENT;
	gic_handler(on_lpi);
	return BODY_PRESENT;
}

BODY void body(void)
{
	cwriter = (cwriter + ITS_COMMAND_BYTES) % ITS_QUEUE_BYTES;
	__asm__ volatile("mov x1, #0\n\t"
			 "str %w0, [%1]\n\t"
			 "1: cbz x1, 1b" ::"r"(cwriter),
			 "r"(ITS_CWRITER_GPA)
			 : "x1", "memory");
}

BODY void body_twin(void)
{
	static uint32_t nowhere;

	nowhere = (nowhere + ITS_COMMAND_BYTES) % ITS_QUEUE_BYTES;
	__asm__ volatile("mov x1, #1\n\t"
			 "nop\n\t"
			 "1: cbz x1, 1b" ::"r"(nowhere),
			 "r"(ITS_CWRITER_GPA)
			 : "x1", "memory");
}
