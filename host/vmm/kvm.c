/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/kvm: opening it, and asking what it is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/vmm/arch.h"

int kvm_open(char *why, size_t why_bytes)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), version;

	if (fd < 0) {
		int err = -errno;

		if (err == -ENOENT)
			snprintf(why, why_bytes,
				 "there is no /dev/kvm: KVM is not loaded or not "
				 "available");
		else if (err == -EACCES)
			snprintf(why, why_bytes,
				 "no permission for /dev/kvm: run as root or join its "
				 "group");
		else
			snprintf(why, why_bytes, "cannot open /dev/kvm: %s",
				 strerror(-err));
		return err;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	snprintf(why, why_bytes, "/dev/kvm has API version %d, not %d", version,
		 KVM_API_VERSION);
	close(fd);
	return -ENOTSUP;
}

int kvm_extension(int fd, long cap)
{
	int answer = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return answer < 0 ? 0 : answer;
}

int kvm_try_vm(int kvm_fd)
{
	int vm = ioctl(kvm_fd, KVM_CREATE_VM, arch_vm_type(kvm_fd));

	if (vm < 0)
		return -errno;
	close(vm);
	return 0;
}

/* KVM_GET_TSC_KHZ asks a vCPU, so one is made for the purpose. */
uint64_t kvm_tsc_hz(int kvm_fd)
{
	int vm, vcpu, khz = 0;

	if (!kvm_extension(kvm_fd, KVM_CAP_GET_TSC_KHZ))
		return 0;
	vm = ioctl(kvm_fd, KVM_CREATE_VM, arch_vm_type(kvm_fd));
	if (vm < 0)
		return 0;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0) {
		khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
		close(vcpu);
	}
	close(vm);
	return khz > 0 ? (uint64_t)khz * 1000 : 0;
}

enum kvm_flavour kvm_flavour(int kvm_fd)
{
	return arch_flavour(kvm_fd);
}

const char *kvm_flavour_name(enum kvm_flavour flavour)
{
	static const char *const names[] = {
		[KVM_FLAVOUR_VMX] = "VMX",
		[KVM_FLAVOUR_SVM] = "SVM",
		[KVM_FLAVOUR_ARM64] = "arm64",
		[KVM_FLAVOUR_ARM64_VHE] = "arm64 VHE",
		[KVM_FLAVOUR_ARM64_NVHE] = "arm64 nVHE",
		[KVM_FLAVOUR_ARM64_PROTECTED] = "arm64 protected",
		[KVM_FLAVOUR_SOFTWARE] = "software",
		[KVM_FLAVOUR_UNKNOWN] = "unknown",
	};

	return names[flavour];
}

bool kvm_flavour_is_hardware(enum kvm_flavour flavour)
{
	return flavour != KVM_FLAVOUR_SOFTWARE && flavour != KVM_FLAVOUR_UNKNOWN;
}
