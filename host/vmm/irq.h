/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts into the guest, by every way KVM has. All: 0 or -errno, vm->error. */
#ifndef WS_VMM_IRQ_H
#define WS_VMM_IRQ_H

#include "host/vmm/vmm.h"

/* In-kernel controller: the level of a line (x86_64: GSI; aarch64: SPI INTID). */
int irq_set_line(struct vm *vm, uint32_t line, bool level);

/* A write to the eventfd that is returned raises the line (edge). vm_destroy()
 * closes it. */
int irq_fd(struct vm *vm, uint32_t line);

/* Message-signalled: x86_64 to a LAPIC, aarch64 to an ITS where there is one. */
int irq_msi(struct vm *vm, uint64_t address, uint32_t data);

/*
 * x86_64 with a split irqchip: GSI `gsi` of the IOAPIC that is outside sends this
 * message, and the end of its interrupt exits if that is level-triggered
 * (KVM_EXIT_IOAPIC_EOI). Replaces all routes.
 */
int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data);

/*
 * aarch64: gives the in-kernel GIC an interrupt translation service, at
 * ABI_AARCH64_GITS_GPA. -ENOTSUP where there is none.
 */
int irq_its(struct vm *vm);

/*
 * No in-kernel controller, x86_64: queues `vector` for the vCPU; the run loop
 * injects it by KVM_INTERRUPT as soon as the guest takes interrupts, asking for
 * the window if need be. From the vCPU's own thread.
 */
int irq_inject(struct vcpu *vcpu, uint8_t vector);

/* x86_64: a non-maskable interrupt. */
int irq_nmi(struct vcpu *vcpu);

#endif
