/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses that the kernel absorbs on the VMM's behalf. KVM has one ring of
 * coalesced writes per VM, in a page behind every vCPU's run page; each entry says
 * whether it is a port's or an address's.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/vmm/access.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"

static int refuse_ports(struct vm *vm)
{
	return vm_fail(vm, -ENOTSUP, "there are no I/O ports on this architecture");
}

/* Fills in `request->fd`, which the VM then owns. */
static int add_eventfd(struct vm *vm, struct kvm_ioeventfd *request)
{
	const bool is_pio = request->flags & KVM_IOEVENTFD_FLAG_PIO;
	int err;

	if (is_pio && vmm_arch != ARCH_X86_64)
		return refuse_ports(vm);
	if (!kvm_extension(vm->fd, KVM_CAP_IOEVENTFD) ||
	    (!request->len && !kvm_extension(vm->fd, KVM_CAP_IOEVENTFD_ANY_LENGTH)))
		return vm_fail(vm, -ENOTSUP, "this KVM has no such ioeventfd");
	if (vm->eventfds == VM_EVENTFDS_MAX)
		return vm_fail(vm, -ENOSPC, "no room for another eventfd");
	request->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (request->fd < 0)
		return vm_fail(vm, -errno, "eventfd: %m");
	if (ioctl(vm->fd, KVM_IOEVENTFD, request)) {
		err = vm_fail(vm, -errno, "KVM_IOEVENTFD at 0x%llx: %m",
			      (unsigned long long)request->addr);
		close(request->fd);
		return err;
	}
	vm->eventfd[vm->eventfds++] = request->fd;
	return request->fd;
}

int io_eventfd(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes)
{
	struct kvm_ioeventfd request = {
		.addr = address,
		.len = bytes,
		.flags = is_pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};

	return add_eventfd(vm, &request);
}

int io_eventfd_match(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes,
		     uint64_t value)
{
	struct kvm_ioeventfd request = {
		.datamatch = value,
		.addr = address,
		.len = bytes,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH |
			 (is_pio ? KVM_IOEVENTFD_FLAG_PIO : 0),
	};

	return add_eventfd(vm, &request);
}

/* Finds the ring behind the run page, once. */
static int map_ring(struct vm *vm)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct vcpu *vcpu = &vm->vcpus[0];
	int pages = kvm_extension(vm->fd, KVM_CAP_COALESCED_MMIO);

	if (vm->ring)
		return 0;
	if (pages <= 0)
		return vm_fail(vm, -ENOTSUP, "this KVM has no ring of coalesced writes");
	if (!vcpu->run || ((size_t)pages + 1) * page > vcpu->run_bytes)
		return vm_fail(
			vm, -EINVAL,
			"the ring of coalesced writes is to be page %d of %zu bytes",
			pages, vcpu->run_bytes);
	vm->ring = (struct kvm_coalesced_mmio_ring *)((uint8_t *)vcpu->run +
						      (size_t)pages * page);
	vm->ring_entries = (uint32_t)((page - sizeof(struct kvm_coalesced_mmio_ring)) /
				      sizeof(struct kvm_coalesced_mmio));
	return 0;
}

int io_coalesce(struct vm *vm, bool is_pio, uint64_t address, uint32_t bytes)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = address,
		.size = bytes,
		.pio = is_pio,
	};
	int err;

	if (is_pio && vmm_arch != ARCH_X86_64)
		return refuse_ports(vm);
	if (is_pio && !kvm_extension(vm->fd, KVM_CAP_COALESCED_PIO))
		return vm_fail(vm, -ENOTSUP,
			       "this KVM coalesces no port writes (Linux 4.20)");
	err = map_ring(vm);
	if (err)
		return err;
	if (ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone))
		return vm_fail(vm, -errno, "KVM_REGISTER_COALESCED_MMIO at 0x%llx: %m",
			       (unsigned long long)address);
	return 0;
}

static void serve_entry(struct vcpu *vcpu, struct kvm_coalesced_mmio entry)
{
	const struct vm_access access = {
		.address = entry.phys_addr,
		.bytes = entry.len,
		.data = entry.data,
		.is_pio = entry.pio,
		.is_write = true,
		.is_coalesced = true,
	};

	if (entry.len > sizeof(entry.data))
		return; /* KVM takes none that is longer */
	vcpu->stats.coalesced_mmio++;
	(void)access_serve(vcpu, &access);
}

static void drain(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_coalesced_mmio_ring *ring = vm->ring;
	uint32_t first, last;

	/* The ring is the VM's, and every vCPU's thread empties it. */
	pthread_mutex_lock(&vm->ring_lock);
	first = ring->first;
	last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	while (first != last && first < vm->ring_entries && last < vm->ring_entries) {
		serve_entry(vcpu, ring->coalesced_mmio[first]);
		first = (first + 1) % vm->ring_entries;
		__atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
		last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	}
	pthread_mutex_unlock(&vm->ring_lock);
}

void io_drain_rings(struct vcpu *vcpu)
{
	struct kvm_coalesced_mmio_ring *ring = vcpu->vm->ring;

	/* On the path of every exit: the lock is for when there is something. */
	if (ring && ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
		drain(vcpu);
}
