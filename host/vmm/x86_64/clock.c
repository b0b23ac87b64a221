/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TSC, seen from the host. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "bench/mark.h"
#include "host/vmm/clock.h"

/* <linux/kvm.h> has them from Linux 5.16 on. */
#ifndef KVM_VCPU_TSC_CTRL
#define KVM_VCPU_TSC_CTRL   0
#define KVM_VCPU_TSC_OFFSET 0
#endif

/* The fences are those of guest/x86_64/clock.h, for the same reasons. */
uint64_t clock_now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\t" MARK_SHARED "rdtsc\n\t"
			 "lfence"
			 : "=a"(low), "=d"(high)
			 :
			 : "memory");
	return (uint64_t)high << 32 | low;
}

int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)offset,
	};

	return ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attr) ? -ENOTSUP : 0;
}
