/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses to ports and MMIO: who serves one that exits to user space, and those
 * that the kernel absorbs (ioeventfds, coalesced rings). `is_pio` chooses between ports
 * and guest-physical addresses. And interrupts into the guest.
 */
#ifndef WS_VMM_IO_H
#define WS_VMM_IO_H

#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/exits.h"
#include "host/vmm/vmm.h"

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
	const bool is_doorbell = access->is_write &&
				 access->address == arch_doorbell.address &&
				 access->bytes == sizeof(uint32_t) &&
				 access->is_pio == arch_doorbell.is_pio;

	if (!access->is_write)
		memset(access->data, 0xff, access->bytes);
	if (__builtin_expect(is_doorbell || vcpu->vm->listener.access != NULL, 0)) {
		/* A copy: an access that no function gets stays in registers. */
		const struct vm_access copy = *access;

		return is_doorbell ? io_doorbell(vcpu, &copy) : io_listener(vcpu, &copy);
	}
	return EXITS_ANSWERED;
}

/* Interrupts into the guest, by each interface of KVM. All return 0 or -errno. */

/* In-kernel controller: the level of a line (x86_64: GSI; aarch64: SPI INTID). */
int irq_set_line(struct vm *vm, uint32_t line, bool level);

/* VM_IRQCHIP_USER: whether the guest would have taken an interrupt at its last exit. */
bool irq_window_is_open(const struct vcpu *vcpu);

/* A write to the returned eventfd raises the line (edge). vm_destroy() closes it. */
int irq_fd(struct vm *vm, uint32_t line);

/* Message-signalled: x86_64 to a LAPIC, aarch64 to an ITS where there is one. */
int irq_msi(struct vm *vm, uint64_t address, uint32_t data);

/* irq_msi() in two parts, so that a message that is sent again costs one ioctl. */
struct irq_message {
	uint64_t address;
	uint32_t data, flags;
};
int irq_msi_init(struct vm *vm, struct irq_message *m, uint64_t address, uint32_t data);
int irq_msi_send(struct vm *vm, const struct irq_message *m);

/*
 * A write to the returned eventfd sends the message, as virtio's and VFIO's do. Replaces
 * all routes. vm_destroy() closes it.
 */
int irq_fd_msi(struct vm *vm, const struct irq_message *m);

/*
 * x86_64 with a split irqchip: GSI `gsi` of the VMM's IOAPIC sends this message; if it is
 * level-triggered, its EOI exits (KVM_EXIT_IOAPIC_EOI). Replaces all routes.
 */
int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data);

/*
 * aarch64: adds an interrupt translation service (ITS) to the in-kernel GIC, at
 * ABI_AARCH64_GITS_GPA. -ENOTSUP where KVM has none.
 */
int irq_its(struct vm *vm);

/*
 * x86_64 without an in-kernel controller: queues `vector`. The run loop injects it by
 * KVM_INTERRUPT when the guest accepts interrupts, and requests an interrupt window until
 * then. For the vCPU's own thread.
 */
int irq_inject(struct vcpu *vcpu, uint8_t vector);

/* x86_64: a non-maskable interrupt. */
int irq_nmi(struct vcpu *vcpu);

#endif
