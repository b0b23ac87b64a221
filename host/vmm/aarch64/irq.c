/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aarch64: how the GIC's interrupts are numbered on KVM's interfaces. Without an
 * in-kernel GIC a vCPU has two pins, IRQ and FIQ (api.rst, KVM_IRQ_LINE).
 */
#include <errno.h>
#include <linux/kvm.h>

#include "host/vmm/aarch64/its.h"
#include "host/vmm/arch.h"
#include "host/vmm/irq.h"

#define FIRST_SPI 32u

static uint32_t line_of(uint32_t type, uint32_t number)
{
	return type << KVM_ARM_IRQ_TYPE_SHIFT | number << KVM_ARM_IRQ_NUM_SHIFT;
}

int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq)
{
	if (vm->config.irqchip == VM_IRQCHIP_USER) {
		if (line > KVM_ARM_IRQ_CPU_FIQ)
			return vm_fail(vm, -EINVAL,
				       "without an in-kernel GIC there are lines 0 (IRQ) "
				       "and 1 (FIQ), not %u",
				       line);
		*irq = line_of(KVM_ARM_IRQ_TYPE_CPU, line);
		return 0;
	}
	if (line < FIRST_SPI)
		return vm_fail(vm, -EINVAL, "INTID %u is no SPI", line);
	*irq = line_of(KVM_ARM_IRQ_TYPE_SPI, line);
	return 0;
}

/* KVM's default routing: GSI n is SPI n. */
int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi)
{
	if (vm->config.irqchip == VM_IRQCHIP_USER)
		return vm_fail(vm, -ENOTSUP, "irqfd needs the in-kernel GIC");
	if (line < FIRST_SPI)
		return vm_fail(vm, -EINVAL, "INTID %u is no SPI", line);
	*gsi = line - FIRST_SPI;
	return 0;
}

/* An ITS tells devices apart; ours is device 0. */
uint32_t arch_msi_flags(const struct vm *vm)
{
	return kvm_extension(vm->fd, KVM_CAP_MSI_DEVID) ? KVM_MSI_VALID_DEVID : 0;
}

int arch_irq_deliver(struct vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

int irq_inject(struct vcpu *vcpu, uint8_t vector)
{
	return vcpu_fail(vcpu, -ENOTSUP,
			 "vector %u: interrupts have no vectors on aarch64; see "
			 "irq_set_line()",
			 vector);
}

int irq_nmi(struct vcpu *vcpu)
{
	return vcpu_fail(vcpu, -ENOTSUP, "KVM/arm64 has no interface for NMIs");
}

int irq_its(struct vm *vm)
{
	return its_add(vm);
}

int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data)
{
	(void)address;
	(void)data;
	return vm_fail(vm, -ENOTSUP, "GSI %u: split irqchips are x86_64's alone", gsi);
}
