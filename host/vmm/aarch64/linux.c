/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: a VM for Linux, entered at EL2 (Documentation/arch/arm64/booting.rst). */
#include "host/vmm/linux.h"
#include "host/vmm/regs.h"

/* Without PSCI a kernel cannot reset its machine, or start a CPU. */
#define SETTINGS_OF_A_MACHINE (1u << SETTING_psci)

/*
 * KVM keeps a shadow of L1's stage 2 for two guests of each vCPU, and drops the oldest
 * for the next guest in more than 10^9 instructions (kvm_nested_s2_unmap(), kvm_s2_mmu).
 * The kernel sees and starts one CPU, and has the shadows of all.
 */
void linux_vm_config(struct vm_config *config, uint64_t ram_bytes)
{
	*config = (struct vm_config){
		.vcpus = VM_VCPUS_MAX,
		.secondaries_off = true,
		.irqchip = VM_IRQCHIP_KERNEL,
		.nested = true,
		.pmu = true,
		.ram_bytes = ram_bytes,
		.settings = SETTINGS_OF_A_MACHINE,
	};
}

int linux_enter(struct vm *vm, const struct linux_entry *entry)
{
	const struct regs_value tree = { .low = entry->params };
	int err = vm_reset(vm, entry->entry);

	return err ? err : regs_set(&vm->vcpus[0], "x0", &tree);
}
