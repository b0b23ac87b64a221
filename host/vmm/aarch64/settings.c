/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: how each setting of bench/shapes.def is applied. */
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"

/* As on QEMU's machine virt (hw/arm/virt.c). */
#define FLASH_BYTES 0x4000000ull
#define PVTIME_GPA  0x090a0000ull

#define PAGE_BYTES 0x1000ull

/* A vCPU's record of stolen time: 64 bytes, aligned
 * (Documentation/virt/kvm/arm/pvtime.rst). */
#define PVTIME_BYTES 64ull

static void configure_pmu(struct vm_config *config)
{
	config->pmu = config->pmu_idle = true;
}

/* The vector length stays KVM's. */
static int finalize_sve(struct vm *vm)
{
	int feature = KVM_ARM_VCPU_SVE, err = 0;
	unsigned int i;

	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_ioctl(&vm->vcpus[i], KVM_ARM_VCPU_FINALIZE, &feature);
	return err;
}

static int set_pvtime(struct vm *vm, uint64_t gpa)
{
	unsigned int i;
	int err;

	for (i = 0; i < vm->config.vcpus; i++, gpa += PVTIME_BYTES) {
		err = kvm_device_attr_set(vm->vcpus[i].fd, KVM_ARM_VCPU_PVTIME_CTRL,
					  KVM_ARM_VCPU_PVTIME_IPA, &gpa);
		if (err)
			return error_set(&vm->error, err, "KVM_ARM_VCPU_PVTIME_IPA: %s",
					 strerror(-err));
	}
	return 0;
}

static int add_pvtime_slot(struct vm *vm)
{
	const struct slot_options populated = { .populate = true };
	int err = slot_add(vm, PVTIME_GPA, PAGE_BYTES, &populated);

	return err ? err : set_pvtime(vm, PVTIME_GPA);
}

/* The payload does not use the last page of RAM. */
static int set_pvtime_ram(struct vm *vm)
{
	return set_pvtime(vm, vm->ram_gpa + vm->ram_bytes - PAGE_BYTES);
}

static void configure_counter_offset(struct vm_config *config)
{
	config->counter_offset = 1;
}

static int add_flash(struct vm *vm)
{
	const struct slot_options readonly = { .readonly = true };
	int err = slot_add(vm, 0, FLASH_BYTES, &readonly);

	return err ? err : slot_add(vm, FLASH_BYTES, FLASH_BYTES, &readonly);
}

static int set_dirty_log_manual(struct vm *vm)
{
	vm->dirty_log_manual = true;
	return 0;
}

const struct vm_setting vm_settings[SETTINGS] = {
	[SETTING_dirty_log_manual] = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.bits = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET,
		.enable = true,
		.early = set_dirty_log_manual,
		.lacks = "Linux 5.7",
	},
	[SETTING_psci] = { .cap = KVM_CAP_ARM_PSCI_0_2,
			   .features = 1u << KVM_ARM_VCPU_PSCI_0_2,
			   .lacks = "Linux 3.16" },
	[SETTING_pmu] = {
		.cap = KVM_CAP_ARM_PMU_V3,
		.configure = configure_pmu,
		.lacks = "the machine has no PMUv3, or the kernel no driver for it",
	},
	[SETTING_sve] = { .cap = KVM_CAP_ARM_SVE,
			  .features = 1u << KVM_ARM_VCPU_SVE,
			  .late = finalize_sve,
			  .lacks = "the CPU has no SVE, or KVM is protected" },
	[SETTING_ptrauth] = {
		.cap = KVM_CAP_ARM_PTRAUTH_ADDRESS,
		.features = 1u << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
			    1u << KVM_ARM_VCPU_PTRAUTH_GENERIC,
		.lacks = "the CPU has no pointer authentication, or KVM is protected",
	},
	[SETTING_nisv_to_user] = { .cap = KVM_CAP_ARM_NISV_TO_USER, .enable = true,
				   .lacks = "Linux 5.5" },
	[SETTING_its] = { .late = irq_its },
	[SETTING_pvtime_slot] = { .cap = KVM_CAP_STEAL_TIME, .late = add_pvtime_slot,
				  .lacks = "Linux 5.10, or a kernel without SCHED_INFO" },
	[SETTING_pvtime_ram] = { .cap = KVM_CAP_STEAL_TIME, .late = set_pvtime_ram,
				 .lacks = "Linux 5.10, or a kernel without SCHED_INFO" },
	[SETTING_counter_offset] = { .cap = KVM_CAP_COUNTER_OFFSET,
				     .configure = configure_counter_offset,
				     .lacks = "Linux 6.4" },
	[SETTING_flash] = { .cap = KVM_CAP_READONLY_MEM, .late = add_flash,
			    .lacks = "a KVM without read-only memory" },
};
