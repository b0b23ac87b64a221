/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What <linux/kvm.h> has only in kernels newer than the build machine's headers
 * (Debian 12: Linux 6.1), each with the version it came in.
 */
#ifndef WS_VMM_NEWER_H
#define WS_VMM_NEWER_H

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_CAP_COUNTER_OFFSET
#define KVM_CAP_COUNTER_OFFSET 227 /* Linux 6.4; arm64 */
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

/* kvm_run.memory_fault: where the union of exit data begins. */
struct newer_memory_fault {
	uint64_t flags, gpa, size;
};

/* Linux 6.4; arm64's <asm/kvm.h> has it as struct kvm_arm_counter_offset. */
struct newer_counter_offset {
	uint64_t counter_offset, reserved;
};
#define NEWER_ARM_SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct newer_counter_offset)

#endif
