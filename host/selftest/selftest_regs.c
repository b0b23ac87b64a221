/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: registers, read and written between two entries. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/regs.h"

/* A register under the guest's number for it (bench/selftest.h). */
struct known {
	const char *name;
	uint32_t at;
	uint64_t low, high; /* what the payload puts there; 128 bits for vectors */
	bool wide;
};

static const struct known known_x86_64[] = {
	{ "rcx", 1, SELFTEST_GENERAL(1), 0, false },
	{ "rdx", 2, ABI_X86_64_DOORBELL_PORT, 0, false },
	{ "rbx", 3, SELFTEST_GENERAL(3), 0, false },
	{ "rsp", 4, SELFTEST_GENERAL(4), 0, false },
	{ "rsi", 6, SELFTEST_GENERAL(6), 0, false },
	{ "r8", 8, SELFTEST_GENERAL(8), 0, false },
	{ "r15", 15, SELFTEST_GENERAL(15), 0, false },
	{ "rflags", SELFTEST_AT_FLAGS, 0x240cd7, 0, false },
	{ "xmm0", SELFTEST_AT_VECTOR, SELFTEST_LOW(0), SELFTEST_HIGH(0), true },
	{ "xmm15", SELFTEST_AT_VECTOR + 30, SELFTEST_LOW(15), SELFTEST_HIGH(15), true },
	{ "cr2", SELFTEST_AT_SPECIAL, SELFTEST_SPECIAL(0), 0, false },
	{ "dr3", SELFTEST_AT_SPECIAL + 4, SELFTEST_SPECIAL(11), 0, false },
	{ "mxcsr", SELFTEST_AT_SPECIAL + 5, 0x7f80, 0, false },
	{ "lstar", SELFTEST_AT_SPECIAL + 17, SELFTEST_SPECIAL(1), 0, false },
	{ "fs.base", SELFTEST_AT_SPECIAL + 20, SELFTEST_SPECIAL(3), 0, false },
	{ "kernel_gs_base", SELFTEST_AT_SPECIAL + 22, SELFTEST_SPECIAL(5), 0, false },
	{ NULL, 0, 0, 0, false },
};

static const struct known known_aarch64[] = {
	{ "x1", 1, ABI_AARCH64_DOORBELL_GPA, 0, false },
	{ "x2", 2, SELFTEST_GENERAL(2), 0, false },
	{ "x18", 18, SELFTEST_GENERAL(18), 0, false },
	{ "x30", 30, SELFTEST_GENERAL(30), 0, false },
	{ "v0", SELFTEST_AT_VECTOR, SELFTEST_LOW(0), SELFTEST_HIGH(0), true },
	{ "v31", SELFTEST_AT_VECTOR + 62, SELFTEST_LOW(31), SELFTEST_HIGH(31), true },
	{ "tpidr_el0", SELFTEST_AT_SPECIAL, SELFTEST_SPECIAL(0), 0, false },
	{ "tpidr_el1", SELFTEST_AT_SPECIAL + 1, SELFTEST_SPECIAL(1), 0, false },
	{ "contextidr_el1", SELFTEST_AT_SPECIAL + 3, 0x12345678, 0, false },
	{ "far_el1", SELFTEST_AT_SPECIAL + 4, SELFTEST_SPECIAL(4), 0, false },
	{ "elr_el1", SELFTEST_AT_SPECIAL + 5, SELFTEST_SPECIAL(5), 0, false },
	{ "spsr_el1", SELFTEST_AT_SPECIAL + 6, 0x600003c5, 0, false },
	{ "sp_el0", SELFTEST_AT_SPECIAL + 8, SELFTEST_SPECIAL(8), 0, false },
	{ "cntv_cval_el0", SELFTEST_AT_SPECIAL + 9, SELFTEST_SPECIAL(9), 0, false },
	{ "fpcr", SELFTEST_AT_SPECIAL + 11, 0x00c00000, 0, false },
	{ "fpsr", SELFTEST_AT_SPECIAL + 12, 0x0000001f, 0, false },
	{ NULL, 0, 0, 0, false },
};

static const struct known *known_table(void)
{
	return vmm_arch == ARCH_X86_64 ? known_x86_64 : known_aarch64;
}

/* A software KVM has no vectors to fill. */
static bool left_out(const struct selftest *t, const struct known *k)
{
	return (k->wide || !strcmp(k->name, "mxcsr")) &&
	       kvm_flavour(t->kvm_fd) == KVM_FLAVOUR_SOFTWARE;
}

