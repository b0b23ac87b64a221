/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of rows about message-signalled interrupts: at each doorbell the host sends
 * params.operand messages, and the payload waits for all of them. Replaces sample.c.
 * Not a part of host_timed.c, because the tables of the ITS are larger than that image.
 */
#include "clock.h" /* of the guest's architecture */
#include "guest/runtime.h"

/*
 * Series EVENT: the first read of the shared clock by the handler of the last message;
 * series TWIN: after its end of interrupt.
 */
void sample_all(const struct abi_params *params)
{
	uint64_t *first = runtime_series(ABI_PHASE_EVENT);
	uint64_t *ended = runtime_series(ABI_PHASE_TWIN);
	uint64_t *differences = runtime_series(ABI_PHASE_NULL);
	uint64_t count = 0, rung;
	uint32_t i;

	if (!interrupt_setup_msi(params->operand))
		runtime_stop(ABI_STATE_ABSENT);
	for (i = 0; i < params->events && !abi_repeats(differences, i, params->repeat);
	     i++) {
		rung = clock_shared();
		runtime_doorbell(ABI_DOORBELL_END);
		count += params->operand;
		while (interrupt.count < count)
			;
		first[i] = interrupt.first;
		ended[i] = interrupt.ended;
		differences[i] = ended[i] - rung;
	}
	runtime_series_end(ABI_PHASE_EVENT, i);
}
