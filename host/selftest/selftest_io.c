/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: accesses that exit, and memory slots. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/memory.h"
#include "host/vmm/stats.h"

static uint64_t place(void)
{
	return (vmm_arch == ARCH_X86_64 ? ABI_X86_64_MMIO_GPA : ABI_AARCH64_MMIO_GPA) +
	       SELFTEST_MMIO_OFFSET;
}

/* What SELFTEST_ACCESS does, access by access. */
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

/* A device that takes its time: another thread answers. */
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

/* Our counters and KVM's, for the same exits. Each only where this KVM has it. */
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
			verdict = selftest_skip(t, "this KVM counts nothing that the run "
						   "loop counts, too");
	}
	vm_destroy(&vm);
	return verdict;
}

/* Slots beside RAM: each kind exists and goes away; what cannot be is refused. */
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
		err = error_set(&vm.error, -EIO, "%llu dirty pages that nobody wrote",
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
