/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dirty rings: KVM notes each page of a logged slot that the guest writes to first,
 * in a ring per vCPU, and leaves the guest when a ring is nearly full
 * (KVM_EXIT_DIRTY_RING_FULL; Documentation/virt/kvm/api.rst, KVM_CAP_DIRTY_LOG_RING).
 * vm_config.dirty_ring says how many entries they have; 0: none.
 */
#ifndef WS_VMM_DIRTY_RING_H
#define WS_VMM_DIRTY_RING_H

#include "host/vmm/vmm.h"

/* The least that every KVM takes: Intel's page-modification log wants 512 in reserve. */
#define DIRTY_RING_ENTRIES 1024u

/* Before any vCPU is created; 0, -ENOTSUP or -errno with vm->error. */
int dirty_ring_enable(struct vm *vm);

/* Maps the vCPU's own. 0 or -errno with vm->error. Nothing to do without rings. */
int dirty_ring_map(struct vcpu *vcpu);
void dirty_ring_unmap(struct vcpu *vcpu);

/*
 * Takes all entries out of all rings and has their pages noted anew when they are next
 * written. Counts them in vm->dirty_pages. For the thread of `vcpu`; others may run, and
 * do this at the same time. 0 or -errno with vcpu->error.
 */
int dirty_ring_harvest(struct vcpu *vcpu);

#endif
