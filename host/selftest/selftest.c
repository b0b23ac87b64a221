/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of self-tests, their report, and what they share: a VM with their payload. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest.h"
#include "host/selftest/selftest_vm.h"
#include "host/targets/rows.h"
#include "host/vmm/arch.h"
#include "host/vmm/counters.h"
#include "host/vmm/timer.h"

static const struct {
	const char *name;
	unsigned int archs;
	enum selftest_verdict (*run)(struct selftest *t);
} table[] = {
	{ "regs-drain", ARCHS_ALL, selftest_regs_drain },
	{ "regs-lazy", ARCHS_ALL, selftest_regs_lazy },
	{ "regs-always", ARCHS_ALL, selftest_regs_always },
	{ "regs-run", ARCHS_ALL, selftest_regs_run },
	{ "regs-flags", ARCHS_ALL, selftest_regs_flags },
	{ "regs-dump", ARCHS_ALL, selftest_regs_dump },
	{ "regs-reset", ARCHS_ALL, selftest_regs_reset },
	{ "kick-mask", ARCHS_ALL, selftest_kick_mask },
	{ "kick-immediate", ARCHS_ALL, selftest_kick_immediate },
	{ "access-widths", ARCHS_ALL, selftest_access_widths },
	{ "access-later", ARCHS_ALL, selftest_access_later },
	{ "coalesced", ARCHS_ALL, selftest_coalesced },
	{ "coalesced-kick", ARCHS_ALL, selftest_coalesced_kick },
	{ "ioeventfd", ARCHS_ALL, selftest_ioeventfd },
	{ "kvm-stats", ARCHS_ALL, selftest_kvm_stats },
	{ "slots", ARCHS_ALL, selftest_slots },
	{ "irq-line", ARCHS_ALL, selftest_irq_line },
	{ "irqfd", ARCHS_ALL, selftest_irqfd },
	{ "msi", ARCHS_X86_64, selftest_msi },
	{ "msi-split", ARCHS_X86_64, selftest_msi_split },
	{ "inject", ARCHS_X86_64, selftest_inject },
	{ "inject-window", ARCHS_X86_64, selftest_inject_window },
	{ "inject-halt", ARCHS_X86_64, selftest_inject_halt },
	{ "nmi", ARCHS_X86_64, selftest_nmi },
	{ "halt-kernel", ARCHS_ALL, selftest_halt_kernel },
	{ "breakpoints", ARCHS_ALL, selftest_breakpoints },
	{ "hypercall-user", ARCHS_ALL, selftest_hypercall_user },
	{ "dirty-ring", ARCHS_ALL, selftest_dirty_ring },
	{ "eoi-split", ARCHS_X86_64, selftest_eoi_split },
	{ "bus-locks", ARCHS_X86_64, selftest_bus_locks },
	{ "pmu-msrs", ARCHS_X86_64, selftest_pmu_msrs },
	{ "vcpus-2", ARCHS_ALL, selftest_vcpus_2 },
	{ "vcpus-2-break", ARCHS_ALL, selftest_vcpus_2_break },
	{ "checkpoint", ARCHS_ALL, selftest_checkpoint },
	{ "checkpoint-user-irqchip", ARCHS_ALL, selftest_checkpoint_user_irqchip },
	{ "checkpoint-twice", ARCHS_ALL, selftest_checkpoint_twice },
	{ "checkpoint-vcpus-2", ARCHS_ALL, selftest_checkpoint_vcpus },
	{ "checkpoint-its", ARCHS_AARCH64, selftest_checkpoint_its },
	{ "checkpoint-slots", ARCHS_ALL, selftest_checkpoint_slots },
	{ "checkpoint-pending", ARCHS_X86_64, selftest_checkpoint_pending },
	{ "checkpoint-damaged", ARCHS_ALL, selftest_checkpoint_damaged },
	{ "host-counters", ARCHS_ALL, selftest_perf },
	{ "passthrough", ARCHS_AARCH64, selftest_passthrough },
	{ "passthrough-counters", ARCHS_AARCH64, selftest_passthrough_counters },
	{ "passthrough-hotplug", ARCHS_AARCH64, selftest_passthrough_hotplug },
	{ "passthrough-refusals", ARCHS_AARCH64, selftest_passthrough_refusals },
};

#define TESTS (sizeof(table) / sizeof(table[0]))

const char *selftest_name(size_t i)
{
	return i < TESTS ? table[i].name : NULL;
}

static bool wanted(size_t i, const char *const *names, size_t n)
{
	size_t k;

	if (!n)
		return table[i].archs >> vmm_arch & 1;
	for (k = 0; k < n; k++)
		if (!strcmp(names[k], table[i].name))
			return true;
	return false;
}

static bool exists(const char *name)
{
	size_t i;

	for (i = 0; i < TESTS; i++)
		if (!strcmp(table[i].name, name))
			return true;
	return false;
}

const char *selftest_unknown(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!exists(names[i]))
			return names[i];
	return NULL;
}

/* A reason is one line: TAP would read the next line as another test. */
static void report(const struct selftest_watch *watch, size_t number, size_t i,
		   enum selftest_verdict verdict, struct selftest *t)
{
	char line[sizeof(t->reason) + 128];
	char *p;

	for (p = t->reason; *p; p++)
		if (*p == '\n' || *p == '#')
			*p = ' ';
	if (verdict == SELFTEST_SKIP)
		snprintf(line, sizeof(line), "ok %zu %s # SKIP %s", number, table[i].name,
			 t->reason);
	else
		snprintf(line, sizeof(line), "%s %zu %s",
			 verdict == SELFTEST_PASS ? "ok" : "not ok", number,
			 table[i].name);
	watch->line(watch->ctx, line);
	if (t->note[0]) {
		snprintf(line, sizeof(line), "# %s", t->note);
		watch->line(watch->ctx, line);
	}
	if (verdict != SELFTEST_FAIL)
		return;
	snprintf(line, sizeof(line), "# %s", t->reason);
	watch->line(watch->ctx, line);
}

void selftest_run(int kvm_fd, const char *const *names, size_t n,
		  const struct selftest_watch *watch)
{
	struct selftest t = { .kvm_fd = kvm_fd };
	size_t i, count = 0, number = 0;
	char line[64];

	for (i = 0; i < TESTS; i++)
		count += wanted(i, names, n);
	watch->line(watch->ctx, "TAP version 13");
	snprintf(line, sizeof(line), "1..%zu", count);
	watch->line(watch->ctx, line);
	for (i = 0; i < TESTS; i++) {
		enum selftest_verdict verdict;

		if (!wanted(i, names, n))
			continue;
		t.reason[0] = t.note[0] = '\0';
		if (table[i].archs >> vmm_arch & 1)
			verdict = table[i].run(&t);
		else
			verdict = selftest_skip(&t, "not a test of this architecture");
		report(watch, ++number, i, verdict, &t);
	}
}

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
		.settings = config_settings(&config_table[0], vmm_arch), /* default */
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
