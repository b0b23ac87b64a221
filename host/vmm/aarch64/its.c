/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-kernel ITS, its making and its state (Documentation/virt/kvm/devices/
 * arm-vgic-its.rst, whose "ITS Restore Sequence" the order here is).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/aarch64/device.h"
#include "host/vmm/aarch64/its.h"
#include "host/vmm/regs_arch.h"

/* Of arm64's <asm/kvm.h>; the last one is missing in headers before Linux 4.12. */
#define CONTROL		    KVM_DEV_ARM_VGIC_GRP_CTRL
#define SAVE_PENDING_TABLES 3

/* Beside the numbers of the GIC's records. */
#define RECORD_ITS (1ull << 48)

#define GITS_CTLR 0x0000u

/* GITS_IIDR (the revision of the tables), CBASER, CREADR, CWRITER, the BASERs; CTLR,
 * which turns it on, comes after the tables. */
static const uint32_t regs[] = {
	0x0004, 0x0080, 0x0090, 0x0088, 0x0100, 0x0108,	   0x0110,
	0x0118, 0x0120, 0x0128, 0x0130, 0x0138, GITS_CTLR,
};

#define REGS (sizeof(regs) / sizeof(regs[0]))

static int configure(int fd)
{
	uint64_t gpa = ABI_AARCH64_GITS_GPA;
	int err = device_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE,
				  &gpa);

	return err ? err : device_set_attr(fd, CONTROL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

int its_add(struct vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_ITS };
	int err;

	if (vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return vm_fail(vm, -ENOTSUP, "an ITS needs the in-kernel GIC");
	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device))
		return vm_fail(vm, errno == ENODEV ? -ENOTSUP : -errno,
			       "this KVM has no in-kernel ITS: %m");
	vm->its_fd = (int)device.fd;
	err = configure(vm->its_fd);
	if (err)
		return vm_fail(vm, err, "cannot set up the in-kernel ITS: %s",
			       strerror(-err));
	return 0;
}

int its_flush(struct vm *vm)
{
	int err;

	if (vm->its_fd < 0)
		return 0;
	err = device_set_attr(vm->its_fd, CONTROL, KVM_DEV_ARM_ITS_SAVE_TABLES, NULL);
	if (!err)
		err = device_set_attr(vm->irqchip_fd, CONTROL, SAVE_PENDING_TABLES, NULL);
	if (err)
		return vm_fail(vm, err, "cannot save the ITS's tables: %s",
			       strerror(-err));
	return 0;
}

static int fail(struct vm *vm, int err, const char *what, uint32_t reg)
{
	return vm_fail(vm, err, "cannot %s the ITS's register 0x%x: %s", what, reg,
		       strerror(-err));
}

int its_save(struct vm *vm, FILE *out)
{
	uint64_t value;
	size_t i;
	int err = 0;

	for (i = 0; !err && vm->its_fd >= 0 && i < REGS; i++) {
		value = 0;
		err = device_get_attr(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, regs[i],
				      &value);
		if (err)
			return fail(vm, err, "read", regs[i]);
		err = regs_record_write(out, RECORD_ITS | regs[i], &value, sizeof(value));
	}
	return err;
}

static int put_reg(struct vm *vm, uint32_t reg, uint64_t value)
{
	int err = 0;

	if (reg == GITS_CTLR)
		err = device_set_attr(vm->its_fd, CONTROL, KVM_DEV_ARM_ITS_RESTORE_TABLES,
				      NULL);
	if (err)
		return vm_fail(vm, err, "cannot restore the ITS's tables: %s",
			       strerror(-err));
	err = device_set_attr(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, reg, &value);
	return err ? fail(vm, err, "write", reg) : 0;
}

int its_restore(struct vm *vm, const uint8_t **state, size_t *bytes, bool put)
{
	struct regs_record record;
	const uint8_t *data;
	uint64_t value;
	size_t i;
	int err = 0;

	for (i = 0; !err && vm->its_fd >= 0 && i < REGS; i++) {
		data = regs_record_next(state, bytes, &record);
		if (!data || record.id != (RECORD_ITS | regs[i]) ||
		    record.bytes != sizeof(value))
			return vm_fail(vm, -EINVAL,
				       "the checkpoint does not fit this VM: it has no "
				       "ITS");
		memcpy(&value, data, sizeof(value));
		if (put)
			err = put_reg(vm, regs[i], value);
	}
	return err;
}
