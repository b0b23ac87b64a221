/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What <linux/kvm.h> and <asm/kvm.h> have only in kernels newer than the build machine's
 * headers (Debian 12: Linux 6.1), or on one architecture only, each with the kernel
 * version that added it.
 */
#ifndef WS_VMM_KVM_COMPAT_H
#define WS_VMM_KVM_COMPAT_H

#include <linux/kvm.h>
#include <stdint.h>

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
