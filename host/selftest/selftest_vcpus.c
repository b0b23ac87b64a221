/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: several vCPUs, one of which, or all, end the run. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/targets/boot.h"
#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"

#define VCPUS 2u

/* On one CPU the vCPUs take turns, and each answer takes a turn of each. */
enum selftest_verdict selftest_vcpus_2(struct selftest *t)
{
	const struct abi_params params = {
		.command = SELFTEST_VCPUS,
		.events = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 50 : 5,
		.batches = VCPUS,
	};
	struct vm_config config = selftest_config();

	config.vcpus = VCPUS;
	return selftest_simple(t, &config, NULL, &params);
}

/* What vm_run() has to say when vCPU 1 breaks so. */
static const struct {
	enum vcpu_stop stop;
	const char *error_x86_64, *error_aarch64; /* NULL: the payload has reported it */
} ends[SELFTEST_BREAKS] = {
	[SELFTEST_BREAK_EXCEPTION] = { VCPU_STOP_DOORBELL, NULL, NULL },
	[SELFTEST_BREAK_EXIT] = { VCPU_STOP_ERROR,
				  "vCPU 1: KVM_EXIT_HLT: the guest halted",
				  "vCPU 1: KVM_RUN: Function not implemented; pc 0x" },
	[SELFTEST_BREAK_OFF] = { VCPU_STOP_SHUTDOWN,
				 "vCPU 1: the guest shut down: triple fault; rip 0x",
				 "vCPU 1: the guest shut down: power off; pc 0x" },
};

static enum selftest_verdict judge(struct selftest *t, const struct vm *vm,
				   enum selftest_break how)
{
	const char *error = vmm_arch == ARCH_X86_64 ? ends[how].error_x86_64
						    : ends[how].error_aarch64;
	struct abi_report guest;
	struct boot_report rep;

	if (vm->stop != ends[how].stop || vm->stopped_by != 1)
		return selftest_fail(t, "break %d: vCPU %u stopped for reason %d: %s",
				     (int)how, vm->stopped_by, (int)vm->stop,
				     vm->error.text);
	if (error && strncmp(vm->error.text, error, strlen(error)))
		return selftest_fail(t, "break %d: the error is '%s'", (int)how,
				     vm->error.text);
	if (how == SELFTEST_BREAK_EXIT && (!vm->dump || strncmp(vm->dump, "vCPU 1, ", 8)))
		return selftest_fail(t, "the dump is not vCPU 1's");
	if (error)
		return SELFTEST_PASS;
	if (boot_is_done(vm->ram, &guest, &rep) || guest.state != ABI_STATE_FAULT)
		return selftest_fail(t, "the exception is not in the guest's report");
	return SELFTEST_PASS;
}

/* Breaks the vCPUs whose bits are set in `which`, and has vm_run() say so. */
static enum selftest_verdict break_some(struct selftest *t, enum selftest_break how,
					uint32_t which)
{
	const struct abi_params params = { .command = SELFTEST_BREAK,
					   .events = how,
					   .operand = which,
					   .batches = VCPUS };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct run_timer budget;
	struct vm vm;
	int err;

	config.vcpus = VCPUS;
	config.irqchip = VM_IRQCHIP_USER;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = selftest_budget(&vm, &budget);
	if (err) {
		verdict = selftest_error(t, &vm, err);
	} else {
		(void)vm_run(&vm, &budget, NULL);
		timer_close(&budget);
		if (which == 2)
			verdict = judge(t, &vm, how);
		else if (vm.stop == ends[how].stop)
			verdict = SELFTEST_PASS;
		else
			verdict = selftest_fail(t, "break %d of all: reason %d: %s",
						(int)how, (int)vm.stop, vm.error.text);
	}
	vm_destroy(&vm);
	return verdict;
}

/* The second vCPU's failure is the run's, and is told with its number, cause and pc. */
enum selftest_verdict selftest_vcpus_2_break(struct selftest *t)
{
	enum selftest_verdict verdict = SELFTEST_PASS;
	unsigned int how;

	for (how = 0; verdict == SELFTEST_PASS && how < SELFTEST_BREAKS; how++)
		verdict = break_some(t, (enum selftest_break)how, 2);
	/* Both at the same time: one of them is reported, once. */
	if (verdict == SELFTEST_PASS)
		verdict = break_some(t, SELFTEST_BREAK_EXIT, 3);
	return verdict;
}
