/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts into the guest, by each of KVM's interfaces. All return 0 or -errno. */
#ifndef WS_VMM_IRQ_H
#define WS_VMM_IRQ_H

#include "host/vmm/vmm.h"

/* In-kernel controller: the level of a line (x86_64: GSI; aarch64: SPI INTID). */
int irq_set_line(struct vm *vm, uint32_t line, bool level);

/* A write to the returned eventfd raises the line (edge). vm_destroy() closes it. */
int irq_fd(struct vm *vm, uint32_t line);

/* Message-signalled: x86_64 to a LAPIC, aarch64 to an ITS where there is one. */
int irq_msi(struct vm *vm, uint64_t address, uint32_t data);

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
