/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: interrupts into a vCPU without an in-kernel controller, and NMIs.
 *
 * KVM_INTERRUPT may only be called while the guest takes interrupts, which each
 * exit says of itself (run->ready_for_interrupt_injection). While it does not,
 * request_interrupt_window makes KVM_RUN return as soon as it would
 * (KVM_EXIT_IRQ_WINDOW_OPEN; Documentation/virt/kvm/api.rst, KVM_RUN).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "host/vmm/arch.h"
#include "host/vmm/irq.h"
#include "host/vmm/x86_64/regs_copy.h"

int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq)
{
	if (vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return vm_fail(vm, -ENOTSUP,
			       "lines need the in-kernel PIC and IOAPIC (line %u)", line);
	*irq = line;
	return 0;
}

int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi)
{
	return arch_irq_line(vm, line, gsi);
}

uint32_t arch_msi_flags(const struct vm *vm)
{
	(void)vm;
	return 0;
}

int arch_irq_deliver(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vcpu_irqs *irqs = &vcpu->irqs;
	struct kvm_interrupt interrupt;

	if (irqs->queued && run->ready_for_interrupt_injection) {
		interrupt.irq = irqs->vector[irqs->first];
		if (ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt))
			return vcpu_fail(vcpu, -errno, "KVM_INTERRUPT %u: %m",
					 interrupt.irq);
		regs_stale(vcpu, REGS_PENDING);
		irqs->first = (irqs->first + 1) % VCPU_IRQS_MAX;
		irqs->queued--;
		vcpu->stats.interrupts++;
		/* One at a time: the next exit says whether another may follow. */
		run->ready_for_interrupt_injection = 0;
	}
	run->request_interrupt_window = irqs->queued > 0;
	return 0;
}

int irq_inject(struct vcpu *vcpu, uint8_t vector)
{
	struct vcpu_irqs *irqs = &vcpu->irqs;

	if (vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		return vcpu_fail(vcpu, -ENOTSUP,
				 "vectors are injected only without an in-kernel LAPIC");
	if (irqs->queued == VCPU_IRQS_MAX)
		return vcpu_fail(vcpu, -EAGAIN,
				 "%u interrupts wait for the guest already",
				 (unsigned int)VCPU_IRQS_MAX);
	irqs->vector[(irqs->first + irqs->queued) % VCPU_IRQS_MAX] = vector;
	irqs->queued++;
	return arch_irq_deliver(vcpu);
}

int irq_nmi(struct vcpu *vcpu)
{
	if (!kvm_extension(vcpu->vm->fd, KVM_CAP_USER_NMI))
		return vcpu_fail(vcpu, -ENOTSUP, "this KVM has no KVM_NMI");
	if (ioctl(vcpu->fd, KVM_NMI))
		return vcpu_fail(vcpu, -errno, "KVM_NMI: %m");
	regs_stale(vcpu, REGS_PENDING);
	vcpu->stats.interrupts++;
	return 0;
}

int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} table = {
		.head.nr = 1,
		.entry = { .gsi = gsi,
			   .type = KVM_IRQ_ROUTING_MSI,
			   .u.msi = { .address_lo = (uint32_t)address,
				      .address_hi = (uint32_t)(address >> 32),
				      .data = data } },
	};

	if (vm->config.irqchip != VM_IRQCHIP_SPLIT)
		return vm_fail(vm, -ENOTSUP, "routes are for a split irqchip here");
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, &table))
		return vm_fail(vm, -errno, "KVM_SET_GSI_ROUTING of GSI %u: %m", gsi);
	return 0;
}

int irq_its(struct vm *vm)
{
	return vm_fail(vm, -ENOTSUP, "an ITS is a part of Arm's GIC");
}
