/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages of rows that only aarch64 has. */
#include "host/targets/stage_rows.h"
#include "host/vmm/irq.h"
#include "host/vmm/traps.h"

int stage_hvc_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_smccc_to_user(vm, ABI_AARCH64_HVC_USER, 1);
}

int stage_mmio_nisv(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_nisv_to_user(vm);
}

int stage_its(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return irq_its(vm);
}
