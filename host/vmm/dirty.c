/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty tracking: the dirty log of a memory slot, and the dirty rings of the vCPUs. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"

void dirty_log_init(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};

	if (vm->dirty_log_manual ||
	    !(kvm_check_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) &
	      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE))
		return;
	vm->dirty_log_manual = !__vm_ioctl(vm, KVM_ENABLE_CAP, &cap);
}

static uint64_t pages_of(const struct vm_slot *slot)
{
	return slot->bytes / (uint64_t)sysconf(_SC_PAGESIZE);
}

int dirty_log_get(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = SLOT_ID(index), .dirty_bitmap = bitmap };

	return vm_ioctl_on(vm, KVM_GET_DIRTY_LOG, &log, "at 0x%llx",
			   (unsigned long long)vm->slot[index].gpa);
}

static int clear_log(struct vm *vm, const struct vm_slot *slot, uint32_t id,
		     uint64_t pages, void *bitmap)
{
	struct kvm_clear_dirty_log clear = {
		.slot = id,
		.num_pages = (uint32_t)pages,
		.dirty_bitmap = bitmap,
	};

	return vm_ioctl_on(vm, KVM_CLEAR_DIRTY_LOG, &clear, "at 0x%llx",
			   (unsigned long long)slot->gpa);
}

int dirty_log_clear(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	const struct vm_slot *slot = &vm->slot[index];

	if (!vm->dirty_log_manual)
		return 0;
	return clear_log(vm, slot, SLOT_ID(index), pages_of(slot), bitmap);
}

int dirty_log_read(struct vm *vm, uint32_t index, uint64_t *dirty_pages)
{
	const size_t words = (size_t)(pages_of(&vm->slot[index]) + 63) / 64;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	size_t i;
	int err;

	if (!bitmap)
		return error_set(&vm->error, -ENOMEM, "out of memory");
	err = dirty_log_get(vm, index, bitmap);
	if (!err)
		err = dirty_log_clear(vm, index, bitmap);
	*dirty_pages = 0;
	for (i = 0; !err && i < words; i++)
		*dirty_pages += (uint64_t)__builtin_popcountll(bitmap[i]);
	free(bitmap);
	return err;
}

/* KVM_DIRTY_LOG_PAGE_OFFSET of both architectures; older arm64 headers have 0. */
#define RING_PAGE 64

int dirty_ring_enable(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL };
	int most;

	if (!vm->config.dirty_ring)
		return 0;
	most = kvm_check_cap(vm->fd, cap.cap);
	if (most <= 0) {
		cap.cap = KVM_CAP_DIRTY_LOG_RING;
		most = kvm_check_cap(vm->fd, cap.cap);
	}
	cap.args[0] = vm->config.dirty_ring * sizeof(struct kvm_dirty_gfn);
	if (most <= 0)
		return error_set(&vm->error, -ENOTSUP, "this KVM has no dirty rings");
	if (cap.args[0] > (uint64_t)most)
		return error_set(&vm->error, -EINVAL,
				 "this KVM's dirty rings have at most %zu entries",
				 most / sizeof(struct kvm_dirty_gfn));
	return vm_ioctl_on(vm, KVM_ENABLE_CAP, &cap, "of dirty rings with %u entries",
			   vm->config.dirty_ring);
}

static size_t ring_bytes(const struct vm *vm)
{
	return vm->config.dirty_ring * sizeof(struct kvm_dirty_gfn);
}

int dirty_ring_map(struct vcpu *vcpu)
{
	const off_t at = RING_PAGE * sysconf(_SC_PAGESIZE);
	void *ring;

	if (!vcpu->vm->config.dirty_ring)
		return 0;
	ring = mmap(NULL, ring_bytes(vcpu->vm), PROT_READ | PROT_WRITE, MAP_SHARED,
		    vcpu->fd, at);
	if (ring == MAP_FAILED)
		return error_set(vcpu->error, -errno, "cannot map the dirty ring: %m");
	vcpu->dirty_ring = ring;
	return 0;
}

void dirty_ring_unmap(struct vcpu *vcpu)
{
	if (vcpu->dirty_ring)
		munmap(vcpu->dirty_ring, ring_bytes(vcpu->vm));
	vcpu->dirty_ring = NULL;
}

/*
 * An entry is free, then dirty, then to be reset. KVM writes the page number before the
 * dirty flag; the entry must be read before KVM sees the reset flag.
 */
static void harvest(struct vcpu *vcpu)
{
	const uint32_t mask = vcpu->vm->config.dirty_ring - 1;
	struct kvm_dirty_gfn *entry;

	for (;; vcpu->dirty_next++) {
		entry = &vcpu->dirty_ring[vcpu->dirty_next & mask];
		if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) &
		      KVM_DIRTY_GFN_F_DIRTY))
			return;
		vcpu->vm->dirty_pages++;
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	}
}

int dirty_ring_harvest(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned int i;
	int err;

	pthread_mutex_lock(&vm->dirty_lock);
	for (i = 0; i < vm->config.vcpus; i++)
		if (vm->vcpus[i].dirty_ring)
			harvest(&vm->vcpus[i]);
	err = __kvm_ioctl_value(vm->fd, KVM_RESET_DIRTY_RINGS, KVM_NONE);
	if (err < 0)
		error_set(vcpu->error, err, "KVM_RESET_DIRTY_RINGS: %s", strerror(-err));
	pthread_mutex_unlock(&vm->dirty_lock);
	return err < 0 ? err : 0;
}
