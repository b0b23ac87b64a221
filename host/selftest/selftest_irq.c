/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: interrupts by every interface, breakpoints, hypercalls. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/traps.h"

#define IRQS 20u

/* Injects one interrupt at a time, at the payload's doorbells. */
struct injector {
	struct vm vm;
	int (*inject)(struct injector *i);
	uint32_t left;
	int fd, err;
};

static uint32_t line(void)
{
	return vmm_arch == ARCH_X86_64 ? SELFTEST_GSI : SELFTEST_INTID;
}

static int by_line(struct injector *i)
{
	int err = irq_set_line(&i->vm, line(), true);

	return err ? err : irq_set_line(&i->vm, line(), false);
}

static int by_fd(struct injector *i)
{
	const uint64_t one = 1;

	if (write(i->fd, &one, sizeof(one)) == sizeof(one))
		return 0;
	return error_set(&i->vm.error, -errno, "the irqfd cannot be written: %m");
}

/* Fixed delivery, edge, to APIC 0 (Intel SDM 3A, 11.11). */
static int by_msi(struct injector *i)
{
	return irq_msi(&i->vm, 0xfee00000, SELFTEST_VECTOR);
}

static int by_vector(struct injector *i)
{
	return irq_inject(&i->vm.vcpus[0], SELFTEST_VECTOR);
}

static int by_nmi(struct injector *i)
{
	return irq_nmi(&i->vm.vcpus[0]);
}

/* END doorbells arrive while the guest handles interrupts. */
static void on_doorbell(void *ctx, uint32_t value)
{
	struct injector *i = ctx;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_BEGIN || !i->left || i->err)
		return;
	i->left--;
	i->err = i->inject(i);
}

/*
 * The first interrupt at the payload's doorbell. Then the payload waits, and the VMM
 * stops it from time to time to check whether the next interrupt can be injected.
 */
static enum selftest_verdict inject_all(struct selftest *t, struct injector *i,
					enum vm_irqchip irqchip, uint32_t command)
{
	const struct abi_params params = { .command = command, .events = IRQS };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	uint32_t n, idle = 0;
	int err;

	config.irqchip = irqchip;
	i->fd = -1;
	err = selftest_open(t, &i->vm, &config, NULL, &params);
	if (!err && i->inject == by_fd) {
		i->fd = irq_fd(&i->vm, line());
		err = i->fd < 0 ? i->fd : 0;
	}
	if (!err)
		err = selftest_go(&i->vm);
	for (n = 0; !err && n < IRQS; n++) {
		err = i->inject(i);
		/* Each is an edge: it must be taken before the next. */
		while (!err && n + 1 < IRQS && selftest_seen(&i->vm, 2) <= n) {
			err = selftest_go_for(&i->vm, 500000);
			if (!err && i->vm.vcpus[0].stop == VCPU_STOP_DOORBELL)
				err = selftest_alive(&i->vm);
			if (!err && ++idle > 4000)
				err = error_set(&i->vm.error, -EIO,
						"interrupt %u did not come", n);
		}
	}
	if (!err)
		err = selftest_go(&i->vm);
	verdict = err ? selftest_error(t, &i->vm, err) : selftest_done(t, &i->vm);
	if (verdict == SELFTEST_PASS && selftest_seen(&i->vm, 0) != IRQS)
		verdict =
			selftest_fail(t, "%llu interrupts came, %u were sent",
				      (unsigned long long)selftest_seen(&i->vm, 0), IRQS);
	vm_destroy(&i->vm);
	return verdict;
}

enum selftest_verdict selftest_irq_line(struct selftest *t)
{
	struct injector i = { .inject = by_line };

	return inject_all(t, &i, VM_IRQCHIP_KERNEL, SELFTEST_IRQ);
}

enum selftest_verdict selftest_irqfd(struct selftest *t)
{
	struct injector i = { .inject = by_fd };

	return inject_all(t, &i, VM_IRQCHIP_KERNEL, SELFTEST_IRQ);
}

enum selftest_verdict selftest_msi(struct selftest *t)
{
	struct injector i = { .inject = by_msi };

	return inject_all(t, &i, VM_IRQCHIP_KERNEL, SELFTEST_IRQ);
}

enum selftest_verdict selftest_msi_split(struct selftest *t)
{
	struct injector i = { .inject = by_msi };

	return inject_all(t, &i, VM_IRQCHIP_SPLIT, SELFTEST_IRQ);
}

enum selftest_verdict selftest_inject(struct selftest *t)
{
	struct injector i = { .inject = by_vector };

	return inject_all(t, &i, VM_IRQCHIP_USER, SELFTEST_IRQ);
}

enum selftest_verdict selftest_nmi(struct selftest *t)
{
	struct injector i = { .inject = by_nmi };

	return inject_all(t, &i, VM_IRQCHIP_KERNEL, SELFTEST_NMI);
}

/*
 * Interrupts that are queued while the guest has them disabled: none is delivered before
 * the guest enables them, and then all are, one by one, through the interrupt window.
 */
