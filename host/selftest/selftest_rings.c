/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: writes that the kernel collects in rings, and that it absorbs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"

static uint64_t place(void)
{
	return (vmm_arch == ARCH_X86_64 ? ABI_X86_64_MMIO_GPA : ABI_AARCH64_MMIO_GPA) +
	       SELFTEST_MMIO_OFFSET;
}

#define WRITES 500u /* more than a ring holds: its overflow exits, in order */

struct writes {
	uint32_t next[2]; /* by kind: address, port */
	uint32_t last_kind, out_of_order, coalesced;
};

/* Each kind counts up; and they take turns, where both are in the rings. */
static enum vm_answer count_write(void *ctx, struct vcpu *vcpu, const struct vm_access *a)
{
	struct writes *w = ctx;
	uint32_t value;

	(void)vcpu;
	memcpy(&value, a->data, sizeof(value));
	if (!a->is_write || a->bytes != sizeof(value) || value != w->next[a->is_pio])
		w->out_of_order++;
	if (vmm_arch == ARCH_X86_64 && w->next[0] + w->next[1] &&
	    w->last_kind == a->is_pio)
		w->out_of_order++;
	w->last_kind = a->is_pio;
	w->next[a->is_pio]++;
	w->coalesced += a->is_coalesced;
	return VM_ANSWERED;
}

static uint32_t kinds(void)
{
	return vmm_arch == ARCH_X86_64 ? 2 : 1;
}

static int coalesce_both(struct vm *vm)
{
	int err = io_coalesce(vm, false, place(), 4);

	return err || kinds() == 1 ? err : io_coalesce(vm, true, SELFTEST_PORT, 4);
}

enum selftest_verdict selftest_coalesced(struct selftest *t)
{
	struct writes w = { .coalesced = 0 };
	const struct vm_listener listener = { .ctx = &w, .access = count_write };
	const struct abi_params params = { .command = SELFTEST_WRITES, .events = WRITES };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vcpu_stats *stats;
	struct vm vm;
	int err = selftest_open(t, &vm, &config, &listener, &params);

	stats = &vm.vcpus[0].stats;
	if (!err)
		err = coalesce_both(&vm);
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS &&
	    (w.out_of_order || w.next[0] + w.next[1] != kinds() * WRITES))
		verdict = selftest_fail(t, "%u and %u writes came, %u out of order",
					w.next[0], w.next[1], w.out_of_order);
	/* Nearly all of them without an exit of their own; each counted once. */
	if (verdict == SELFTEST_PASS && (w.coalesced != stats->coalesced_mmio ||
					 w.coalesced < kinds() * WRITES * 9 / 10 ||
					 stats->vm_exits > kinds() * WRITES / 10 + 4))
		verdict = selftest_fail(t,
					"%u writes out of the rings, %llu counted, "
					"%llu exits",
					w.coalesced,
					(unsigned long long)stats->coalesced_mmio,
					(unsigned long long)stats->vm_exits);
	vm_destroy(&vm);
	return verdict;
}

#define KICKED_WRITES 20000u

/* All that the guest has written is served when it is left without an exit, too. */
enum selftest_verdict selftest_coalesced_kick(struct selftest *t)
{
	struct writes w = { .coalesced = 0 };
	const struct vm_listener listener = { .ctx = &w, .access = count_write };
	const struct abi_params params = { .command = SELFTEST_WRITES,
					   .events = KICKED_WRITES };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict = SELFTEST_PASS;
	uint32_t stops = 0;
	uint64_t seen;
	struct vm vm;
	int err = selftest_open(t, &vm, &config, &listener, &params);

	if (!err)
		err = coalesce_both(&vm);
	while (!err && verdict == SELFTEST_PASS && w.next[0] < KICKED_WRITES) {
		err = selftest_go_for(&vm, 200000);
		if (vm.vcpus[0].stop == VCPU_STOP_DOORBELL)
			break;
		stops++;
		seen = selftest_seen(&vm, 2);
		/* One more may be under way. */
		if (!err && (w.next[0] < seen || w.next[0] > seen + 1))
			verdict = selftest_fail(t, "the guest made %llu writes, %u came",
						(unsigned long long)seen, w.next[0]);
	}
	if (err)
		verdict = selftest_error(t, &vm, err);
	else if (verdict == SELFTEST_PASS &&
		 (w.next[0] != KICKED_WRITES || w.out_of_order || !stops))
		verdict = selftest_fail(t, "%u of %u writes, %u out of order, %u stops",
					w.next[0], KICKED_WRITES, w.out_of_order, stops);
	vm_destroy(&vm);
	return verdict;
}

static enum selftest_verdict expect_signals(struct selftest *t, int fd, const char *what)
{
	uint64_t signals = 0;

	if (read(fd, &signals, sizeof(signals)) != sizeof(signals) && errno != EAGAIN)
		return selftest_fail(t, "%s: the eventfd cannot be read", what);
	if (signals != WRITES)
		return selftest_fail(t, "%s: %llu signals for %u writes", what,
				     (unsigned long long)signals, WRITES);
	return SELFTEST_PASS;
}

enum selftest_verdict selftest_ioeventfd(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_WRITES, .events = WRITES };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	int memory = -1, port = -1, err;
	struct vm vm;

	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err) {
		/* One that takes any width, one that takes 4 bytes alone. */
		memory = io_eventfd(&vm, false, place(), 0);
		err = memory < 0 ? memory : 0;
	}
	if (!err && kinds() == 2) {
		port = io_eventfd(&vm, true, SELFTEST_PORT, 4);
		err = port < 0 ? port : 0;
	}
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS)
		verdict = expect_signals(t, memory, "memory");
	if (verdict == SELFTEST_PASS && port >= 0)
		verdict = expect_signals(t, port, "port");
	if (verdict == SELFTEST_PASS && vm.vcpus[0].stats.vm_exits > 2)
		verdict = selftest_fail(t, "%llu exits reached user space",
					(unsigned long long)vm.vcpus[0].stats.vm_exits);
	vm_destroy(&vm);
	return verdict;
}
