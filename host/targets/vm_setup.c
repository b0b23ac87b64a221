/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What benchmarks need from their VM: an ioeventfd, a memory slot, an MSR filter. */
#include "host/targets/vm_setup.h"
#include "host/vmm/io.h"
#include "host/vmm/memory.h"
#include "host/vmm/traps.h"
#include "host/vmm/vmm.h"

#define PAGE_BYTES 0x1000ull
#define HUGE_BYTES 0x200000ull

#define MSR_TSC_ADJUST 0x3b /* the MSR of rdmsr_user and wrmsr_user */

_Static_assert(SLOT_GPA == ABI_SLOT_GPA, "guest and host name the same address");

/* ---- MMIO and port I/O ------------------------------------------------------------ */

static uint64_t mmio_gpa(const struct vm *vm)
{
	return vm->ram_gpa == ABI_X86_64_RAM_GPA ? ABI_X86_64_MMIO_GPA
						 : ABI_AARCH64_MMIO_GPA;
}

int setup_mmio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, false, mmio_gpa(vm) + ABI_MMIO_EVENTFD_OFFSET, 4);

	(void)params;
	return fd < 0 ? fd : 0;
}

int setup_mmio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd_match(vm, false, mmio_gpa(vm) + ABI_MMIO_MATCH_OFFSET, 4,
				  ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

int setup_mmio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, false, mmio_gpa(vm) + ABI_MMIO_COALESCED_OFFSET, 4);
}

int setup_mmio_nisv(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_nisv_to_user(vm);
}

int setup_pio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, true, ABI_X86_64_PIO_EVENTFD_PORT, 1);

	(void)params;
	return fd < 0 ? fd : 0;
}

int setup_pio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd =
		io_eventfd_match(vm, true, ABI_X86_64_PIO_MATCH_PORT, 1, ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

int setup_pio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, true, ABI_X86_64_PIO_COALESCED_PORT, 1);
}

/* ---- stage-2 faults: memory slots at ABI_SLOT_GPA -----------------------------------
 */

/*
 * One page per body of a boot, rounded up to huge pages: KVM checks whether a huge
 * mapping is possible only inside a whole huge page, and the check costs instructions.
 */
static uint64_t bodies_bytes(const struct abi_params *p)
{
	uint64_t bytes = PAGE_BYTES * abi_bodies(p);

	return (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
}

int setup_first_touch_4k(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .populate = true };

	return slot_add(vm, SLOT_GPA, bodies_bytes(params), &options);
}

/*
 * Before the warm-up the guest has touched all pages, so that the host has marked them
 * as used; otherwise the host would do so in every 15th event. Unmaps them from stage 2.
 */
void doorbell_first_touch_4k(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	if (kind == ABI_DOORBELL_BEGIN && phase == ABI_PHASE_WARMUP)
		(void)slot_unmap(vm, SLOT_GPA);
}

/*
 * One huge page that is unmapped before each event. Its neighbour stays mapped, so that
 * KVM does not free and allocate the table that maps both.
 */
int setup_first_touch_2m(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .huge = true, .populate = true };
	int err = slot_add(vm, SLOT_GPA, HUGE_BYTES, &options);

	(void)params;
	return err ? err : slot_add(vm, SLOT_GPA + HUGE_BYTES, HUGE_BYTES, &options);
}

/* A failure shows in the count of exits. */
void doorbell_first_touch_2m(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	(void)phase;
	if (kind == ABI_DOORBELL_AGAIN)
		(void)slot_unmap(vm, SLOT_GPA);
}

int setup_dirty_log(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .dirty_log = true, .populate = true };

	return slot_add(vm, SLOT_GPA, bodies_bytes(params), &options);
}

/* The guest has written to all pages: clearing the log write-protects each page once. */
void doorbell_dirty_log(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	uint64_t dirty;

	if (kind == ABI_DOORBELL_BEGIN && phase == ABI_PHASE_WARMUP)
		(void)slot_clear_dirty(vm, SLOT_GPA, &dirty);
}

int setup_readonly(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .readonly = true, .populate = true };

	(void)params;
	return slot_add(vm, SLOT_GPA, PAGE_BYTES, &options);
}

/* ---- exits that KVM forwards to user space, and interrupts ---------------------------
 */

int setup_hvc_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_smccc_to_user(vm, ABI_AARCH64_HVC_USER, 1);
}

int setup_msr_user(struct vm *vm, struct abi_params *params)
{
	static const struct traps_msrs tsc_adjust = { MSR_TSC_ADJUST, 1 };

	(void)params;
	return traps_msrs_to_user(vm, &tsc_adjust, 1);
}

int setup_int3_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_breakpoints_to_user(vm);
}

/* With an in-kernel LAPIC, KVM would block the vCPU until an interrupt. */
void configure_hlt_user(struct vm_config *config, struct abi_params *params)
{
	(void)params;
	config->irqchip = VM_IRQCHIP_USER;
}

/* An edge on the line of the interrupt that HLT waits for. */
void doorbell_hlt_kernel(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	(void)phase;
	if (kind != ABI_DOORBELL_AGAIN)
		return;
	(void)irq_set_line(vm, ABI_X86_64_HLT_LINE, false);
	(void)irq_set_line(vm, ABI_X86_64_HLT_LINE, true);
}

int setup_its(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return irq_its(vm);
}
