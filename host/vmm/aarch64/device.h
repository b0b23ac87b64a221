/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's device attributes (Documentation/virt/kvm/devices/). */
#ifndef WS_VMM_AARCH64_DEVICE_H
#define WS_VMM_AARCH64_DEVICE_H

#include <stdint.h>

/* Sets an attribute of a device or vCPU fd. 0 or -errno. */
int device_set_attr(int fd, uint32_t group, uint64_t attr, const void *value);
int device_get_attr(int fd, uint32_t group, uint64_t attr, void *value);

/* 0 if it has it, else -errno. */
int device_has_attr(int fd, uint32_t group, uint64_t attr);

#endif