/* What the host reads is what the guest has put there. */
static enum selftest_verdict compare(struct selftest *t, struct vm *vm)
{
	const struct known *k;
	struct regs_value value;
	int err;

	for (k = known_table(); k->name; k++) {
		if (left_out(t, k))
			continue;
		err = regs_get(&vm->vcpus[0], k->name, &value);
		if (err)
			return selftest_error(t, vm, err);
		if (value.low != k->low || value.high != k->high)
			return selftest_fail(
				t,
				"%s reads as 0x%llx%016llx, the guest put 0x%llx%016llx",
				k->name, (unsigned long long)value.high,
				(unsigned long long)value.low,
				(unsigned long long)k->high, (unsigned long long)k->low);
	}
	return SELFTEST_PASS;
}

/* Something else that each register can hold. */
static struct regs_value changed(const struct known *k)
{
	struct regs_value value = { k->low ^ 0x10000, k->high };

	if (k->wide)
		value.high ^= 0xff00ff00ull;
	if (!strcmp(k->name, "rflags"))
		value.low = k->low ^ 0x1; /* CF */
	else if (!strcmp(k->name, "mxcsr"))
		value.low = 0x1f80;
	else if (!strcmp(k->name, "fpcr"))
		value.low = 0x00400000;
	else if (!strcmp(k->name, "fpsr"))
		value.low = 0x1;
	else if (!strcmp(k->name, "spsr_el1"))
		value.low = k->low ^ 0x80000000ull;
	return value;
}

/* RAX's and PC's are the doorbell's; the others can go as long as nothing needs them. */
static int change_all(struct selftest *t, struct vm *vm)
{
	const struct known *k;
	int err = 0;

	for (k = known_table(); !err && k->name; k++) {
		if (left_out(t, k))
			continue;
		const struct regs_value value = changed(k);

		err = regs_set(&vm->vcpus[0], k->name, &value);
	}
	return err;
}

static enum selftest_verdict changes_seen(struct selftest *t, struct vm *vm)
{
	const struct known *k;

	for (k = known_table(); k->name; k++) {
		if (left_out(t, k))
			continue;
		const struct regs_value value = changed(k);
		uint64_t low = selftest_seen(vm, k->at);
		uint64_t high = k->wide ? selftest_seen(vm, k->at + 1) : 0;

		if (low != value.low || high != value.high)
			return selftest_fail(
				t,
				"%s: the guest saw 0x%llx%016llx, we set 0x%llx%016llx",
				k->name, (unsigned long long)high,
				(unsigned long long)low, (unsigned long long)value.high,
				(unsigned long long)value.low);
	}
	return SELFTEST_PASS;
}

/* To the doorbell, and the doorbell's instruction completed. */
static int to_doorbell(struct selftest *t, struct vm *vm, enum regs_policy policy,
		       uint32_t flags)
{
	const struct abi_params params = { .command = SELFTEST_REGS, .batches = flags };
	struct vm_config config = selftest_config();
	int err;

	config.sync = policy;
	err = selftest_open(t, vm, &config, NULL, &params);
	if (!err)
		err = selftest_go(vm);
	if (!err)
		err = selftest_alive(vm);
	return err ? err : vcpu_drain(&vm->vcpus[0]);
}

/* The state after half entries: an instruction further, and all else untouched. */
enum selftest_verdict selftest_regs_drain(struct selftest *t)
{
	enum selftest_verdict verdict;
	struct regs_value pc = { 0 };
	struct vm vm;
	int err = to_doorbell(t, &vm, REGS_SYNC_LAZY, 0);

	if (!err)
		err = regs_get(&vm.vcpus[0], vmm_arch == ARCH_X86_64 ? "rip" : "pc", &pc);
	verdict = err ? selftest_error(t, &vm, err) : compare(t, &vm);
	if (verdict == SELFTEST_PASS && vm.vcpus[0].stats.vm_half_entries != 1)
		verdict = selftest_fail(
			t, "%llu half entries instead of 1",
			(unsigned long long)vm.vcpus[0].stats.vm_half_entries);
	if (verdict == SELFTEST_PASS) {
		err = selftest_go(&vm);
		verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	}
	if (verdict == SELFTEST_PASS && selftest_seen(&vm, SELFTEST_AT_PC) != pc.low)
		verdict = selftest_fail(
			t, "PC read as 0x%llx, the guest was at 0x%llx",
			(unsigned long long)pc.low,
			(unsigned long long)selftest_seen(&vm, SELFTEST_AT_PC));
	vm_destroy(&vm);
	return verdict;
}

