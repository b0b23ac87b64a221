/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's device attributes. */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "host/vmm/aarch64/device.h"

static int request(int fd, unsigned long what, uint32_t group, uint64_t attr,
		   const void *value)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return ioctl(fd, what, &a) ? -errno : 0;
}

int device_set_attr(int fd, uint32_t group, uint64_t attr, const void *value)
{
	return request(fd, KVM_SET_DEVICE_ATTR, group, attr, value);
}

int device_get_attr(int fd, uint32_t group, uint64_t attr, void *value)
{
	return request(fd, KVM_GET_DEVICE_ATTR, group, attr, value);
}

int device_has_attr(int fd, uint32_t group, uint64_t attr)
{
	return request(fd, KVM_HAS_DEVICE_ATTR, group, attr, NULL);
}
