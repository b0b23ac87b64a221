/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One guest access that reached user space, and who takes it: the doorbell's, the
 * listener's, or nobody's; then reads are all ones and writes are swallowed.
 */
#ifndef WS_VMM_ACCESS_H
#define WS_VMM_ACCESS_H

#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/exits.h"

/* The rare part of access_serve(). */
enum exits_answer access_ring(struct vcpu *vcpu, const struct vm_access *access);
enum exits_answer access_listen(struct vcpu *vcpu, const struct vm_access *access);

/*
 * EXITS_ANSWERED, EXITS_PENDING or EXITS_STOP_DOORBELL. Inline, because it is on the path
 * of every exit to user space.
 */
static inline __attribute__((always_inline)) enum exits_answer
access_serve(struct vcpu *vcpu, const struct vm_access *access)
{
	if (!access->is_write)
		memset(access->data, 0xff, access->bytes);
	else if (access->address == arch_doorbell.address &&
		 access->bytes == sizeof(uint32_t) &&
		 access->is_pio == arch_doorbell.is_pio)
		return access_ring(vcpu, access);
	if (__builtin_expect(vcpu->vm->listener.access != NULL, 0))
		return access_listen(vcpu, access);
	return EXITS_ANSWERED;
}

#endif
