/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: interrupts into a vCPU without an in-kernel controller, NMIs, and the state of
 * a VM other than its vCPUs': PIC, IOAPIC, clock.
 *
 * KVM_INTERRUPT is only valid while the guest accepts interrupts, which each exit reports
 * (run->ready_for_interrupt_injection). Otherwise request_interrupt_window makes KVM_RUN
 * return as soon as the guest accepts one (KVM_EXIT_IRQ_WINDOW_OPEN;
 * Documentation/virt/kvm/api.rst, KVM_RUN).
 */
#include "host/vmm/arch.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/io.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/x86_64/regs_copy.h"

int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq)
{
	if (vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return error_set(&vm->error, -ENOTSUP,
				 "lines need the in-kernel PIC and IOAPIC (line %u)",
				 line);
	*irq = line;
	return 0;
}

int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi)
{
	return arch_irq_line(vm, line, gsi);
}

uint32_t arch_msi_flags(const struct vm *vm)
{
	(void)vm;
	return 0;
}

int arch_irq_deliver(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vcpu_irqs *irqs = &vcpu->irqs;
	struct kvm_interrupt interrupt;
	int err;

	if (irqs->queued && run->ready_for_interrupt_injection) {
		interrupt.irq = irqs->vector[irqs->first];
		err = vcpu_ioctl_on(vcpu, KVM_INTERRUPT, &interrupt, "%u", interrupt.irq);
		if (err)
			return err;
		regs_invalidate(vcpu, REGS_PENDING);
		irqs->first = (irqs->first + 1) % VCPU_IRQS_MAX;
		irqs->queued--;
		vcpu->stats.interrupts++;
		/* One at a time: the next exit reports whether another may follow. */
		run->ready_for_interrupt_injection = 0;
	}
	run->request_interrupt_window = irqs->queued > 0;
	return 0;
}

int irq_inject(struct vcpu *vcpu, uint8_t vector)
{
	struct vcpu_irqs *irqs = &vcpu->irqs;

	if (vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		return error_set(vcpu->error, -ENOTSUP,
				 "vectors are injected only without an in-kernel LAPIC");
	if (irqs->queued == VCPU_IRQS_MAX)
		return error_set(vcpu->error, -EAGAIN, "%u interrupts are already queued",
				 (unsigned int)VCPU_IRQS_MAX);
	irqs->vector[(irqs->first + irqs->queued) % VCPU_IRQS_MAX] = vector;
	irqs->queued++;
	return arch_irq_deliver(vcpu);
}

int irq_nmi(struct vcpu *vcpu)
{
	int err;

	if (!kvm_check_cap(vcpu->vm->fd, KVM_CAP_USER_NMI))
		return error_set(vcpu->error, -ENOTSUP, "this KVM has no KVM_NMI");
	err = vcpu_ioctl(vcpu, KVM_NMI, KVM_NONE);
	if (err)
		return err;
	regs_invalidate(vcpu, REGS_PENDING);
	vcpu->stats.interrupts++;
	return 0;
}

int irq_route_msi(struct vm *vm, uint32_t gsi, uint64_t address, uint32_t data)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} table = {
		.head.nr = 1,
		.entry = { .gsi = gsi,
			   .type = KVM_IRQ_ROUTING_MSI,
			   .u.msi = { .address_lo = (uint32_t)address,
				      .address_hi = (uint32_t)(address >> 32),
				      .data = data } },
	};

	if (vm->config.irqchip != VM_IRQCHIP_SPLIT)
		return error_set(&vm->error, -ENOTSUP, "GSI routes need a split irqchip");
	return vm_ioctl_on(vm, KVM_SET_GSI_ROUTING, &table.head, "of GSI %u", gsi);
}

int irq_its(struct vm *vm)
{
	return error_set(&vm->error, -ENOTSUP, "an ITS is part of a GIC");
}

/* Records 0 to 2 are the chips', by KVM's numbers. */
#define RECORD_CLOCK 3u

static int save_chips(struct vm *vm, FILE *out)
{
	uint32_t id;
	int err = 0;

	for (id = 0; !err && id < KVM_NR_IRQCHIPS; id++) {
		struct kvm_irqchip chip = { .chip_id = id };

		err = vm_ioctl_on(vm, KVM_GET_IRQCHIP, &chip, "%u", id);
		if (!err)
			err = record_write(out, id, &chip, sizeof(chip));
	}
	return err;
}

int arch_machine_save(struct vm *vm, FILE *out)
{
	struct kvm_clock_data clock;
	int err = 0;

	if (vm->config.irqchip == VM_IRQCHIP_KERNEL)
		err = save_chips(vm, out);
	if (!err && kvm_check_cap(vm->fd, KVM_CAP_ADJUST_CLOCK)) {
		memset(&clock, 0, sizeof(clock));
		err = vm_ioctl(vm, KVM_GET_CLOCK, &clock);
		if (!err)
			err = record_write(out, RECORD_CLOCK, &clock, sizeof(clock));
	}
	return err;
}

/* None of it is in guest memory. */
int arch_machine_flush(struct vm *vm)
{
	(void)vm;
	return 0;
}

static int refuse(struct vm *vm, const char *why)
{
	return error_set(&vm->error, -EINVAL, "the checkpoint does not fit this VM: %s",
			 why);
}

static int restore_chip(struct vm *vm, const struct record *record, const uint8_t *data,
			bool put)
{
	struct kvm_irqchip chip;

	if (record->bytes != sizeof(chip) || vm->config.irqchip != VM_IRQCHIP_KERNEL)
		return refuse(vm, "an interrupt controller that it does not have");
	memcpy(&chip, data, sizeof(chip));
	if (chip.chip_id != record->id)
		return refuse(vm, "its interrupt controllers");
	return put ? vm_ioctl_on(vm, KVM_SET_IRQCHIP, &chip, "%u", chip.chip_id) : 0;
}

/* Without flags KVM continues the clock from the saved value. */
static int restore_clock(struct vm *vm, const struct record *record, const uint8_t *data,
			 bool put)
{
	struct kvm_clock_data saved, clock = { .flags = 0 };

	if (record->bytes != sizeof(saved))
		return refuse(vm, "its clock");
	memcpy(&saved, data, sizeof(saved));
	clock.clock = saved.clock;
	return put ? vm_ioctl(vm, KVM_SET_CLOCK, &clock) : 0;
}

int arch_machine_restore(struct vm *vm, const uint8_t *state, size_t bytes, bool put)
{
	struct record record;
	const uint8_t *data;
	int err = 0;

	while (!err && (data = record_next(&state, &bytes, &record))) {
		if (record.id < KVM_NR_IRQCHIPS)
			err = restore_chip(vm, &record, data, put);
		else if (record.id == RECORD_CLOCK)
			err = restore_clock(vm, &record, data, put);
		else
			err = refuse(vm, "an unknown part of the machine");
	}
	return err || !bytes ? err : refuse(vm, "its machine state is truncated");
}
