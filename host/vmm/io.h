/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses to ports and MMIO: who serves one that exits to user space, and those
 * that the kernel absorbs (ioeventfds, coalesced rings). `is_pio` chooses between ports
 * and guest-physical addresses.
 */
#ifndef WS_VMM_IO_H
#define WS_VMM_IO_H

#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/exits.h"

/*
 * A write of `bytes` (0: of any width) to `address` signals the returned eventfd without
 * an exit to user space. vm_destroy() closes the eventfd. -errno.
 */
int io_eventfd(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes);

/* As io_eventfd(), for writes of `value` only; other values exit to user space. */
int io_eventfd_match(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes,
		     uint64_t value);

/*
 * Writes to [address, address + bytes) collect in the coalesced ring until the next exit
 * for another reason. -ENOTSUP where KVM has no such ring.
 */
int io_coalesce(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes);

/*
 * Serves the writes in the ring, oldest first, as if each had exited, and counts them in
 * stats.coalesced_mmio. The run loop calls this before it serves an exit. Costs one
 * comparison when the ring is empty.
 */
void io_drain_rings(struct vcpu *vcpu);

/* The parts of io_access() that are not inlined. */
enum exits_answer io_doorbell(struct vcpu *vcpu, const struct vm_access *access);
enum exits_answer io_listener(struct vcpu *vcpu, const struct vm_access *access);

/*
 * Serves one access: the doorbell's, the listener's, or unclaimed: reads return all ones,
 * writes are ignored. EXITS_ANSWERED, EXITS_PENDING or EXITS_STOP_DOORBELL. Inline
 * because it is on the path of every exit to user space.
 */
static inline __attribute__((always_inline)) enum exits_answer
io_access(struct vcpu *vcpu, const struct vm_access *access)
{
	if (!access->is_write)
		memset(access->data, 0xff, access->bytes);
	else if (access->address == arch_doorbell.address &&
		 access->bytes == sizeof(uint32_t) &&
		 access->is_pio == arch_doorbell.is_pio)
		return io_doorbell(vcpu, access);
	if (__builtin_expect(vcpu->vm->listener.access != NULL, 0))
		return io_listener(vcpu, access);
	return EXITS_ANSWERED;
}

#endif
