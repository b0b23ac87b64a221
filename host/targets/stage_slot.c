/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages of second-stage faults: memory slots whose pages are not yet mapped. */
#include "host/targets/stage_rows.h"
#include "host/vmm/memory.h"

#define PAGE_BYTES 0x1000ull
#define HUGE_BYTES 0x200000ull

_Static_assert(SLOT_GPA == ABI_SLOT_GPA, "guest and host name the same address");

/*
 * A page for every body of a boot. In whole huge pages, as KVM asks only there whether
 * it could map one, and that costs.
 */
static uint64_t bodies_bytes(const struct abi_params *p)
{
	uint64_t bytes = PAGE_BYTES * abi_bodies(p);

	return (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
}

int stage_first_touch_4k(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .populate = true };

	return slot_add(vm, SLOT_GPA, bodies_bytes(params), &options);
}

/*
 * The guest has touched all pages, so that the host counts them as in use; it would
 * otherwise do so in every 15th event. Now they are taken away from the guest again.
 */
void stage_first_touch_4k_doorbell(struct vm *vm, enum abi_doorbell doorbell,
				   enum abi_phase phase)
{
	if (doorbell == ABI_DOORBELL_BEGIN && phase == ABI_PHASE_WARMUP)
		(void)slot_unmap(vm, SLOT_GPA);
}

/*
 * One huge page that is taken away again before each event, and a neighbour that stays,
 * or the table that holds both would come and go with it.
 */
int stage_first_touch_2m(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .huge = true, .populate = true };
	int err = slot_add(vm, SLOT_GPA, HUGE_BYTES, &options);

	(void)params;
	return err ? err : slot_add(vm, SLOT_GPA + HUGE_BYTES, HUGE_BYTES, &options);
}

/* What goes wrong here shows in the exits, which then do not add up. */
void stage_first_touch_2m_doorbell(struct vm *vm, enum abi_doorbell doorbell,
				   enum abi_phase phase)
{
	(void)phase;
	if (doorbell == ABI_DOORBELL_AGAIN)
		(void)slot_unmap(vm, SLOT_GPA);
}

int stage_dirty_log(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .dirty_log = true, .populate = true };

	return slot_add(vm, SLOT_GPA, bodies_bytes(params), &options);
}

/* The guest has written to all pages: from here on each is write-protected, once. */
void stage_dirty_log_doorbell(struct vm *vm, enum abi_doorbell doorbell,
			      enum abi_phase phase)
{
	uint64_t dirty;

	if (doorbell == ABI_DOORBELL_BEGIN && phase == ABI_PHASE_WARMUP)
		(void)slot_clear_dirty(vm, SLOT_GPA, &dirty);
}

int stage_readonly(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .readonly = true, .populate = true };

	(void)params;
	return slot_add(vm, SLOT_GPA, PAGE_BYTES, &options);
}
