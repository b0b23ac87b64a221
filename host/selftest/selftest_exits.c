/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: exits that no benchmark causes. */
#include <string.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/memory.h"
#include "host/vmm/exits.h"
#include "host/vmm/traps.h"
#include "host/vmm/io.h"

#define TIMES 20u

/* Exits of the boot CPU with this reason, by its name in linux/kvm.h. */
static uint64_t exits_for(const struct vm *vm, const char *reason)
{
	uint32_t i;

	for (i = 0; i < VCPU_EXIT_REASONS; i++)
		if (exits_name(i) && !strcmp(exits_name(i), reason))
			return vm->vcpus[0].stats.other[i];
	return 0;
}

/*
 * More pages than the ring has entries: the ring fills up, is emptied, and loses no page.
 * The page that filled the ring may be in it twice: the reset of the ring write-protects
 * the page before the guest has written to it.
 */
enum selftest_verdict selftest_dirty_ring(struct selftest *t)
{
	const struct slot_options logged = { .dirty_log = true, .populate = true };
	const uint64_t pages = 3 * DIRTY_RING_ENTRIES;
	const struct abi_params params = { .command = SELFTEST_TOUCH,
					   .events = (uint32_t)pages };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	uint64_t full;
	struct vm vm;
	int err;

	if (kvm_flavour(t->kvm_fd) == KVM_FLAVOUR_SOFTWARE)
		return selftest_skip(
			t,
			"a software KVM was seen to lose pages here, and to stand still");
	config.dirty_ring = DIRTY_RING_ENTRIES;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = slot_add(&vm, SLOT_GPA, pages * 4096, &logged);
	if (!err)
		err = selftest_go(&vm);
	if (!err)
		err = dirty_ring_harvest(&vm.vcpus[0]);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	full = exits_for(&vm, "KVM_EXIT_DIRTY_RING_FULL");
	if (verdict == SELFTEST_PASS &&
	    (full < 3 || vm.dirty_pages < pages || vm.dirty_pages > pages + full))
		verdict = selftest_fail(
			t,
			"%llu pages written, %llu in the ring, which was full %llu times",
			(unsigned long long)pages, (unsigned long long)vm.dirty_pages,
			(unsigned long long)full);
	vm_destroy(&vm);
	return verdict;
}

#define MSI_ADDRESS 0xfee00000ull
#define MSI_LEVEL   (1u << 15 | 1u << 14) /* level-triggered, asserted */

/* One level-triggered interrupt, whose end of interrupt exits. */
static int level_once(struct vm *vm, uint64_t nth)
{
	int err = irq_msi(vm, MSI_ADDRESS, SELFTEST_VECTOR | MSI_LEVEL);
	uint32_t idle = 0;

	while (!err && selftest_seen(vm, 2) < nth && ++idle < 4000) {
		err = selftest_go_for(vm, 500000);
		if (!err && vm->vcpus[0].stop == VCPU_STOP_DOORBELL)
			return selftest_alive(vm);
	}
	return err;
}

enum selftest_verdict selftest_eoi_split(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_IRQ, .events = TIMES };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	uint64_t n;
	int err;

	config.irqchip = VM_IRQCHIP_SPLIT;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = irq_route_msi(&vm, SELFTEST_GSI, MSI_ADDRESS,
				    SELFTEST_VECTOR | MSI_LEVEL);
	if (!err)
		err = selftest_go(&vm);
	for (n = 1; !err && n <= TIMES; n++)
		err = level_once(&vm, n);
	if (!err && vm.vcpus[0].stop != VCPU_STOP_DOORBELL)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS && exits_for(&vm, "KVM_EXIT_IOAPIC_EOI") != TIMES)
		verdict = selftest_fail(
			t, "%llu exits for the end of %u level-triggered interrupts",
			(unsigned long long)exits_for(&vm, "KVM_EXIT_IOAPIC_EOI"), TIMES);
	vm_destroy(&vm);
	return verdict;
}

enum selftest_verdict selftest_bus_locks(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_BUS_LOCK,
					   .events = TIMES };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	int err = selftest_open(t, &vm, &config, NULL, &params);

	if (!err)
		err = traps_bus_locks_to_user(&vm);
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS && exits_for(&vm, "KVM_EXIT_X86_BUS_LOCK") != TIMES)
		verdict = selftest_fail(
			t, "%llu exits for %u locked buses",
			(unsigned long long)exits_for(&vm, "KVM_EXIT_X86_BUS_LOCK"),
			TIMES);
	vm_destroy(&vm);
	return verdict;
}

enum selftest_verdict selftest_pmu_msrs(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_PMU_MSRS };
	struct vm_config config = selftest_config();

	config.pmc_msr_user = true;
	return selftest_simple(t, &config, NULL, &params);
}
