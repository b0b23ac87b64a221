/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that overwrites all shared memory, and writes garbage to every doorbell. */
#include "clock.h" /* of the guest's architecture: GUEST_RAM_GPA */
#include "guest/runtime.h"

#define NONSENSE 0xa5a5a5a5a5a5a5a5ull

static void overwrite(uint64_t offset, uint64_t bytes)
{
	volatile uint64_t *p = (volatile uint64_t *)(GUEST_RAM_GPA + offset);
	uint64_t i;

	for (i = 0; i < bytes / sizeof(*p); i++)
		p[i] = NONSENSE;
}

void sample_all(const struct abi_params *params)
{
	const uint32_t flags = params->flags;
	uint32_t phase;

	overwrite(ABI_PAGE_OFFSET, ABI_PAGE_BYTES);
	overwrite(ABI_SERIES_OFFSET, ABI_PHASES * ABI_SERIES_MAX * sizeof(uint64_t));
	if (flags & ABI_FLAG_DOORBELL) {
		for (phase = 0; phase <= 0xff; phase++) {
			/* An end without a beginning, two beginnings, no doorbell. */
			machine_doorbell(ABI_DOORBELL(ABI_DOORBELL_END, phase));
			machine_doorbell(ABI_DOORBELL(ABI_DOORBELL_BEGIN, phase));
			machine_doorbell(ABI_DOORBELL(ABI_DOORBELL_BEGIN, phase));
			machine_doorbell(ABI_DOORBELL(0xa5, phase));
		}
		machine_doorbell(0xffffff00u | ABI_DOORBELL_STOP);
	}
	machine_off();
}
