/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-kernel GIC (Documentation/virt/kvm/devices/arm-vgic-v3.rst). */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/aarch64/device.h"
#include "host/vmm/aarch64/gic.h"

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

	err = device_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, model->first_frame, &first);
	if (!err)
		err = device_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, model->second_frame,
				      &second);
	if (!err)
		err = device_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &intids);
	if (!err)
		err = device_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
				      KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return err;
}

int gic_create(struct vm *vm)
{
	size_t i;
	int err = -ENODEV;

	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct kvm_create_device device = { .type = models[i].type };

		if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device)) {
			err = -errno;
			continue;
		}
		vm->irqchip_fd = (int)device.fd;
		err = configure(vm->irqchip_fd, &models[i]);
		if (err)
			return vm_fail(vm, err, "cannot set up the in-kernel GIC: %s",
				       strerror(-err));
		return 0;
	}
	return vm_fail(vm, err, "this KVM has no in-kernel GIC: %s", strerror(-err));
}
