/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest accesses to ports and addresses that nobody in the kernel owns. */
#include <string.h>

#include "bench/abi.h"
#include "host/vmm/access.h"
#include "host/vmm/arch.h"

static bool is_bell(const struct vm_access *access)
{
	if (!access->is_write)
		return false;
	if (access->is_pio)
		return arch_is_bell_pio((uint16_t)access->address, access->bytes);
	return arch_is_bell_mmio(access->address, access->bytes);
}

bool access_serve(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;
	uint32_t value;

	if (!is_bell(access)) {
		if (!access->is_write)
			memset(access->data, 0xff, access->bytes);
		if (listener->access)
			listener->access(listener->ctx, vcpu, access);
		return false;
	}
	memcpy(&value, access->data, sizeof(value));
	if (listener->bell)
		listener->bell(listener->ctx, value);
	return ABI_BELL_KIND(value) == ABI_BELL_STOP;
}
