/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's ioctls: typed, and with one error path (after tools/testing/selftests/kvm).
 *
 *   vm_ioctl(vm, KVM_X, arg)         0, or -errno with "KVM_X: cause" in vm->error
 *   vcpu_ioctl(vcpu, KVM_X, arg)     the same with *vcpu->error
 *   vm_ioctl_on(vm, KVM_X, arg, fmt, ...), vcpu_ioctl_on()
 *                                    "KVM_X WHAT: cause", WHAT formatted by `fmt`
 *   __kvm_ioctl(fd, KVM_X, arg), __vm_ioctl(), __vcpu_ioctl()
 *                                    0 or -errno, without an error text: for /dev/kvm,
 *                                    devices, and callers that handle the failure
 *   *_ioctl_value()                  for requests that return a value: that or -errno
 *
 * `arg` is a pointer to the type that the request's number was made of; another size
 * does not compile. Requests without an argument get KVM_NONE or KVM_VALUE(n).
 */
#ifndef WS_VMM_KVM_IOCTL_H
#define WS_VMM_KVM_IOCTL_H

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/vmm/kvm_compat.h"
#include "host/vmm/vmm.h"

#define KVM_VALUE(n) ((char *)(uintptr_t)(n))
#define KVM_NONE     KVM_VALUE(0)

#define kvm_ioctl_raw(fd, cmd, arg)                                                      \
	({                                                                               \
		_Static_assert(!_IOC_SIZE(cmd) || sizeof(*(arg)) == _IOC_SIZE(cmd),      \
			       "not the argument of " #cmd);                             \
		ioctl(fd, cmd, arg);                                                     \
	})

#define __kvm_ioctl(fd, cmd, arg)    (kvm_ioctl_raw(fd, cmd, arg) ? -errno : 0)
#define __vm_ioctl(vm, cmd, arg)     __kvm_ioctl((vm)->fd, cmd, arg)
#define __vcpu_ioctl(vcpu, cmd, arg) __kvm_ioctl((vcpu)->fd, cmd, arg)

#define kvm_ioctl_checked(fd, error, cmd, arg, what, ...)                                \
	(kvm_ioctl_raw(fd, cmd, arg)                                                     \
		 ? error_set(error, -errno, what ": %m", ##__VA_ARGS__)                  \
		 : 0)
#define vm_ioctl(vm, cmd, arg) kvm_ioctl_checked((vm)->fd, &(vm)->error, cmd, arg, #cmd)
#define vm_ioctl_on(vm, cmd, arg, fmt, ...)                                              \
	kvm_ioctl_checked((vm)->fd, &(vm)->error, cmd, arg, #cmd " " fmt, __VA_ARGS__)
#define vcpu_ioctl(vcpu, cmd, arg)                                                       \
	kvm_ioctl_checked((vcpu)->fd, (vcpu)->error, cmd, arg, #cmd)
#define vcpu_ioctl_on(vcpu, cmd, arg, fmt, ...)                                          \
	kvm_ioctl_checked((vcpu)->fd, (vcpu)->error, cmd, arg, #cmd " " fmt, __VA_ARGS__)

#define __kvm_ioctl_value(fd, cmd, arg)                                                  \
	({                                                                               \
		int value_ = kvm_ioctl_raw(fd, cmd, arg);                                \
                                                                                         \
		value_ < 0 ? -errno : value_;                                            \
	})
#define kvm_ioctl_value_checked(fd, error, cmd, arg, what, ...)                          \
	({                                                                               \
		int value_ = kvm_ioctl_raw(fd, cmd, arg);                                \
                                                                                         \
		value_ < 0 ? error_set(error, -errno, what ": %m", ##__VA_ARGS__)        \
			   : value_;                                                     \
	})
#define vm_ioctl_value_on(vm, cmd, arg, fmt, ...)                                        \
	kvm_ioctl_value_checked((vm)->fd, &(vm)->error, cmd, arg, #cmd " " fmt,          \
				__VA_ARGS__)
#define vcpu_ioctl_value(vcpu, cmd, arg)                                                 \
	kvm_ioctl_value_checked((vcpu)->fd, (vcpu)->error, cmd, arg, #cmd)

/* KVM_CHECK_EXTENSION of /dev/kvm or a VM; 0: the kernel does not have `cap`. */
static inline int kvm_check_cap(int fd, long cap)
{
	int ret = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

/* KVM_RUN: 0 or a negative errno. The run loop decides what a failure means. */
static inline int vcpu_kvm_run(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
}

/* KVM_ENABLE_CAP of a VM; a failure names the capability. */
static inline int vm_enable_named_cap(struct vm *vm, uint32_t number, uint64_t arg0,
				      const char *name)
{
	struct kvm_enable_cap cap = { .cap = number, .args[0] = arg0 };

	return vm_ioctl_on(vm, KVM_ENABLE_CAP, &cap, "%s", name);
}
#define vm_enable_cap(vm, number, arg0) vm_enable_named_cap(vm, number, arg0, #number)

/*
 * Attributes of a device, VM or vCPU (Documentation/virt/kvm/devices/). 0 or a negative
 * errno; `value` has the attribute's own type.
 */
static inline int kvm_device_attr_set(int fd, uint32_t group, uint64_t attr,
				      const void *value)
{
	struct kvm_device_attr a = { .group = group,
				     .attr = attr,
				     .addr = (uintptr_t)value };

	return __kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

static inline int kvm_device_attr_get(int fd, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr a = { .group = group,
				     .attr = attr,
				     .addr = (uintptr_t)value };

	return __kvm_ioctl(fd, KVM_GET_DEVICE_ATTR, &a);
}

/* 0: the attribute exists. */
static inline int kvm_device_attr_has(int fd, uint32_t group, uint64_t attr)
{
	struct kvm_device_attr a = { .group = group, .attr = attr };

	return __kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &a);
}

#endif
