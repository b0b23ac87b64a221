/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts through the in-kernel controller; those of ARCH/irq.c need none. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/vmm/arch.h"
#include "host/vmm/irq.h"
#include "host/vmm/kvm_ioctl.h"

int irq_set_line(struct vm *vm, uint32_t line, bool level)
{
	struct kvm_irq_level request = { .level = level };
	int err = arch_irq_line(vm, line, &request.irq);

	return err ? err : vm_ioctl_on(vm, KVM_IRQ_LINE, &request, "%u", line);
}

int irq_fd(struct vm *vm, uint32_t line)
{
	struct kvm_irqfd request = { .flags = 0 };
	int err = arch_irq_gsi(vm, line, &request.gsi), fd;

	if (err)
		return err;
	if (!kvm_check_cap(vm->fd, KVM_CAP_IRQFD))
		return error_set(&vm->error, -ENOTSUP, "this KVM has no irqfd");
	if (vm->eventfds == VM_EVENTFDS_MAX)
		return error_set(&vm->error, -ENOSPC, "too many eventfds");
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return error_set(&vm->error, -errno, "eventfd: %m");
	request.fd = (uint32_t)fd;
	err = vm_ioctl_on(vm, KVM_IRQFD, &request, "of line %u", line);
	if (err) {
		close(fd);
		return err;
	}
	vm->eventfd[vm->eventfds++] = fd;
	return fd;
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

	if (!kvm_check_cap(vm->fd, KVM_CAP_SIGNAL_MSI))
		return error_set(&vm->error, -ENOTSUP, "this KVM has no KVM_SIGNAL_MSI");
	delivered = vm_ioctl_value_on(vm, KVM_SIGNAL_MSI, &request, "to 0x%llx",
				      (unsigned long long)address);
	if (delivered < 0)
		return delivered;
	if (!delivered)
		return error_set(&vm->error, -EIO, "the guest blocks the MSI to 0x%llx",
				 (unsigned long long)address);
	return 0;
}
