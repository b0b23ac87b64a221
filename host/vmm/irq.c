/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts through the in-kernel controller; the CPUs' own ways are in ARCH/irq.c. */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/vmm/arch.h"
#include "host/vmm/irq.h"

int irq_set_line(struct vm *vm, uint32_t line, bool level)
{
	struct kvm_irq_level request = { .level = level };
	int err = arch_irq_line(vm, line, &request.irq);

	if (err)
		return err;
	if (ioctl(vm->fd, KVM_IRQ_LINE, &request))
		return vm_fail(vm, -errno, "KVM_IRQ_LINE %u: %m", line);
	return 0;
}

int irq_fd(struct vm *vm, uint32_t line)
{
	struct kvm_irqfd request = { .flags = 0 };
	int err = arch_irq_gsi(vm, line, &request.gsi);

	if (err)
		return err;
	if (!kvm_extension(vm->fd, KVM_CAP_IRQFD))
		return vm_fail(vm, -ENOTSUP, "this KVM has no irqfd");
	if (vm->eventfds == VM_EVENTFDS_MAX)
		return vm_fail(vm, -ENOSPC, "no room for another eventfd");
	err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (err < 0)
		return vm_fail(vm, -errno, "eventfd: %m");
	request.fd = (uint32_t)err;
	if (ioctl(vm->fd, KVM_IRQFD, &request)) {
		err = vm_fail(vm, -errno, "KVM_IRQFD for line %u: %m", line);
		close((int)request.fd);
		return err;
	}
	vm->eventfd[vm->eventfds++] = (int)request.fd;
	return (int)request.fd;
}

int irq_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	struct kvm_msi request = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
		.flags = arch_msi_flags(vm),
	};
	int delivered;

	if (!kvm_extension(vm->fd, KVM_CAP_SIGNAL_MSI))
		return vm_fail(vm, -ENOTSUP, "this KVM has no KVM_SIGNAL_MSI");
	delivered = ioctl(vm->fd, KVM_SIGNAL_MSI, &request);
	if (delivered < 0)
		return vm_fail(vm, -errno, "KVM_SIGNAL_MSI to 0x%llx: %m",
			       (unsigned long long)address);
	if (!delivered)
		return vm_fail(vm, -EIO, "the guest blocks the MSI to 0x%llx",
			       (unsigned long long)address);
	return 0;
}
