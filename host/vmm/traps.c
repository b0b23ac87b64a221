/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KVM answers itself unless it is told to ask the VMM. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "host/vmm/traps.h"

/*
 * Linux 6.4, and in arm64's <asm/kvm.h> alone (Documentation/virt/kvm/devices/vm.rst,
 * KVM_ARM_VM_SMCCC_CTRL). By other names, as the build machine may have them.
 */
#define SMCCC_CTRL_GROUP     0
#define SMCCC_FILTER_ATTR    0
#define SMCCC_FILTER_TO_USER 2

struct smccc_filter {
	uint32_t base, functions;
	uint8_t action;
	uint8_t pad[15];
};

int traps_smccc_to_user(struct vm *vm, uint32_t function, uint32_t functions)
{
	struct smccc_filter filter = {
		.base = function,
		.functions = functions,
		.action = SMCCC_FILTER_TO_USER,
	};
	struct kvm_device_attr attr = {
		.group = SMCCC_CTRL_GROUP,
		.attr = SMCCC_FILTER_ATTR,
		.addr = (uintptr_t)&filter,
	};

	if (ioctl(vm->fd, KVM_HAS_DEVICE_ATTR, &attr))
		return vm_fail(vm, -ENOTSUP,
			       "this KVM has no KVM_ARM_VM_SMCCC_FILTER (Linux 6.4)");
	if (ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr))
		return vm_fail(vm, -errno, "KVM_ARM_VM_SMCCC_FILTER 0x%x: %m", function);
	return 0;
}

int traps_nisv_to_user(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	if (!kvm_extension(vm->fd, KVM_CAP_ARM_NISV_TO_USER))
		return vm_fail(vm, -ENOTSUP,
			       "this KVM has no KVM_CAP_ARM_NISV_TO_USER (Linux 5.5)");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return vm_fail(vm, -errno, "KVM_CAP_ARM_NISV_TO_USER: %m");
	return 0;
}
