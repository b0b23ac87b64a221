/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory slots other than RAM, for payloads that fault on purpose, and dirty tracking. */
#ifndef WS_VMM_MEMORY_H
#define WS_VMM_MEMORY_H

#include "host/vmm/vmm.h"

/* Above RAM and all devices of both architectures. */
#define SLOT_GPA 0x100000000ull

/* KVM's number of vm->slot[index]; slot 0 is RAM. */
#define SLOT_ID(index) (1u + (index))

struct slot_options {
	bool readonly;	/* guest writes exit as MMIO */
	bool dirty_log; /* the first write to each page faults */
	bool huge;	/* 2 MiB pages, or -ENOTSUP */
	bool populate;	/* the host's pages are allocated; the guest has no mapping */
	/* Without the others: allocated pages of a guest_memfd, which the host has
	 * mapped. */
	bool guest_memfd;
	/* Without the others, in a VM with config.sw_protected: allocated pages of the
	 * host, which are shared, and of a guest_memfd, for memory_convert(). */
	bool private;
};

/* Adds `bytes` of memory at `gpa`; vm_destroy() frees it. */
int slot_add(struct vm *vm, uint64_t gpa, uint64_t bytes, const struct slot_options *o);

/*
 * Adds `bytes` at `hva`, whole pages that the caller has mapped, such as the BAR of a
 * device. vm_destroy() unmaps them.
 */
int slot_add_mapped(struct vm *vm, uint64_t gpa, void *hva, uint64_t bytes);

/* Reads and clears the dirty log of the slot at `gpa`: every page faults again. */
int slot_clear_dirty(struct vm *vm, uint64_t gpa, uint64_t *dirty_pages);

/* Drops the guest's mapping of the slot at `gpa`; the host's pages stay. */
int slot_unmap(struct vm *vm, uint64_t gpa);

/*
 * x86_64: KVM keeps so many tables of shadow paging, those of nested paging included. Its
 * default is a fiftieth of the VM's pages, and at least 64; it drops the oldest ones.
 */
int memory_shadow_tables(struct vm *vm, unsigned int tables);

/*
 * Registers vm->slot[index] again, at `gpa` and with the flags of `o` (readonly,
 * dirty_log): creates the slot after slot_delete(), moves it, or changes its flags. The
 * host's pages stay.
 */
int slot_register(struct vm *vm, uint32_t index, uint64_t gpa,
		  const struct slot_options *o);

/*
 * KVM_SET_MEMORY_ATTRIBUTES: pages of slots with options.private become private or
 * shared, and the guest's mappings are dropped. -EINVAL if [gpa, gpa + bytes) is not
 * whole pages of one slot other than RAM.
 */
int memory_convert(struct vm *vm, uint64_t gpa, uint64_t bytes, bool private);

/* KVM forgets vm->slot[index]; the host's pages stay. */
int slot_delete(struct vm *vm, uint32_t index);

/*
 * KVM_PRE_FAULT_MEMORY of vm->slot[index] by the boot CPU: KVM maps all its pages.
 * -ENOTSUP: this KVM cannot (Linux 6.11; x86_64).
 */
int slot_pre_fault(struct vm *vm, uint32_t index);

/*
 * Before a slot with a dirty log: enables manual protection where KVM has it, so that a
 * page is write-protected when the log is cleared, not when it is read. VMMs that migrate
 * guests do so.
 */
void dirty_log_init(struct vm *vm);

/*
 * The two halves of dirty_log_read(), with a bit per page of vm->slot[index]. Without
 * manual protection (dirty_log_init()) dirty_log_get() clears the log as well, and
 * dirty_log_clear() does nothing.
 */
int dirty_log_get(struct vm *vm, uint32_t index, uint64_t *bitmap);
int dirty_log_clear(struct vm *vm, uint32_t index, uint64_t *bitmap);

/* Reads and clears the dirty log of vm->slot[index]. */
int dirty_log_read(struct vm *vm, uint32_t index, uint64_t *dirty_pages);

/*
 * Dirty rings: KVM records the first write to each page of a logged slot in a ring per
 * vCPU, and exits when a ring is nearly full (KVM_EXIT_DIRTY_RING_FULL;
 * Documentation/virt/kvm/api.rst, KVM_CAP_DIRTY_LOG_RING). vm_config.dirty_ring is the
 * number of entries.
 *
 * The smallest number that every KVM accepts: Intel's page-modification log reserves 512.
 */
#define DIRTY_RING_ENTRIES 1024u

/* Before any vCPU is created. Does nothing without rings. */
int dirty_ring_enable(struct vm *vm);

/* Maps the vCPU's ring. Does nothing without rings. */
int dirty_ring_map(struct vcpu *vcpu);
void dirty_ring_unmap(struct vcpu *vcpu);

/*
 * Reads all entries of all rings, counts them in vm->dirty_pages and resets them: KVM
 * records the next write to their pages. For the thread of `vcpu`; other vCPUs may run
 * and call this at the same time.
 */
int dirty_ring_harvest(struct vcpu *vcpu);

#endif
