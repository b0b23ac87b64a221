/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serving the exits that reach user space, but for the two of exits_hot.h; what cannot
 * be served is in exits_bad.c. */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/vmm/arch.h"
#include "host/vmm/dirty_ring.h"
#include "host/vmm/exits_bad.h"
#include "host/vmm/exits_hot.h"
#include "host/vmm/pmu_msrs.h"

/*
 * In-kernel controllers halt in the kernel. Without one the guest sleeps until we have
 * an interrupt for it: irq_inject() may have queued one already.
 */
static enum exits_answer serve_halt(struct vcpu *vcpu)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	vcpu->stats.halt++;
	if (vcpu->irqs.queued)
		return EXITS_HANDLED;
	if (listener->halted && listener->halted(listener->ctx, vcpu))
		return EXITS_HANDLED;
	return exits_bad(vcpu, "the guest halted without having finished");
}

/*
 * The PMU's MSRs are those of pmu_msrs.h, where the config sends them here. Any other
 * that a filter sends here is a register of ours that reads as zero. One that KVM does
 * not know faults, as it would if nobody had asked for these exits.
 */
static enum exits_answer serve_msr(struct vcpu *vcpu, bool is_write)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = is_write ? run->msr.data : 0;
	bool known = run->msr.reason == KVM_MSR_EXIT_REASON_FILTER;

	if (known && vcpu->pmu_msrs)
		known = pmu_msrs_access(vcpu->pmu_msrs, run->msr.index, is_write, &value);
	run->msr.error = !known;
	if (!is_write)
		run->msr.data = value;
	return EXITS_ANSWERED;
}

static enum exits_answer shut_down(struct vcpu *vcpu, const char *how)
{
	char registers[320];

	vcpu_dump(vcpu, registers, sizeof(registers));
	vcpu_fail(vcpu, -ESHUTDOWN, "the guest shut down: %s; %s", how, registers);
	return EXITS_STOP_SHUTDOWN;
}

enum exits_answer exits_shutdown(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_SHUTDOWN)
		return shut_down(vcpu, "triple fault");
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return shut_down(vcpu, "power off");
	case KVM_SYSTEM_EVENT_RESET:
		return shut_down(vcpu, "reset");
	case KVM_SYSTEM_EVENT_CRASH:
		return shut_down(vcpu, "crash event");
	default:
		return exits_bad(vcpu, "system event %u", run->system_event.type);
	}
}

static enum exits_answer serve_dirty_ring(struct vcpu *vcpu)
{
	if (!vcpu->dirty_ring)
		return exits_bad_reason(vcpu);
	return dirty_ring_harvest(vcpu) ? exits_bad(vcpu, "its dirty ring is stuck")
					: EXITS_HANDLED;
}

static enum exits_answer go_on(struct vcpu *vcpu, int err)
{
	return err ? exits_bad(vcpu, "%s", strerror(-err)) : EXITS_HANDLED;
}

/*
 * The guest let no event in for as long as the VMM said it may. It goes on, unless the
 * CPU lost its state over it (api.rst, KVM_CAP_X86_NOTIFY_VMEXIT).
 */
static enum exits_answer serve_notify(struct vcpu *vcpu)
{
	if (vcpu->run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID)
		return exits_bad(vcpu, "the guest's state is lost");
	return EXITS_HANDLED;
}

/* What no hot benchmark meets: counted by its number. */
static enum exits_answer serve_rare(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason < VCPU_EXIT_REASONS)
		vcpu->stats.other[run->exit_reason]++;
	switch (run->exit_reason) {
	case KVM_EXIT_IRQ_WINDOW_OPEN: /* arch_irq_deliver() follows */
	case KVM_EXIT_SET_TPR:	       /* the guest lowered its TPR: likewise */
	case KVM_EXIT_TPR_ACCESS:
	case KVM_EXIT_NMI:
	case KVM_EXIT_IOAPIC_EOI: /* nothing of ours waits for the end of a level */
	case KVM_EXIT_X86_BUS_LOCK:
		return EXITS_HANDLED;
	case KVM_EXIT_NOTIFY:
		return serve_notify(vcpu);
	case KVM_EXIT_DEBUG:
		return go_on(vcpu, arch_debug_exit(vcpu));
	case KVM_EXIT_ARM_NISV:
		vcpu->stats.mmio++;
		return go_on(vcpu, arch_skip_insn(vcpu));
	case KVM_EXIT_X86_RDMSR:
		return serve_msr(vcpu, false);
	case KVM_EXIT_X86_WRMSR:
		return serve_msr(vcpu, true);
	case KVM_EXIT_SYSTEM_EVENT:
	case KVM_EXIT_SHUTDOWN:
		return exits_shutdown(vcpu);
	case KVM_EXIT_DIRTY_RING_FULL:
		return serve_dirty_ring(vcpu);
	default:
		return exits_bad_reason(vcpu);
	}
}

enum exits_answer exits_serve_other(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		vcpu->stats.hypercalls++;
		return arch_hypercall(vcpu) ? exits_bad_reason(vcpu) : EXITS_ANSWERED;
	case KVM_EXIT_HLT:
		return serve_halt(vcpu);
	case KVM_EXIT_INTR:
		vcpu->stats.exit_signal++;
		return EXITS_HANDLED;
	default:
		return serve_rare(vcpu);
	}
}

enum exits_answer exits_deliver(struct vcpu *vcpu, enum exits_answer answer)
{
	if (arch_irq_deliver(vcpu))
		return exits_bad(vcpu, "an interrupt cannot be injected");
	return answer;
}
