/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMs that are not run. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/vmm/spacer.h"

void spacer_open(struct spacer *s, uint32_t n)
{
	int kvm = n ? open("/dev/kvm", O_RDWR | O_CLOEXEC) : -1;

	for (uint32_t i = 0; i < SPACERS_MAX; i++) {
		int vm = i < n && kvm >= 0 ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;

		/*
		 * Without one, a vCPU switches code into every exit of the others
		 * (kvm_has_noapic_vcpu). On arm64 there is nothing to ask for.
		 */
		if (vm >= 0)
			(void)ioctl(vm, KVM_CREATE_IRQCHIP, 0);
		s->fds[2 * i] = vm;
		s->fds[2 * i + 1] = vm >= 0 ? ioctl(vm, KVM_CREATE_VCPU, 0) : -1;
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
