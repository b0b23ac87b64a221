/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the state of a VM other than its vCPUs': PIC, IOAPIC, clock. */
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/records.h"

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
