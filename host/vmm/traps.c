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

/*
 * KVM_X86_SET_MSR_FILTER (Linux 5.10), whose structure only x86's <asm/kvm.h> has. A
 * bit of the bitmap that is 0 denies its MSR.
 */
#define MSR_FILTER_READ	  (1u << 0)
#define MSR_FILTER_WRITE  (1u << 1)
#define MSR_FILTER_RANGES 16

struct msr_filter {
	uint32_t flags; /* 0: what no range covers is allowed */
	struct {
		uint32_t flags, msrs, base;
		const uint8_t *bitmap;
	} range[MSR_FILTER_RANGES];
};

#define SET_MSR_FILTER _IOW(KVMIO, 0xc6, struct msr_filter)

int traps_msrs_to_user(struct vm *vm, const struct traps_msrs *ranges, size_t n)
{
	/* KVM reads whole longs. */
	static const uint64_t deny_all;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args[0] = KVM_MSR_EXIT_REASON_FILTER,
	};
	struct msr_filter filter = { .flags = 0 };
	size_t i;

	if (!kvm_extension(vm->fd, KVM_CAP_X86_USER_SPACE_MSR) ||
	    !kvm_extension(vm->fd, KVM_CAP_X86_MSR_FILTER))
		return vm_fail(vm, -ENOTSUP, "this KVM has no MSR filters (Linux 5.10)");
	for (i = 0; i < n && i < MSR_FILTER_RANGES; i++) {
		filter.range[i].flags = MSR_FILTER_READ | MSR_FILTER_WRITE;
		filter.range[i].msrs = ranges[i].count;
		filter.range[i].base = ranges[i].first;
		filter.range[i].bitmap = (const uint8_t *)&deny_all;
	}
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return vm_fail(vm, -errno, "KVM_CAP_X86_USER_SPACE_MSR: %m");
	if (ioctl(vm->fd, SET_MSR_FILTER, &filter))
		return vm_fail(vm, -errno, "KVM_X86_SET_MSR_FILTER 0x%x: %m",
			       ranges[0].first);
	return 0;
}

int traps_breakpoints_to_user(struct vm *vm)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP,
	};
	unsigned int i;

	if (!kvm_extension(vm->fd, KVM_CAP_SET_GUEST_DEBUG))
		return vm_fail(vm, -ENOTSUP, "this KVM has no KVM_SET_GUEST_DEBUG");
	for (i = 0; i < vm->config.vcpus; i++)
		if (ioctl(vm->vcpus[i].fd, KVM_SET_GUEST_DEBUG, &debug))
			return vm_fail(vm, -errno, "KVM_SET_GUEST_DEBUG: %m");
	return 0;
}

int traps_bus_locks_to_user(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_BUS_LOCK_EXIT,
		.args[0] = KVM_BUS_LOCK_DETECTION_EXIT,
	};

	if (!(kvm_extension(vm->fd, KVM_CAP_X86_BUS_LOCK_EXIT) &
	      KVM_BUS_LOCK_DETECTION_EXIT))
		return vm_fail(vm, -ENOTSUP, "this KVM or its CPU notices no bus locks");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return vm_fail(vm, -errno, "KVM_CAP_X86_BUS_LOCK_EXIT: %m");
	return 0;
}

int traps_hypercalls_to_user(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args[0] = 1u << 12, /* KVM_HC_MAP_GPA_RANGE of linux/kvm_para.h */
	};

	if (!(kvm_extension(vm->fd, KVM_CAP_EXIT_HYPERCALL) & 1 << 12))
		return vm_fail(vm, -ENOTSUP,
			       "this KVM has no KVM_CAP_EXIT_HYPERCALL (Linux 5.14)");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return vm_fail(vm, -errno, "KVM_CAP_EXIT_HYPERCALL: %m");
	return 0;
}
