/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: interrupts into a vCPU without an in-kernel controller, and NMIs.
 *
 * KVM_INTERRUPT is only valid while the guest accepts interrupts, which each exit reports
 * (run->ready_for_interrupt_injection). Otherwise request_interrupt_window makes KVM_RUN
 * return as soon as the guest accepts one (KVM_EXIT_IRQ_WINDOW_OPEN;
 * Documentation/virt/kvm/api.rst, KVM_RUN).
 */
#include "host/vmm/arch.h"
#include "host/vmm/irq.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/x86_64/regs_copy.h"

int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq)
{
	if (vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return error_set(&vm->error, -ENOTSUP,
				 "lines need the in-kernel PIC and IOAPIC (line %u)",
				 line);
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
	int err;

	if (irqs->queued && run->ready_for_interrupt_injection) {
		interrupt.irq = irqs->vector[irqs->first];
		err = vcpu_ioctl_on(vcpu, KVM_INTERRUPT, &interrupt, "%u", interrupt.irq);
		if (err)
			return err;
		regs_invalidate(vcpu, REGS_PENDING);
		irqs->first = (irqs->first + 1) % VCPU_IRQS_MAX;
		irqs->queued--;
		vcpu->stats.interrupts++;
		/* One at a time: the next exit reports whether another may follow. */
		run->ready_for_interrupt_injection = 0;
	}
	run->request_interrupt_window = irqs->queued > 0;
	return 0;
}

int irq_inject(struct vcpu *vcpu, uint8_t vector)
{
	struct vcpu_irqs *irqs = &vcpu->irqs;

	if (vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		return error_set(vcpu->error, -ENOTSUP,
				 "vectors are injected only without an in-kernel LAPIC");
	if (irqs->queued == VCPU_IRQS_MAX)
		return error_set(vcpu->error, -EAGAIN, "%u interrupts are already queued",
				 (unsigned int)VCPU_IRQS_MAX);
	irqs->vector[(irqs->first + irqs->queued) % VCPU_IRQS_MAX] = vector;
	irqs->queued++;
	return arch_irq_deliver(vcpu);
}

int irq_nmi(struct vcpu *vcpu)
{
	int err;

	if (!kvm_check_cap(vcpu->vm->fd, KVM_CAP_USER_NMI))
		return error_set(vcpu->error, -ENOTSUP, "this KVM has no KVM_NMI");
	err = vcpu_ioctl(vcpu, KVM_NMI, KVM_NONE);
	if (err)
		return err;
	regs_invalidate(vcpu, REGS_PENDING);
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
		return error_set(&vm->error, -ENOTSUP, "GSI routes need a split irqchip");
	return vm_ioctl_on(vm, KVM_SET_GSI_ROUTING, &table.head, "of GSI %u", gsi);
}

int irq_its(struct vm *vm)
{
	return error_set(&vm->error, -ENOTSUP, "an ITS is part of a GIC");
}
