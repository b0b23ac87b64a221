/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's device attributes. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "host/vmm/aarch64/device.h"

int device_set_attr(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &a) ? -errno : 0;
}
