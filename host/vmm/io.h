/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses that the kernel absorbs on the VMM's behalf: ioeventfds and the
 * coalesced rings. `is_pio` chooses between ports and guest-physical addresses.
 */
#ifndef WS_VMM_IO_H
#define WS_VMM_IO_H

#include "host/vmm/vmm.h"

/*
 * A write of `bytes` (0: of any width) to `address` signals the eventfd that is
 * returned, without leaving the kernel. vm_destroy() closes it. -errno.
 */
int io_eventfd(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes);

/* The same, if what is written is `value`; other values leave the kernel. */
int io_eventfd_match(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes,
		     uint64_t value);

/*
 * Writes to [address, address + bytes) collect in the ring of their kind until the
 * next exit for another reason. -ENOTSUP where KVM has no such ring.
 */
int io_coalesce(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes);

/*
 * Handles what stands in the rings, oldest first, as if each write had exited:
 * counted in stats.coalesced_mmio, handed to the devices. The run loop calls it
 * before it serves any exit. Costs a comparison where there is no ring.
 */
void io_drain_rings(struct vcpu *vcpu);

#endif
