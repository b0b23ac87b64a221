/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest accesses to ports and addresses that nobody in the kernel owns. */
#include <string.h>

#include "bench/abi.h"
#include "host/vmm/access.h"
#include "host/vmm/arch.h"

static enum exits_answer ring(struct vcpu *vcpu, const uint8_t *data)
{
	const struct vm_listener *listener = &vcpu->vm->listener;
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	if (listener->bell)
		listener->bell(listener->ctx, value);
	return ABI_BELL_KIND(value) == ABI_BELL_STOP ? EXITS_STOP_BELL : EXITS_ANSWERED;
}

static bool is_bell(const struct vm_access *access)
{
	/* The comparison that most accesses fail comes first. */
	if (access->bytes != sizeof(uint32_t))
		return false;
	if (access->is_pio)
		return arch_is_bell_pio((uint16_t)access->address, access->bytes);
	return arch_is_bell_mmio(access->address, access->bytes);
}

enum exits_answer access_serve(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	if (!access->is_write)
		memset(access->data, 0xff, access->bytes);
	else if (is_bell(access))
		return ring(vcpu, access->data);
	if (!listener->access)
		return EXITS_ANSWERED;
	if (listener->access(listener->ctx, vcpu, access) == VM_ANSWERED)
		return EXITS_ANSWERED;
	/* Only KVM's MMIO data can be filled in later: see vcpu_answer(). */
	return access->is_pio || access->is_coalesced ? EXITS_ANSWERED : EXITS_PENDING;
}