enum selftest_verdict selftest_inject_window(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_WINDOW,
					   .events = VCPU_IRQS_MAX };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	uint32_t n;
	int err;

	config.irqchip = VM_IRQCHIP_USER;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = selftest_go(&vm);
	for (n = 0; !err && n < VCPU_IRQS_MAX; n++)
		err = irq_inject(&vm.vcpus[0], SELFTEST_VECTOR);
	if (!err && irq_inject(&vm.vcpus[0], SELFTEST_VECTOR) != -EAGAIN)
		err = error_set(&vm.error, -EIO, "the queue does not fill");
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS && vm.vcpus[0].stats.interrupts != VCPU_IRQS_MAX)
		verdict = selftest_fail(t, "%llu injected, %u queued",
					(unsigned long long)vm.vcpus[0].stats.interrupts,
					VCPU_IRQS_MAX);
	vm_destroy(&vm);
	return verdict;
}

/* The guest halts; the handler of the exit injects the interrupt that wakes it. */
static bool wake(void *ctx, struct vcpu *vcpu)
{
	(void)ctx;
	return !irq_inject(vcpu, SELFTEST_VECTOR);
}

enum selftest_verdict selftest_inject_halt(struct selftest *t)
{
	const struct vm_listener listener = { .halted = wake };
	const struct abi_params params = { .command = SELFTEST_HALT, .events = IRQS };
	struct vm_config config = selftest_config();

	config.irqchip = VM_IRQCHIP_USER;
	return selftest_simple(t, &config, &listener, &params);
}

/* With an in-kernel controller the guest halts in the kernel, and an irqfd wakes it. */
enum selftest_verdict selftest_halt_kernel(struct selftest *t)
{
	struct injector i = { .inject = by_fd, .left = IRQS };
	const struct vm_listener listener = { .ctx = &i, .doorbell = on_doorbell };
	const struct abi_params params = { .command = SELFTEST_HALT, .events = IRQS };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	int err = selftest_open(t, &i.vm, &config, &listener, &params);

	if (!err) {
		i.fd = irq_fd(&i.vm, line());
		err = i.fd < 0 ? i.fd : 0;
	}
	if (!err)
		err = selftest_go(&i.vm);
	verdict = err ? selftest_error(t, &i.vm, err) : selftest_done(t, &i.vm);
	if (verdict == SELFTEST_PASS && i.err)
		verdict = selftest_error(t, &i.vm, i.err);
	vm_destroy(&i.vm);
	return verdict;
}

/*
 * A register that the VMM changes at an exit must reach the guest under every policy.
 * Under REGS_SYNC_ALWAYS all registers are dirty.
 */
static enum selftest_verdict
each_policy(struct selftest *t,
	    enum selftest_verdict (*run)(struct selftest *t, enum regs_policy policy))
{
	enum selftest_verdict verdict = run(t, REGS_SYNC_LAZY);

	if (verdict == SELFTEST_PASS)
		verdict = run(t, REGS_SYNC_ALWAYS);
	if (verdict == SELFTEST_PASS && vmm_arch == ARCH_X86_64)
		verdict = run(t, REGS_SYNC_RUN);
	return verdict;
}

static enum selftest_verdict breakpoints(struct selftest *t, enum regs_policy policy)
{
	const struct abi_params params = { .command = SELFTEST_DEBUG, .events = IRQS };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	int err;

	config.sync = policy;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = traps_breakpoints_to_user(&vm);
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_FAIL && !err && vm.vcpus[0].stats.vm_exits == 1)
		verdict = selftest_skip(
			t,
			"this CPU hands breakpoints to the guest, though KVM has it intercept them (QEMU's SVM)");
	/* The doorbell is the other exit. */
	if (verdict == SELFTEST_PASS && vm.vcpus[0].stats.vm_exits != IRQS + 1)
		verdict = selftest_fail(t, "%llu exits for %u breakpoints",
					(unsigned long long)vm.vcpus[0].stats.vm_exits,
					IRQS);
	vm_destroy(&vm);
	return verdict;
}

/* Each breakpoint exits once and is stepped over. */
enum selftest_verdict selftest_breakpoints(struct selftest *t)
{
	if (kvm_flavour(t->kvm_fd) == KVM_FLAVOUR_SOFTWARE)
		return selftest_skip(t, "a software KVM does not emulate breakpoints");
	return each_policy(t, breakpoints);
}

static enum selftest_verdict hypercall_user(struct selftest *t, enum regs_policy policy)
{
	const uint64_t expected = vmm_arch == ARCH_X86_64 ? -1000ull : ~0ull;
	const struct abi_params params = { .command = SELFTEST_HYPERCALL };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	int err;

	config.sync = policy;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = vmm_arch == ARCH_X86_64
			      ? traps_hypercalls_to_user(&vm)
			      : traps_smccc_to_user(&vm, ABI_AARCH64_HVC_USER, 1);
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS &&
	    (vm.vcpus[0].stats.hypercalls != 1 || selftest_seen(&vm, 0) != expected))
		verdict = selftest_fail(t, "%llu hypercalls; the guest received 0x%llx",
					(unsigned long long)vm.vcpus[0].stats.hypercalls,
					(unsigned long long)selftest_seen(&vm, 0));
	if (verdict == SELFTEST_PASS)
		verdict = selftest_counters(t, &vm);
	vm_destroy(&vm);
	return verdict;
}

/* The VMM's answer to an unknown call reaches the guest. */
enum selftest_verdict selftest_hypercall_user(struct selftest *t)
{
	if (!kvm_flavour_is_hardware(kvm_flavour(t->kvm_fd)))
		return selftest_skip(t, "a software KVM has no hypercalls");
	return each_policy(t, hypercall_user);
}
