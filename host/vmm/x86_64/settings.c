/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: how each setting of bench/shapes.def is applied. */
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"
#include "host/vmm/traps.h"

/* Three pages and one that VMX uses for real mode: below the BIOS, above RAM. */
#define TSS_GPA		 0xfffbd000ul
#define IDENTITY_MAP_GPA 0xfffbc000ull

/* The address space of a slot is in the upper half of its number (api.rst,
 * KVM_SET_USER_MEMORY_REGION). */
#define SMM_SPACE_SLOT (1u << 16)

#define MSR_CORE_THREAD_COUNT 0x35

static int set_identity_map(struct vm *vm)
{
	uint64_t gpa = IDENTITY_MAP_GPA;

	return vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &gpa);
}

static int set_tss(struct vm *vm)
{
	return vm_ioctl(vm, KVM_SET_TSS_ADDR, KVM_VALUE(TSS_GPA));
}

static void configure_split_irqchip(struct vm_config *config)
{
	config->irqchip = VM_IRQCHIP_SPLIT;
}

static int create_pit(struct vm *vm)
{
	struct kvm_pit_config pit = { .flags = 0 };

	return vm_ioctl(vm, KVM_CREATE_PIT2, &pit);
}

static int create_pit_speaker(struct vm *vm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return vm_ioctl(vm, KVM_CREATE_PIT2, &pit);
}

static int filter_msr(struct vm *vm)
{
	static const struct traps_msrs core_thread_count = { MSR_CORE_THREAD_COUNT, 1 };

	return traps_msrs_to_user(vm, &core_thread_count, 1);
}

static int add_smram(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = SMM_SPACE_SLOT,
		.guest_phys_addr = vm->ram_gpa,
		.memory_size = vm->ram_bytes,
		.userspace_addr = (uintptr_t)vm->ram,
	};

	return vm_ioctl_on(vm, KVM_SET_USER_MEMORY_REGION, &region, "in address space %u",
			   1);
}

static int set_dirty_log_manual(struct vm *vm)
{
	vm->dirty_log_manual = true;
	return 0;
}

static void configure_no_pmu(struct vm_config *config)
{
	config->cpuid_no_pmu = true;
}

const struct vm_setting vm_settings[SETTINGS] = {
	[SETTING_identity_map] = { .early = set_identity_map },
	[SETTING_tss] = { .early = set_tss },
	[SETTING_split_irqchip] = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.configure = configure_split_irqchip,
		.lacks = "a software KVM",
	},
	[SETTING_x2apic_api] = {
		.cap = KVM_CAP_X2APIC_API,
		.bits = KVM_X2APIC_API_USE_32BIT_IDS |
			KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
		.enable = true,
		.lacks = "Linux 4.8",
	},
	[SETTING_pit] = { .cap = KVM_CAP_PIT2, .late = create_pit,
			  .lacks = "a kernel without KVM_IOAPIC" },
	[SETTING_pit_speaker] = { .cap = KVM_CAP_PIT2, .late = create_pit_speaker,
				  .lacks = "a kernel without KVM_IOAPIC" },
	[SETTING_exception_payload] = { .cap = KVM_CAP_EXCEPTION_PAYLOAD, .enable = true,
					.lacks = "Linux 4.20" },
	[SETTING_triple_fault_event] = { .cap = KVM_CAP_X86_TRIPLE_FAULT_EVENT,
					 .enable = true, .lacks = "Linux 6.0" },
	[SETTING_notify_vmexit] = {
		.cap = KVM_CAP_X86_NOTIFY_VMEXIT,
		/* KVM reports 1, not the bits that it accepts. */
		.enable = true,
		.argument = KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER,
		.lacks = "the CPU has no notify exits (Intel since Sapphire Rapids)",
	},
	[SETTING_msr_filter] = { .cap = KVM_CAP_X86_MSR_FILTER, .late = filter_msr,
				 .lacks = "Linux 5.10" },
	[SETTING_smram] = { .cap = KVM_CAP_MULTI_ADDRESS_SPACE, .bits = 2,
			    .late = add_smram,
			    .lacks = "a kernel without KVM_SMM, or with one address space" },
	[SETTING_cpuid_no_pmu] = { .configure = configure_no_pmu },
	[SETTING_dirty_log_manual] = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.bits = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET,
		.enable = true,
		.early = set_dirty_log_manual,
		.lacks = "Linux 5.7",
	},
};
