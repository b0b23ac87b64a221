/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages of rows that only x86_64 has. */
#include "host/targets/stage_rows.h"
#include "host/vmm/io.h"
#include "host/vmm/irq.h"
#include "host/vmm/traps.h"

#define MSR_TSC_ADJUST 0x3b /* as in bench/x86_64/msr.c */

int stage_msr_user(struct vm *vm, struct abi_params *params)
{
	static const struct traps_msrs tsc_adjust = { MSR_TSC_ADJUST, 1 };

	(void)params;
	return traps_msrs_to_user(vm, &tsc_adjust, 1);
}

int stage_int3_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_breakpoints_to_user(vm);
}

/* With a LAPIC in the kernel, KVM would wait there for its interrupts. */
void stage_hlt_user(struct vm_config *config, struct abi_params *params)
{
	(void)params;
	config->irqchip = VM_IRQCHIP_USER;
}

/* An edge of the line that HLT will wait for. */
void stage_hlt_kernel_doorbell(struct vm *vm, enum abi_doorbell doorbell,
			       enum abi_phase phase)
{
	(void)phase;
	if (doorbell != ABI_DOORBELL_AGAIN)
		return;
	(void)irq_set_line(vm, ABI_X86_64_HLT_LINE, false);
	(void)irq_set_line(vm, ABI_X86_64_HLT_LINE, true);
}

int stage_pio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, true, ABI_X86_64_PIO_EVENTFD_PORT, 1);

	(void)params;
	return fd < 0 ? fd : 0;
}

int stage_pio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd =
		io_eventfd_match(vm, true, ABI_X86_64_PIO_MATCH_PORT, 1, ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

int stage_pio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, true, ABI_X86_64_PIO_COALESCED_PORT, 1);
}
