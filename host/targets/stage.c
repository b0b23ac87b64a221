/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of what rows need on the host's side of their VM. */
#include <string.h>

#include "host/targets/stage_rows.h"
#include "host/vmm/io.h"

static uint64_t mmio_gpa(const struct vm *vm)
{
	return vm->ram_gpa == ABI_X86_64_RAM_GPA ? ABI_X86_64_MMIO_GPA
						 : ABI_AARCH64_MMIO_GPA;
}

static int mmio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, false, mmio_gpa(vm) + ABI_MMIO_EVENTFD_OFFSET, 4);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int mmio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd_match(vm, false, mmio_gpa(vm) + ABI_MMIO_MATCH_OFFSET, 4,
				  ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int mmio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, false, mmio_gpa(vm) + ABI_MMIO_COALESCED_OFFSET, 4);
}

static const struct stage table[] = {
	{ .id = "mmio_write_ioeventfd", .archs = ARCHS_ALL, .prepare = mmio_eventfd },
	{ .id = "mmio_write_ioeventfd_match",
	  .archs = ARCHS_ALL,
	  .prepare = mmio_eventfd_match },
	{ .id = "mmio_write_coalesced", .archs = ARCHS_ALL, .prepare = mmio_coalesced },
	{ .id = "fault_first_touch_4k",
	  .archs = ARCHS_ALL,
	  .prepare = stage_first_touch_4k,
	  .doorbell = stage_first_touch_4k_doorbell },
	{ .id = "fault_first_touch_2m",
	  .archs = ARCHS_ALL,
	  .prepare = stage_first_touch_2m,
	  .doorbell = stage_first_touch_2m_doorbell },
	{ .id = "fault_dirty_log",
	  .archs = ARCHS_ALL,
	  .prepare = stage_dirty_log,
	  .doorbell = stage_dirty_log_doorbell },
	{ .id = "fault_readonly", .archs = ARCHS_ALL, .prepare = stage_readonly },

	{ .id = "hvc_user", .archs = ARCHS_AARCH64, .prepare = stage_hvc_user },
	{ .id = "rdmsr_user", .archs = ARCHS_X86_64, .prepare = stage_msr_user },
	{ .id = "wrmsr_user", .archs = ARCHS_X86_64, .prepare = stage_msr_user },
	{ .id = "int3_user", .archs = ARCHS_X86_64, .prepare = stage_int3_user },
	{ .id = "hlt_user",
	  .archs = ARCHS_X86_64,
	  .halts = true,
	  .configure = stage_hlt_user },
	{ .id = "hlt_kernel",
	  .archs = ARCHS_X86_64,
	  .doorbell = stage_hlt_kernel_doorbell },
	{ .id = "pio_ioeventfd", .archs = ARCHS_X86_64, .prepare = stage_pio_eventfd },
	{ .id = "pio_ioeventfd_match",
	  .archs = ARCHS_X86_64,
	  .prepare = stage_pio_eventfd_match },
	{ .id = "pio_coalesced", .archs = ARCHS_X86_64, .prepare = stage_pio_coalesced },

	{ .id = "mmio_read_nisv", .archs = ARCHS_AARCH64, .prepare = stage_mmio_nisv },
	{ .id = "its_int", .archs = ARCHS_AARCH64, .prepare = stage_its },
};

const struct stage *stage_find(const char *id, enum arch arch)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].archs & 1u << arch && !strcmp(table[i].id, id))
			return &table[i];
	return NULL;
}
