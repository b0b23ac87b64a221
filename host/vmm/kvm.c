/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/kvm: opening it, its capabilities, its implementation, and spacer VMs. */
#include <fcntl.h>
#include <unistd.h>

#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"

int kvm_open(struct error *err)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), version;

	if (fd < 0) {
		switch (errno) {
		case ENOENT:
			return error_set(
				err, -ENOENT,
				"no /dev/kvm: KVM is not loaded or not available");
		case EACCES:
			return error_set(
				err, -EACCES,
				"no permission for /dev/kvm: run as root or join its group");
		default:
			return error_set(err, -errno, "cannot open /dev/kvm: %m");
		}
	}
	version = __kvm_ioctl_value(fd, KVM_GET_API_VERSION, KVM_NONE);
	if (version == KVM_API_VERSION)
		return fd;
	close(fd);
	return error_set(err, -ENOTSUP, "/dev/kvm has API version %d, not %d", version,
			 KVM_API_VERSION);
}

int kvm_try_vm(int kvm_fd)
{
	int vm =
		__kvm_ioctl_value(kvm_fd, KVM_CREATE_VM, KVM_VALUE(arch_vm_type(kvm_fd)));

	if (vm < 0)
		return vm;
	close(vm);
	return 0;
}

/* KVM_GET_TSC_KHZ is an ioctl of a vCPU. */
uint64_t kvm_tsc_hz(int kvm_fd)
{
	int vm, vcpu, khz = 0;

	if (!kvm_check_cap(kvm_fd, KVM_CAP_GET_TSC_KHZ))
		return 0;
	vm = __kvm_ioctl_value(kvm_fd, KVM_CREATE_VM, KVM_VALUE(arch_vm_type(kvm_fd)));
	if (vm < 0)
		return 0;
	vcpu = __kvm_ioctl_value(vm, KVM_CREATE_VCPU, KVM_VALUE(0));
	if (vcpu >= 0) {
		khz = __kvm_ioctl_value(vcpu, KVM_GET_TSC_KHZ, KVM_NONE);
		close(vcpu);
	}
	close(vm);
	return khz > 0 ? (uint64_t)khz * 1000 : 0;
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

void spacer_open(struct spacer *s, uint32_t n)
{
	int kvm = n ? open("/dev/kvm", O_RDWR | O_CLOEXEC) : -1;

	for (uint32_t i = 0; i < SPACERS_MAX; i++) {
		int vm = i < n && kvm >= 0
				 ? __kvm_ioctl_value(kvm, KVM_CREATE_VM, KVM_VALUE(0))
				 : -1;

		/*
		 * A vCPU without an in-kernel APIC would enable more code in every exit
		 * of all VMs (kvm_has_noapic_vcpu). On arm64 the request fails.
		 */
		if (vm >= 0)
			(void)__kvm_ioctl(vm, KVM_CREATE_IRQCHIP, KVM_NONE);
		s->fds[2 * i] = vm;
		s->fds[2 * i + 1] =
			vm >= 0 ? __kvm_ioctl_value(vm, KVM_CREATE_VCPU, KVM_VALUE(0))
				: -1;
	}
	if (kvm >= 0)
		close(kvm);
}

void spacer_close(struct spacer *s)
{
	for (uint32_t i = 0; i < 2 * SPACERS_MAX; i++)
		if (s->fds[2 * SPACERS_MAX - 1 - i] >= 0)
			close(s->fds[2 * SPACERS_MAX - 1 - i]);
}
