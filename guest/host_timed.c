/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of rows that the host times: executes params.command (enum abi_command).
 * Replaces sample.c.
 */
#include "clock.h" /* of the guest's architecture */
#include "guest/runtime.h"

static void spin(void)
{
	interrupt_allow();
	runtime_doorbell(ABI_DOORBELL_BEGIN);
	for (;;)
		__asm__ volatile("" ::: "memory");
}

/* Rare enough not to slow an emulator down, frequent enough for the other CPU. */
#define SPINS_PER_TURN 256

static void wait(void)
{
	uint32_t i;

	runtime_doorbell(ABI_DOORBELL_BEGIN);
	for (i = 0;; i++) {
		__asm__ volatile("" ::: "memory");
		if (i % SPINS_PER_TURN == 0)
			machine_relax();
	}
}

static void ring_for_ever(void)
{
	for (;;)
		runtime_doorbell(ABI_DOORBELL_BEGIN);
}

/*
 * Whether the differences of two series repeat (bench/abi.h): of `n` so far, the last is
 * new. Series NULL keeps them. Not inlined: the loops around the events stay short.
 */
static __attribute__((noinline)) bool
repeats(const uint64_t *before, const uint64_t *after, uint32_t n, uint32_t block)
{
	uint64_t *differences = runtime_series(ABI_PHASE_NULL);

	if (!n)
		return false;
	differences[n - 1] = after[n - 1] - before[n - 1];
	return abi_repeats(differences, n, block);
}

/*
 * Series EVENT: the clock just before the exit; series TWIN: just after the exit, both by
 * clock_shared(), the counter that the host reads as well.
 */
static void stamp(const struct abi_params *params)
{
	uint64_t *before = runtime_series(ABI_PHASE_EVENT);
	uint64_t *after = runtime_series(ABI_PHASE_TWIN);
	uint32_t i;

	for (i = 0; i < params->events && !repeats(before, after, i, params->repeat);
	     i++) {
		before[i] = clock_shared();
		runtime_doorbell(ABI_DOORBELL_END);
		after[i] = clock_shared();
	}
	runtime_series_end(ABI_PHASE_EVENT, i);
}

/*
 * Series EVENT: the handler's first read of the shared clock; series TWIN: after the end
 * of interrupt.
 */
static void take_interrupts(const struct abi_params *params)
{
	uint64_t *first = runtime_series(ABI_PHASE_EVENT);
	uint64_t *ended = runtime_series(ABI_PHASE_TWIN);
	uint64_t *rung = runtime_series(ABI_PHASE_BATCH);
	uint32_t i;

	if (!interrupt_setup())
		runtime_stop(ABI_STATE_ABSENT);
	for (i = 0; i < params->events && !repeats(rung, ended, i, params->repeat); i++) {
		rung[i] = clock_shared();
		runtime_doorbell(ABI_DOORBELL_END);
		while (interrupt.count <= i)
			;
		first[i] = interrupt.first;
		ended[i] = interrupt.ended;
	}
	runtime_series_end(ABI_PHASE_EVENT, i);
}

void sample_all(const struct abi_params *params)
{
	switch (params->command) {
	case ABI_COMMAND_SPIN:
		spin();
		break;
	case ABI_COMMAND_WAIT:
		wait();
		break;
	case ABI_COMMAND_DOORBELL:
		ring_for_ever();
		break;
	case ABI_COMMAND_STAMP:
		stamp(params);
		break;
	case ABI_COMMAND_INTERRUPT:
		take_interrupts(params);
		break;
	default:
		runtime_stop(ABI_STATE_REFUSED);
	}
}
