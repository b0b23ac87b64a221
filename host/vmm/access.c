/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest accesses that somebody takes: the doorbell, the listener. */
#include "bench/abi.h"
#include "host/vmm/access.h"

enum exits_answer access_ring(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;
	uint32_t value;

	memcpy(&value, access->data, sizeof(value));
	if (listener->doorbell && !vcpu->index)
		listener->doorbell(listener->ctx, value);
	return ABI_DOORBELL_KIND(value) == ABI_DOORBELL_STOP ? EXITS_STOP_DOORBELL
							     : EXITS_ANSWERED;
}

enum exits_answer access_listen(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	if (listener->access(listener->ctx, vcpu, access) == VM_ANSWERED)
		return EXITS_ANSWERED;
	/* Only KVM's MMIO data can be filled in later: see vcpu_answer(). */
	return access->is_pio || access->is_coalesced ? EXITS_ANSWERED : EXITS_PENDING;
}
