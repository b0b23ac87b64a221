/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: port I/O and MMIO, coalesced rings, ioeventfds. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/memory.h"
#include "host/vmm/counters.h"

/* ---- accesses: widths, order, completion by another thread ---- */

static uint64_t place(void)
{
	return (vmm_arch == ARCH_X86_64 ? ABI_X86_64_MMIO_GPA : ABI_AARCH64_MMIO_GPA) +
	       SELFTEST_MMIO_OFFSET;
}

/* The accesses of SELFTEST_ACCESS. */
struct wanted {
	bool is_pio, is_write;
	uint32_t bytes, count;
	uint32_t pattern_bytes; /* strings go on through a longer pattern */
};

static const struct wanted wanted_x86_64[] = {
	{ false, true, 1, 1, 1 },
	{ false, false, 1, 1, 1 },
	{ false, true, 2, 1, 2 },
	{ false, false, 2, 1, 2 },
	{ false, true, 4, 1, 4 },
	{ false, false, 4, 1, 4 },
	{ false, true, 8, 1, 8 },
	{ false, false, 8, 1, 8 },
	{ true, true, 1, 1, 1 },
	{ true, true, 2, 1, 2 },
	{ true, true, 4, 1, 4 },
	{ true, false, 1, 1, 1 },
	{ true, false, 2, 1, 2 },
	{ true, false, 4, 1, 4 },
	{ true, true, 1, SELFTEST_STRING, SELFTEST_STRING },
	{ true, false, 1, SELFTEST_STRING, 1 },
	{ true, true, 2, SELFTEST_STRING, 2 * SELFTEST_STRING },
	{ true, false, 2, SELFTEST_STRING, 2 },
	{ true, true, 4, SELFTEST_STRING, 4 * SELFTEST_STRING },
	{ true, false, 4, SELFTEST_STRING, 4 },
	{ .count = 0 },
};

static const struct wanted wanted_aarch64[] = {
	{ false, true, 1, 1, 1 },  { false, false, 1, 1, 1 }, { false, true, 2, 1, 2 },
	{ false, false, 2, 1, 2 }, { false, true, 4, 1, 4 },  { false, false, 4, 1, 4 },
	{ false, true, 8, 1, 8 },  { false, false, 8, 1, 8 }, { .count = 0 },
};

struct checker {
	const struct wanted *wanted;
	uint32_t nth; /* of wanted->count */
	uint64_t pio, mmio;
	char wrong[256];
};

static void complain(struct checker *c, const struct vm_access *a, const char *what)
{
	uint64_t value = 0;

	if (a->is_write)
		memcpy(&value, a->data, a->bytes);
	if (!c->wrong[0])
		snprintf(c->wrong, sizeof(c->wrong),
			 "%s: a %u-byte %s %s 0x%llx (0x%llx), item %u", what, a->bytes,
			 a->is_write ? "write to" : "read from",
			 a->is_pio ? "port" : "address", (unsigned long long)a->address,
			 (unsigned long long)value, c->nth);
}

static enum vm_answer check_access(void *ctx, struct vcpu *vcpu,
				   const struct vm_access *a)
{
	const uint64_t expected = a->is_pio ? SELFTEST_PORT : place();
	struct checker *c = ctx;
	const struct wanted *w = c->wanted;
	uint32_t n;

	(void)vcpu;
	if (!w->count || a->is_pio != w->is_pio || a->is_write != w->is_write ||
	    a->bytes != w->bytes || a->address != expected) {
		complain(c, a, "unexpected");
		return VM_ANSWERED;
	}
	for (n = 0; n < a->bytes; n++) {
		if (!a->is_write)
			a->data[n] = SELFTEST_READ(n);
		else if (a->data[n] !=
			 SELFTEST_WRITTEN((c->nth * a->bytes + n) % w->pattern_bytes))
			complain(c, a, "other data than the guest wrote");
	}
	if (a->is_pio)
		c->pio++;
	else
		c->mmio++;
	if (++c->nth == w->count) {
		c->nth = 0;
		c->wanted++;
	}
	return VM_ANSWERED;
}

static enum selftest_verdict access_in(struct selftest *t, struct vm *vm,
				       struct checker *c)
{
	const struct vm_listener listener = { .ctx = c, .access = check_access };
	const struct abi_params params = { .command = SELFTEST_ACCESS };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	int err;

	*c = (struct checker){
		.wanted = vmm_arch == ARCH_X86_64 ? wanted_x86_64 : wanted_aarch64,
	};
	err = selftest_open(t, vm, &config, &listener, &params);
	if (!err)
		err = selftest_go(vm);
	if (err)
		return selftest_error(t, vm, err);
	if (c->wrong[0])
		return selftest_fail(t, "%s", c->wrong);
	verdict = selftest_done(t, vm);
	if (verdict == SELFTEST_PASS && c->wanted->count)
		return selftest_fail(t, "accesses are missing");
	return verdict;
}

enum selftest_verdict selftest_access_widths(struct selftest *t)
{
	enum selftest_verdict verdict;
	struct checker c;
	struct vm vm;

