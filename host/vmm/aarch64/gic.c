/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-kernel GIC and its ITS (Documentation/virt/kvm/devices/arm-vgic-v3.rst,
 * arm-vgic-its.rst), and how KVM's interfaces number their interrupts. Without an
 * in-kernel GIC a vCPU has two lines, IRQ and FIQ (api.rst, KVM_IRQ_LINE).
 */
#include "bench/abi.h"
#include "host/vmm/aarch64/gic.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/kvm_ioctl.h"

struct gic_model {
	uint32_t type;
	uint64_t first_frame, second_frame; /* KVM_DEV_ARM_VGIC_GRP_ADDR attributes */
};

static const struct gic_model models[] = {
	{ KVM_DEV_TYPE_ARM_VGIC_V3, KVM_VGIC_V3_ADDR_TYPE_DIST,
	  KVM_VGIC_V3_ADDR_TYPE_REDIST },
	{ KVM_DEV_TYPE_ARM_VGIC_V2, KVM_VGIC_V2_ADDR_TYPE_DIST,
	  KVM_VGIC_V2_ADDR_TYPE_CPU },
};

static int configure(int fd, const struct gic_model *model)
{
	uint64_t first = ABI_AARCH64_GICD_GPA, second = ABI_AARCH64_GICR_GPA;
	uint32_t intids = GIC_INTIDS;
	int err;

	err = kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, model->first_frame,
				  &first);
	if (!err)
		err = kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
					  model->second_frame, &second);
	if (!err)
		err = kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &intids);
	if (!err)
		err = kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
					  KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return err;
}

int gic_create(struct vm *vm)
{
	size_t i;
	int err = -ENODEV;

	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct kvm_create_device device = { .type = models[i].type };

		err = __vm_ioctl(vm, KVM_CREATE_DEVICE, &device);
		if (err)
			continue;
		vm->irqchip_fd = (int)device.fd;
		err = configure(vm->irqchip_fd, &models[i]);
		if (err)
			return error_set(&vm->error, err,
					 "cannot set up the in-kernel GIC: %s",
					 strerror(-err));
		return 0;
	}
	return error_set(&vm->error, err, "this KVM has no in-kernel GIC: %s",
			 strerror(-err));
}

int irq_its(struct vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_ITS };
	uint64_t gpa = ABI_AARCH64_GITS_GPA;
	int err;

	if (vm->its_fd >= 0)
		return 0;
	if (vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return error_set(&vm->error, -ENOTSUP, "an ITS needs the in-kernel GIC");
	err = __vm_ioctl(vm, KVM_CREATE_DEVICE, &device);
	if (err)
		return error_set(&vm->error, err == -ENODEV ? -ENOTSUP : err,
				 "this KVM has no in-kernel ITS: %s", strerror(-err));
	vm->its_fd = (int)device.fd;
	err = kvm_device_attr_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
				  KVM_VGIC_ITS_ADDR_TYPE, &gpa);
	if (!err)
		err = kvm_device_attr_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
					  KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	if (err)
		return error_set(&vm->error, err, "cannot set up the in-kernel ITS: %s",
				 strerror(-err));
	return 0;
}

static uint32_t line_of(uint32_t type, uint32_t number)
{
	return type << KVM_ARM_IRQ_TYPE_SHIFT | number << KVM_ARM_IRQ_NUM_SHIFT;
}

int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq)
{
	if (vm->config.irqchip == VM_IRQCHIP_USER) {
		if (line > KVM_ARM_IRQ_CPU_FIQ)
			return error_set(
				&vm->error, -EINVAL,
				"without an in-kernel GIC there are lines 0 (IRQ) and 1 (FIQ), not %u",
				line);
		*irq = line_of(KVM_ARM_IRQ_TYPE_CPU, line);
		return 0;
	}
	if (line < GIC_FIRST_SPI)
		return error_set(&vm->error, -EINVAL, "INTID %u is not an SPI", line);
	*irq = line_of(KVM_ARM_IRQ_TYPE_SPI, line);
	return 0;
}

/* KVM's default routing: GSI n is SPI n. */
int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi)
{
	if (vm->config.irqchip == VM_IRQCHIP_USER)
		return error_set(&vm->error, -ENOTSUP, "irqfd needs the in-kernel GIC");
	if (line < GIC_FIRST_SPI)
		return error_set(&vm->error, -EINVAL, "INTID %u is not an SPI", line);
	*gsi = line - GIC_FIRST_SPI;
	return 0;
}

/* An ITS needs a device id; the VMM's is 0. */
uint32_t arch_msi_flags(const struct vm *vm)
{
	return kvm_check_cap(vm->fd, KVM_CAP_MSI_DEVID) ? KVM_MSI_VALID_DEVID : 0;
}

int arch_irq_deliver(struct vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

int irq_inject(struct vcpu *vcpu, uint8_t vector)
{
	return error_set(vcpu->error, -ENOTSUP,
			 "vector %u: interrupts have no vectors on aarch64", vector);
}

int irq_nmi(struct vcpu *vcpu)
{
	return error_set(vcpu->error, -ENOTSUP, "KVM/arm64 has no interface for NMIs");
}

int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data)
{
	(void)address;
	(void)data;
	return error_set(&vm->error, -ENOTSUP,
			 "GSI %u: split irqchips exist on x86_64 only", gsi);
}
