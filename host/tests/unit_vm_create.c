/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating a VM whose vCPU KVM refuses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/vmm/vmm.h"

/* KVM with a mediated vPMU on a host whose NMI watchdog has a counter. */
int ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	switch (request) {
	case KVM_CREATE_VM:
		return dup(STDERR_FILENO);
	case KVM_CREATE_VCPU:
		errno = EBUSY;
		return -1;
	default:
		return 0;
	}
}

Test(vm_create, counters_in_use_are_unsupported_and_name_the_watchdog)
{
	const struct vm_config config = { .vcpus = 1 };
	const struct vm_listener listener = { 0 };
	static struct vm vm;

	cr_expect_eq(vm_create(&vm, STDERR_FILENO, &config, &listener), -ENOTSUP);
	cr_expect_not_null(strstr(vm.error.text, "nmi_watchdog=0"));
	cr_expect_not_null(strstr(vm.error.text, "KVM_CREATE_VCPU"));
	vm_destroy(&vm);
}
