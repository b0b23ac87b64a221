/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dirty rings, their entries' three states and KVM's part in them. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/vmm/dirty_ring.h"

/* Beside KVM_CAP_DIRTY_LOG_RING, for CPUs that reorder more (Linux 6.1). */
#define CAP_DIRTY_LOG_RING_ACQ_REL 223

/* KVM_DIRTY_LOG_PAGE_OFFSET of both architectures; older headers of arm64's say 0. */
#define RING_PAGE 64

int dirty_ring_enable(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = CAP_DIRTY_LOG_RING_ACQ_REL };
	int most;

	if (!vm->config.dirty_ring)
		return 0;
	most = kvm_extension(vm->fd, cap.cap);
	if (most <= 0) {
		cap.cap = KVM_CAP_DIRTY_LOG_RING;
		most = kvm_extension(vm->fd, cap.cap);
	}
	cap.args[0] = vm->config.dirty_ring * sizeof(struct kvm_dirty_gfn);
	if (most <= 0)
		return vm_fail(vm, -ENOTSUP, "this KVM has no dirty rings");
	if (cap.args[0] > (uint64_t)most)
		return vm_fail(vm, -EINVAL, "this KVM's dirty rings hold %zu entries",
			       most / sizeof(struct kvm_dirty_gfn));
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return vm_fail(vm, -errno, "a dirty ring of %u entries: %m",
			       vm->config.dirty_ring);
	return 0;
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
		return vcpu_fail(vcpu, -errno, "cannot map the vCPU's dirty ring: %m");
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
 * An entry is KVM's, then dirty, then to be reset: KVM writes the page's number before
 * it says dirty, and must not see the reset before we have read it.
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
	int err = 0;

	pthread_mutex_lock(&vm->dirty_lock);
	for (i = 0; i < vm->config.vcpus; i++)
		if (vm->vcpus[i].dirty_ring)
			harvest(&vm->vcpus[i]);
	if (ioctl(vm->fd, KVM_RESET_DIRTY_RINGS) < 0)
		err = vcpu_fail(vcpu, -errno, "KVM_RESET_DIRTY_RINGS: %m");
	pthread_mutex_unlock(&vm->dirty_lock);
	return err;
}
