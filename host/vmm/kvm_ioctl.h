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
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

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

/* ------------------------------ newer kernels ------------------------------ */

/*
 * What <linux/kvm.h> and <asm/kvm.h> have only in kernels newer than the build machine's
 * headers (Debian 12: Linux 6.1), or on one architecture only, each with the kernel
 * version that added it.
 */

#ifndef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
#define KVM_CAP_DIRTY_LOG_RING_ACQ_REL 223 /* Linux 6.1 */
#endif
#ifndef KVM_CAP_COUNTER_OFFSET
#define KVM_CAP_COUNTER_OFFSET 227 /* Linux 6.4; arm64 */
#endif
#ifndef KVM_CAP_ARM_EL2
#define KVM_CAP_ARM_EL2 240 /* Linux 6.16 */
#endif
#ifndef KVM_ARM_VCPU_HAS_EL2
#define KVM_ARM_VCPU_HAS_EL2 7 /* Linux 6.16 */
#endif
#ifndef KVM_X86_DISABLE_EXITS_APERFMPERF
#define KVM_X86_DISABLE_EXITS_APERFMPERF (1 << 4) /* Linux 6.17 */
#endif
#ifndef KVM_EXIT_LOONGARCH_IOCSR
#define KVM_EXIT_LOONGARCH_IOCSR 38 /* Linux 6.7 */
#endif
#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39 /* Linux 6.8 */
#endif
#ifndef KVM_EXIT_TDX
#define KVM_EXIT_TDX 40 /* Linux 6.16 */
#endif
#ifndef KVM_EXIT_ARM_SEA
#define KVM_EXIT_ARM_SEA 41 /* Linux 6.18 */
#endif
#ifndef KVM_EXIT_ARM_LDST64B
#define KVM_EXIT_ARM_LDST64B 42 /* Linux 7.0 */
#endif
#ifndef KVM_EXIT_SNP_REQ_CERTS
#define KVM_EXIT_SNP_REQ_CERTS 43 /* Linux 7.0 */
#endif

/* Linux 5.16, x86_64 only: the attribute of a vCPU that holds its TSC's offset. */
#ifndef KVM_VCPU_TSC_CTRL
#define KVM_VCPU_TSC_CTRL   0
#define KVM_VCPU_TSC_OFFSET 0
#endif

/* kvm_run.memory_fault (Linux 6.8), which begins where the union of exit data begins. */
struct compat_memory_fault {
	uint64_t flags, gpa, size;
};

/* struct kvm_pre_fault_memory and KVM_PRE_FAULT_MEMORY (Linux 6.11). */
#ifndef KVM_CAP_PRE_FAULT_MEMORY
#define KVM_CAP_PRE_FAULT_MEMORY 236
#endif
struct compat_pre_fault_memory {
	uint64_t gpa, size, flags, padding[5];
};
#define COMPAT_PRE_FAULT_MEMORY _IOWR(KVMIO, 0xd5, struct compat_pre_fault_memory)

/*
 * Memory in a guest_memfd that the host may map: KVM_CREATE_GUEST_MEMFD and
 * KVM_SET_USER_MEMORY_REGION2 (Linux 6.8), with the flags of Linux 6.18.
 */
#ifndef KVM_CAP_GUEST_MEMFD_FLAGS
#define KVM_CAP_GUEST_MEMFD_FLAGS 244
#endif
#ifndef KVM_MEM_GUEST_MEMFD
#define KVM_MEM_GUEST_MEMFD (1u << 2)
#endif
#define COMPAT_GUEST_MEMFD_MMAP	       (1u << 0)
#define COMPAT_GUEST_MEMFD_INIT_SHARED (1u << 1)
struct compat_guest_memfd {
	uint64_t size, flags, reserved[6];
};
#define COMPAT_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct compat_guest_memfd)
struct compat_memory_region2 {
	struct kvm_userspace_memory_region region;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd, padding1;
	uint64_t padding2[14];
};
/* VMs whose memory can be private: their type, and KVM_SET_MEMORY_ATTRIBUTES (Linux 6.8).
 */
#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES 235
#endif
#define COMPAT_X86_SW_PROTECTED_VM 1
#define COMPAT_MEMORY_PRIVATE	   (1ull << 3)
struct compat_memory_attributes {
	uint64_t address, size, attributes, flags;
};
#define COMPAT_SET_MEMORY_ATTRIBUTES   _IOW(KVMIO, 0xd2, struct compat_memory_attributes)
#define COMPAT_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct compat_memory_region2)

/* struct kvm_arm_counter_offset and its request (Linux 6.4), arm64 only. */
struct compat_counter_offset {
	uint64_t counter_offset, reserved;
};
#define COMPAT_ARM_SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct compat_counter_offset)

/*
 * struct kvm_smccc_filter, KVM_ARM_VM_SMCCC_CTRL and KVM_ARM_VM_SMCCC_FILTER (Linux 6.4,
 * Documentation/virt/kvm/devices/vm.rst), arm64 only.
 */
struct compat_smccc_filter {
	uint32_t base, nr_functions;
	uint8_t action;
	uint8_t pad[15];
};
#define COMPAT_ARM_VM_SMCCC_CTRL	0
#define COMPAT_ARM_VM_SMCCC_FILTER	0
#define COMPAT_SMCCC_FILTER_FWD_TO_USER 2

/* struct kvm_msr_filter and KVM_X86_SET_MSR_FILTER (Linux 5.10), x86_64 only. */
#define COMPAT_MSR_FILTER_RANGES 16
#define COMPAT_MSR_FILTER_READ	 (1u << 0)
#define COMPAT_MSR_FILTER_WRITE	 (1u << 1)
struct compat_msr_filter {
	uint32_t flags; /* 0: MSRs that no range covers are allowed */
	struct {
		uint32_t flags, nmsrs, base;
		const uint8_t *bitmap; /* a clear bit denies its MSR */
	} ranges[COMPAT_MSR_FILTER_RANGES];
};
#define COMPAT_X86_SET_MSR_FILTER _IOW(KVMIO, 0xc6, struct compat_msr_filter)

#endif
