/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the self-tests have in common: a VM with their payload, and verdicts. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "host/targets/payload.h"
#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/counters.h"
#include "host/vmm/timer.h"

/*
 * Of wall time. In a lab an instruction is a nanosecond, and no test takes a tenth of
 * this; elsewhere the vCPUs' threads may have to wait for a CPU.
 */
#define BUDGET_NS	   3000000000ull
#define BUDGET_SOFTWARE_NS 30000000000ull

enum selftest_verdict selftest_fail(struct selftest *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->reason, sizeof(t->reason), fmt, args);
	va_end(args);
	return SELFTEST_FAIL;
}

enum selftest_verdict selftest_skip(struct selftest *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->reason, sizeof(t->reason), fmt, args);
	va_end(args);
	return SELFTEST_SKIP;
}

enum selftest_verdict selftest_error(struct selftest *t, const struct vm *vm, int err)
{
	if (err == -ENOTSUP)
		return selftest_skip(t, "%s", vm->error.text);
	return selftest_fail(t, "%s", vm->error.text);
}

struct vm_config selftest_config(void)
{
	return (struct vm_config){
		.vcpus = 1,
		.irqchip = VM_IRQCHIP_KERNEL,
#ifdef __SANITIZE_THREAD__
		/* It defers signal handlers, and with them kicks by immediate_exit. */
		.kick = VM_KICK_SIGNAL_MASK,
#endif
	};
}

int selftest_load(struct selftest *t, struct vm *vm, const struct abi_params *params)
{
	struct abi_params p = *params;
	const void *image;
	uint64_t entry;
	size_t bytes;
	int err;

	p.magic = ABI_MAGIC;
	p.version = ABI_VERSION;
	p.flags = ABI_FLAG_DOORBELL;
	/* bench/selftest.h: whether the payload may touch an in-kernel controller. */
	p.batch = vm->config.irqchip != VM_IRQCHIP_USER;
	if (kvm_flavour(t->kvm_fd) == KVM_FLAVOUR_SOFTWARE)
		p.warmup |= SELFTEST_NO_VECTORS;
	image = payload_find(vmm_arch, "selftest", &bytes);
	if (!image)
		return error_set(&vm->error, -ENOENT,
				 "this program has no selftest payload in it");
	err = vm_load(vm, image, bytes, &entry);
	if (!err)
		err = vm_write(vm, vm->ram_gpa + ABI_PAGE_OFFSET, &p, sizeof(p));
	return err ? err : vm_reset(vm, entry);
}

int selftest_open(struct selftest *t, struct vm *vm, const struct vm_config *config,
		  const struct vm_listener *listener, const struct abi_params *params)
{
	const struct vm_listener no_listener = { .ctx = NULL };
	int err = vm_create(vm, t->kvm_fd, config, listener ? listener : &no_listener);

	return err ? err : selftest_load(t, vm, params);
}

int selftest_budget(struct vm *vm, struct run_timer *budget)
{
	return timer_open(budget, TIMER_POSIX,
			  kvm_flavour(vm->kvm_fd) == KVM_FLAVOUR_SOFTWARE
				  ? BUDGET_SOFTWARE_NS
				  : BUDGET_NS,
			  &vm->error);
}

int selftest_go(struct vm *vm)
{
	struct run_timer budget;
	int err = selftest_budget(vm, &budget);

	if (err)
		return err;
	err = vm_run(vm, &budget, NULL);
	timer_close(&budget);
	if (err)
		return err;
	switch (vm->stop) {
	case VCPU_STOP_DOORBELL:
		return 0;
	case VCPU_STOP_BUDGET: {
		char registers[320];

		vcpu_dump(&vm->vcpus[0], registers, sizeof(registers));
		return error_set(&vm->error, -ETIMEDOUT, "the guest hung: %s", registers);
	}
	case VCPU_STOP_SHUTDOWN:
		return -ESHUTDOWN;
	default:
		return error_set(&vm->error, -EIO, "the guest stopped for reason %d",
				 (int)vm->stop);
	}
}

int selftest_go_for(struct vm *vm, uint64_t ns)
{
	struct run_timer budget;
	int err = timer_open(&budget, TIMER_POSIX, ns, &vm->error);

	if (err)
		return err;
	err = vcpu_run(&vm->vcpus[0], &budget);
	timer_close(&budget);
	if (!err && vm->vcpus[0].stop != VCPU_STOP_BUDGET &&
	    vm->vcpus[0].stop != VCPU_STOP_DOORBELL)
		return error_set(&vm->error, -EIO, "the guest stopped for reason %d",
				 (int)vm->vcpus[0].stop);
	return err;
}

enum selftest_verdict selftest_done(struct selftest *t, struct vm *vm)
{
	struct abi_report report;

	if (vm_read(vm, vm->ram_gpa + ABI_PAGE_OFFSET + offsetof(struct abi_page, report),
		    &report, sizeof(report)))
		return selftest_fail(t, "the report is not in memory");
	if (report.state == ABI_STATE_DONE)
		return SELFTEST_PASS;
	if (report.state != ABI_STATE_FAULT)
		return selftest_fail(t, "the payload is in state %u", report.state);
	if (report.fault.vector >= SELFTEST_WRONG)
		return selftest_fail(
			t, "the guest found 0x%llx where 0x%llx should be (item 0x%llx)",
			(unsigned long long)report.fault.syndrome,
			(unsigned long long)report.fault.address,
			(unsigned long long)(report.fault.vector - SELFTEST_WRONG));
	return selftest_fail(t,
			     "the guest took exception 0x%llx at 0x%llx, syndrome 0x%llx",
			     (unsigned long long)report.fault.vector,
			     (unsigned long long)report.fault.pc,
			     (unsigned long long)report.fault.syndrome);
}

int selftest_alive(struct vm *vm)
{
	struct selftest t = { .kvm_fd = -1 };
	struct abi_report report;

	if (vm_read(vm, vm->ram_gpa + ABI_PAGE_OFFSET + offsetof(struct abi_page, report),
		    &report, sizeof(report)))
		return -EFAULT;
	if (report.state == ABI_STATE_RUNNING)
		return 0;
	selftest_done(&t, vm);
	return error_set(&vm->error, -EIO, "%.400s",
			 t.reason[0] ? t.reason : "it has finished");
}

uint64_t selftest_seen(struct vm *vm, uint32_t n)
{
	uint64_t value = 0;

	(void)vm_read(vm,
		      vm->ram_gpa + ABI_SERIES_OFFSET +
			      (ABI_PHASE_EVENT * (uint64_t)ABI_SERIES_MAX + n) *
				      sizeof(value),
		      &value, sizeof(value));
	return value;
}

enum selftest_verdict selftest_counters(struct selftest *t, struct vm *vm)
{
	struct error wrong;

	if (stats_cross_check(&vm->vcpus[0], &wrong) >= 0)
		return SELFTEST_PASS;
	return selftest_fail(t, "%s", wrong.text);
}

enum selftest_verdict selftest_simple(struct selftest *t, const struct vm_config *config,
				      const struct vm_listener *listener,
				      const struct abi_params *params)
{
	enum selftest_verdict verdict;
	struct vm vm;
	int err = selftest_open(t, &vm, config, listener, params);

	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS)
		verdict = selftest_counters(t, &vm);
	vm_destroy(&vm);
	return verdict;
}