/* Read, changed, and seen by the guest: under each policy. */
static enum selftest_verdict both_ways(struct selftest *t, enum regs_policy policy)
{
	enum selftest_verdict verdict;
	struct vm vm;
	int err = to_doorbell(t, &vm, policy, SELFTEST_REPORT_ONLY);

	verdict = err ? selftest_error(t, &vm, err) : compare(t, &vm);
	if (verdict == SELFTEST_PASS) {
		err = change_all(t, &vm);
		if (!err)
			err = selftest_go(&vm);
		verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	}
	if (verdict == SELFTEST_PASS)
		verdict = changes_seen(t, &vm);
	vm_destroy(&vm);
	return verdict;
}

enum selftest_verdict selftest_regs_lazy(struct selftest *t)
{
	return both_ways(t, REGS_SYNC_LAZY);
}

enum selftest_verdict selftest_regs_always(struct selftest *t)
{
	return both_ways(t, REGS_SYNC_ALWAYS);
}

enum selftest_verdict selftest_regs_run(struct selftest *t)
{
	return both_ways(t, REGS_SYNC_RUN);
}

/* Lazy: no register is read before its use, and no unchanged register is written. */
enum selftest_verdict selftest_regs_flags(struct selftest *t)
{
	const struct known *k = known_table();
	enum selftest_verdict verdict = SELFTEST_PASS;
	struct regs_value value = changed(k);
	struct vcpu_regs *r;
	struct vm vm;
	int err = to_doorbell(t, &vm, REGS_SYNC_LAZY, SELFTEST_REPORT_ONLY);

	r = &vm.vcpus[0].regs;
	if (err) {
		verdict = selftest_error(t, &vm, err);
	} else if (r->stale != ~0u || r->dirty) {
		verdict = selftest_fail(t, "after a run: stale 0x%x, dirty 0x%x",
					r->stale, r->dirty);
	} else if (regs_set(&vm.vcpus[0], k->name, &value) ||
		   __builtin_popcount(r->dirty) != 1) {
		verdict = selftest_fail(t, "after a change: dirty 0x%x", r->dirty);
	} else if (regs_pull(&vm.vcpus[0]) || regs_get(&vm.vcpus[0], k->name, &value) ||
		   value.low != changed(k).low) {
		verdict = selftest_fail(t, "reading undid a change of %s", k->name);
	} else if (regs_push(&vm.vcpus[0]) || r->dirty) {
		verdict = selftest_fail(t, "after writing: dirty 0x%x", r->dirty);
	}
	vm_destroy(&vm);
	return verdict;
}

/* Every named register is in the dump with its value. */
enum selftest_verdict selftest_regs_dump(struct selftest *t)
{
	enum selftest_verdict verdict = SELFTEST_PASS;
	const struct known *k;
	char *text = NULL, line[96];
	size_t bytes;
	struct vm vm;
	FILE *out;
	int err = to_doorbell(t, &vm, REGS_SYNC_LAZY, 0);

	out = open_memstream(&text, &bytes);
	if (!err && out)
		err = regs_dump(&vm.vcpus[0], out);
	if (out)
		fclose(out);
	if (err)
		verdict = selftest_error(t, &vm, err);
	for (k = known_table(); verdict == SELFTEST_PASS && k->name; k++) {
		if (left_out(t, k))
			continue;
		if (k->wide)
			snprintf(line, sizeof(line), "\n%-22s 0x%llx%016llx\n", k->name,
				 (unsigned long long)k->high, (unsigned long long)k->low);
		else
			snprintf(line, sizeof(line), "\n%-22s 0x%llx\n", k->name,
				 (unsigned long long)k->low);
		/* The first register has no line before it. */
		if (!strstr(text, line) && strncmp(text, line + 1, strlen(line + 1)))
			verdict = selftest_fail(t, "no line '%.*s' in the dump",
						(int)strlen(line) - 2, line + 1);
	}
	free(text);
	vm_destroy(&vm);
	return verdict;
}

/* A reset reaches KVM although the whole register file was dirty before it. */
enum selftest_verdict selftest_regs_reset(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	enum selftest_verdict verdict;
	struct vm vm;
	int err = to_doorbell(t, &vm, REGS_SYNC_ALWAYS, 0), times;

	if (!err)
		err = selftest_load(t, &vm, &params);
	/* To the doorbell of the second life, and to its end. */
	for (times = 0; !err && times < 2; times++) {
		err = selftest_go(&vm);
		if (!err && !times)
			err = selftest_alive(&vm);
	}
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	vm_destroy(&vm);
	return verdict;
}