	verdict = access_in(t, &vm, &c);
	vm_destroy(&vm);
	return verdict;
}

/* A slow device: another thread answers. */
struct later {
	struct checker checker;
	pthread_t thread;
	bool started;
	struct vcpu *vcpu;
	uint8_t data[8];
	uint32_t bytes;
};

static void *answer(void *ctx)
{
	struct later *l = ctx;

	usleep(2000);
	vcpu_answer(l->vcpu, l->data, l->bytes);
	return NULL;
}

static enum vm_answer answer_later(void *ctx, struct vcpu *vcpu,
				   const struct vm_access *a)
{
	struct later *l = ctx;

	check_access(&l->checker, vcpu, a);
	if (a->is_write || a->is_pio)
		return VM_ANSWERED;
	if (l->started)
		pthread_join(l->thread, NULL);
	memcpy(l->data, a->data, a->bytes);
	memset(a->data, 0, a->bytes); /* the guest must not see this */
	l->bytes = a->bytes;
	l->vcpu = vcpu;
	l->started = !pthread_create(&l->thread, NULL, answer, l);
	if (l->started)
		return VM_ANSWER_LATER;
	complain(&l->checker, a, "no thread could be started");
	return VM_ANSWERED;
}

enum selftest_verdict selftest_access_later(struct selftest *t)
{
	struct later l = {
		.checker.wanted =
			vmm_arch == ARCH_X86_64 ? wanted_x86_64 : wanted_aarch64,
	};
	const struct vm_listener listener = { .ctx = &l, .access = answer_later };
	const struct abi_params params = { .command = SELFTEST_ACCESS };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict = selftest_simple(t, &config, &listener, &params);

	if (l.started)
		pthread_join(l.thread, NULL);
	if (verdict == SELFTEST_PASS && l.checker.wrong[0])
		return selftest_fail(t, "%s", l.checker.wrong);
	return verdict;
}

/* Compares the run loop's counters with KVM's, if this KVM has them. */
enum selftest_verdict selftest_kvm_stats(struct selftest *t)
{
	enum selftest_verdict verdict;
	const struct vcpu_stats *s;
	struct checker c;
	struct vm vm;
	struct error wrong;
	int compared;

	verdict = access_in(t, &vm, &c);
	s = &vm.vcpus[0].stats;
	if (verdict == SELFTEST_PASS) {
		uint64_t mmio = c.mmio + (vmm_arch == ARCH_AARCH64);

		if (s->mmio != mmio)
			verdict = selftest_fail(
				t, "mmio counts %llu, the guest made %llu",
				(unsigned long long)s->mmio, (unsigned long long)mmio);
	}
	if (verdict == SELFTEST_PASS) {
		compared = stats_cross_check(&vm.vcpus[0], &wrong);
		if (compared < 0)
			verdict = selftest_fail(t, "%s", wrong.text);
		else if (!compared)
			verdict = selftest_skip(
				t,
				"this KVM counts nothing that the run loop counts, too");
	}
	vm_destroy(&vm);
	return verdict;
}

/* Slots beside RAM: every kind is added and removed; impossible slots are rejected. */
enum selftest_verdict selftest_slots(struct selftest *t)
{
	const struct slot_options dirty = { .dirty_log = true, .populate = true };
	const struct slot_options plain = { .populate = false };
	const struct abi_params params = { .command = SELFTEST_WRITES };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	uint64_t pages = 99;
	struct vm vm;
	int err = selftest_open(t, &vm, &config, NULL, &params);

	if (!err)
		err = slot_add(&vm, SLOT_GPA, 0x400000, &dirty);
	if (!err)
		err = slot_clear_dirty(&vm, SLOT_GPA, &pages);
	if (!err && pages)
		err = error_set(&vm.error, -EIO, "%llu dirty pages without a write",
				(unsigned long long)pages);
	if (!err && slot_add(&vm, SLOT_GPA + 0x200000, 0x1000, &plain) != -EEXIST)
		err = error_set(&vm.error, -EIO,
				"a slot on top of another was not refused");
	if (!err && slot_add(&vm, SLOT_GPA + 0x1000001, 0x1000, &plain) != -EINVAL)
		err = error_set(&vm.error, -EIO, "a slot off the pages was not refused");
	if (!err)
		err = slot_add(&vm, SLOT_GPA + 0x1000000, 0x1000, &plain);
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	vm_destroy(&vm);
	return verdict;
}

/* ---- writes that the kernel collects in rings or absorbs ---- */

#define WRITES 500u /* more than a ring holds: its overflow exits, in order */

struct writes {
	uint32_t next[2]; /* by kind: address, port */
	uint32_t last_kind, out_of_order, coalesced;
};

/* The values of each kind count up; both kinds alternate if both are in the rings. */
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
		verdict = selftest_fail(
			t, "%u writes out of the rings, %llu counted, %llu exits",
			w.coalesced, (unsigned long long)stats->coalesced_mmio,
			(unsigned long long)stats->vm_exits);
	vm_destroy(&vm);
	return verdict;
}

#define KICKED_WRITES 20000u

/* Writes in the rings are handled after a kick without an exit, too. */
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
