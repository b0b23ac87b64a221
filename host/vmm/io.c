/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses to ports and MMIO, and interrupts through the in-kernel controller;
 * interrupts without one are in x86_64/machine.c. KVM has one ring of coalesced writes
 * per VM, in a page behind the run page of every vCPU; an entry says whether the write is
 * PIO or MMIO.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/kvm_ioctl.h"

enum exits_answer io_doorbell(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;
	uint32_t value;

	memcpy(&value, access->data, sizeof(value));
	if (listener->any_doorbell)
		listener->any_doorbell(listener->ctx, vcpu, value);
	else if (listener->doorbell && !vcpu->index)
		listener->doorbell(listener->ctx, value);
	return ABI_DOORBELL_KIND(value) == ABI_DOORBELL_STOP ? EXITS_STOP_DOORBELL
							     : EXITS_ANSWERED;
}

enum exits_answer io_listener(struct vcpu *vcpu, const struct vm_access *access)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	if (listener->access(listener->ctx, vcpu, access) == VM_ANSWERED)
		return EXITS_ANSWERED;
	/* Only kvm_run.mmio keeps the data of a later answer: vcpu_answer(). */
	return access->is_pio || access->is_coalesced ? EXITS_ANSWERED : EXITS_PENDING;
}

static int check_ports(struct vm *vm, bool is_pio)
{
	if (is_pio && vmm_arch != ARCH_X86_64)
		return error_set(&vm->error, -ENOTSUP,
				 "this architecture has no I/O ports");
	return 0;
}

/* Returns the eventfd, which the VM owns, or -errno. */
static int add_eventfd(struct vm *vm, struct kvm_ioeventfd *request)
{
	int err = check_ports(vm, request->flags & KVM_IOEVENTFD_FLAG_PIO);

	if (err)
		return err;
	if (!kvm_check_cap(vm->fd, KVM_CAP_IOEVENTFD) ||
	    (!request->len && !kvm_check_cap(vm->fd, KVM_CAP_IOEVENTFD_ANY_LENGTH)))
		return error_set(&vm->error, -ENOTSUP, "this KVM has no such ioeventfd");
	if (vm->eventfds == VM_EVENTFDS_MAX)
		return error_set(&vm->error, -ENOSPC, "too many eventfds");
	request->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (request->fd < 0)
		return error_set(&vm->error, -errno, "eventfd: %m");
	err = vm_ioctl_on(vm, KVM_IOEVENTFD, request, "at 0x%llx",
			  (unsigned long long)request->addr);
	if (err) {
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
	int pages = kvm_check_cap(vm->fd, KVM_CAP_COALESCED_MMIO);

	if (vm->ring)
		return 0;
	if (pages <= 0)
		return error_set(&vm->error, -ENOTSUP, "this KVM has no coalesced ring");
	if (!vcpu->run || ((size_t)pages + 1) * page > vcpu->run_bytes)
		return error_set(
			&vm->error, -EINVAL,
			"page %d, the coalesced ring, is not among the %zu bytes of the run pages",
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
	int err = check_ports(vm, is_pio);

	if (err)
		return err;
	if (is_pio && !kvm_check_cap(vm->fd, KVM_CAP_COALESCED_PIO))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM cannot coalesce port writes (Linux 4.20)");
	err = map_ring(vm);
	return err ? err
		   : vm_ioctl_on(vm, KVM_REGISTER_COALESCED_MMIO, &zone, "at 0x%llx",
				 (unsigned long long)address);
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
		return; /* KVM coalesces no longer write */
	vcpu->stats.coalesced_mmio++;
	(void)io_access(vcpu, &access);
}

static void drain(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_coalesced_mmio_ring *ring = vm->ring;
	uint32_t first, last;

	/* The threads of all vCPUs read the ring. */
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

	/* On the path of every exit: no lock while the ring is empty. */
	if (ring && ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
		drain(vcpu);
}

bool irq_window_is_open(const struct vcpu *vcpu)
{
	return vcpu->run->ready_for_interrupt_injection;
}

int irq_set_line(struct vm *vm, uint32_t line, bool level)
{
	struct kvm_irq_level request = { .level = level };
	int err = arch_irq_line(vm, line, &request.irq);

	return err ? err : vm_ioctl_on(vm, KVM_IRQ_LINE, &request, "%u", line);
}

/* An eventfd, which the VM owns, that injects GSI `gsi`; or -errno. */
static int add_irqfd(struct vm *vm, uint32_t gsi)
{
	struct kvm_irqfd request = { .gsi = gsi };
	int err, fd;

	if (!kvm_check_cap(vm->fd, KVM_CAP_IRQFD))
		return error_set(&vm->error, -ENOTSUP, "this KVM has no irqfd");
	if (vm->eventfds == VM_EVENTFDS_MAX)
		return error_set(&vm->error, -ENOSPC, "too many eventfds");
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return error_set(&vm->error, -errno, "eventfd: %m");
	request.fd = (uint32_t)fd;
	err = vm_ioctl_on(vm, KVM_IRQFD, &request, "of GSI %u", gsi);
	if (err) {
		close(fd);
		return err;
	}
	vm->eventfd[vm->eventfds++] = fd;
	return fd;
}

int irq_fd(struct vm *vm, uint32_t line)
{
	uint32_t gsi;
	int err = arch_irq_gsi(vm, line, &gsi);

	return err ? err : add_irqfd(vm, gsi);
}

/* Behind the lines of an IOAPIC. */
#define MSI_GSI 24

int irq_fd_msi(struct vm *vm, const struct irq_message *m)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} table = {
		.head.nr = 1,
		.entry = { .gsi = MSI_GSI,
			   .type = KVM_IRQ_ROUTING_MSI,
			   .flags = m->flags,
			   .u.msi = { .address_lo = (uint32_t)m->address,
				      .address_hi = (uint32_t)(m->address >> 32),
				      .data = m->data } },
	};
	int err = vm_ioctl_on(vm, KVM_SET_GSI_ROUTING, &table.head, "of GSI %u", MSI_GSI);

	return err ? err : add_irqfd(vm, MSI_GSI);
}

int irq_msi_init(struct vm *vm, struct irq_message *m, uint64_t address, uint32_t data)
{
	*m = (struct irq_message){ address, data, arch_msi_flags(vm) };
	if (!kvm_check_cap(vm->fd, KVM_CAP_SIGNAL_MSI))
		return error_set(&vm->error, -ENOTSUP, "this KVM has no KVM_SIGNAL_MSI");
	return 0;
}

int irq_msi_send(struct vm *vm, const struct irq_message *m)
{
	struct kvm_msi request = {
		.address_lo = (uint32_t)m->address,
		.address_hi = (uint32_t)(m->address >> 32),
		.data = m->data,
		.flags = m->flags,
	};
	int delivered = vm_ioctl_value_on(vm, KVM_SIGNAL_MSI, &request, "to 0x%llx",
					  (unsigned long long)m->address);

	if (delivered < 0)
		return delivered;
	if (!delivered)
		return error_set(&vm->error, -EIO, "the guest blocks the MSI to 0x%llx",
				 (unsigned long long)m->address);
	return 0;
}

int irq_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	struct irq_message message;
	int err = irq_msi_init(vm, &message, address, data);

	return err ? err : irq_msi_send(vm, &message);
}
