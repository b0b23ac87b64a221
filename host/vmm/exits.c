/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits to user space other than PIO and MMIO (vcpu_run.c): how each is served, and the
 * message and the registers of one that is not.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/memory.h"
#include "host/vmm/exits.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/pmu.h"
#include "host/vmm/regs.h"

#define TEXT_BYTES 320

static enum exits_answer serve_counted(struct vcpu *vcpu);
static enum exits_answer serve_halt(struct vcpu *vcpu);
static enum exits_answer serve_msr(struct vcpu *vcpu, bool is_write);
static enum exits_answer unhandled_reason(struct vcpu *vcpu);

enum exits_answer exits_serve(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		vcpu->stats.hypercalls++;
		return arch_hypercall(vcpu) ? unhandled_reason(vcpu) : EXITS_ANSWERED;
	case KVM_EXIT_HLT:
		return serve_halt(vcpu);
	case KVM_EXIT_INTR:
		vcpu->stats.exit_signal++;
		return EXITS_HANDLED;
	default:
		return serve_counted(vcpu);
	}
}

static enum exits_answer handled_unless(struct vcpu *vcpu, int err)
{
	return err ? exits_unhandled(vcpu, "%s", strerror(-err)) : EXITS_HANDLED;
}

/* The exits without a statistic of their own: counted by reason. */
static enum exits_answer serve_counted(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason < VCPU_EXIT_REASONS)
		vcpu->stats.other[run->exit_reason]++;
	switch (run->exit_reason) {
	case KVM_EXIT_IRQ_WINDOW_OPEN: /* the run loop then injects what is queued */
	case KVM_EXIT_SET_TPR:	       /* the guest lowered its TPR: as above */
	case KVM_EXIT_TPR_ACCESS:
	case KVM_EXIT_NMI:
	case KVM_EXIT_IOAPIC_EOI: /* no device of the VMM waits for an EOI */
	case KVM_EXIT_X86_BUS_LOCK:
		return EXITS_HANDLED;
	case KVM_EXIT_NOTIFY:
		/*
		 * The guest blocked all events for longer than the notify window. It can
		 * continue unless its context is lost (api.rst,
		 * KVM_CAP_X86_NOTIFY_VMEXIT).
		 */
		if (run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID)
			return exits_unhandled(vcpu, "the guest's context is invalid");
		return EXITS_HANDLED;
	case KVM_EXIT_DEBUG:
		return handled_unless(vcpu, arch_debug_exit(vcpu));
	case KVM_EXIT_ARM_NISV:
		vcpu->stats.mmio++;
		return handled_unless(vcpu, arch_skip_insn(vcpu));
	case KVM_EXIT_X86_RDMSR:
		return serve_msr(vcpu, false);
	case KVM_EXIT_X86_WRMSR:
		return serve_msr(vcpu, true);
	case KVM_EXIT_SYSTEM_EVENT:
	case KVM_EXIT_SHUTDOWN:
		return exits_shutdown(vcpu);
	case KVM_EXIT_DIRTY_RING_FULL:
		if (!vcpu->dirty_ring)
			return unhandled_reason(vcpu);
		return dirty_ring_harvest(vcpu)
			       ? exits_unhandled(vcpu, "the dirty rings cannot be reset")
			       : EXITS_HANDLED;
	default:
		return unhandled_reason(vcpu);
	}
}

/*
 * In-kernel interrupt controllers halt in the kernel. Without one the vCPU halts until
 * the VMM has an interrupt for it, which irq_inject() may have queued already.
 */
static enum exits_answer serve_halt(struct vcpu *vcpu)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	vcpu->stats.halt++;
	if (vcpu->irqs.queued)
		return EXITS_HANDLED;
	if (listener->halted && listener->halted(listener->ctx, vcpu))
		return EXITS_HANDLED;
	return exits_unhandled(vcpu, "the guest halted before it rang the doorbell");
}

/*
 * The PMU's MSRs belong to pmu.c under config pmc-msr-user. Any other filtered MSR
 * reads as zero and ignores writes. An MSR that KVM does not know faults, as it does
 * without exits to user space.
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
	char registers[TEXT_BYTES];

	vcpu_dump(vcpu, registers, sizeof(registers));
	error_set(vcpu->error, -ESHUTDOWN, "the guest shut down: %s; %s", how, registers);
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
		return exits_unhandled(vcpu, "system event %u", run->system_event.type);
	}
}

enum exits_answer exits_deliver_irq(struct vcpu *vcpu, enum exits_answer answer)
{
	if (arch_irq_deliver(vcpu))
		return exits_unhandled(vcpu, "an interrupt cannot be injected");
	return answer;
}

/* vcpu->error: `what` and the most important registers; *vcpu->dump: all registers. */
static enum exits_answer unhandled(struct vcpu *vcpu, const char *what)
{
	char registers[TEXT_BYTES];
	struct error error;
	size_t bytes;
	FILE *out;

	vcpu_dump(vcpu, registers, sizeof(registers));
	error_set(vcpu->error, -EIO, "%s; %s", what, registers);
	free(*vcpu->dump);
	*vcpu->dump = NULL;
	out = open_memstream(vcpu->dump, &bytes);
	if (!out)
		return EXITS_UNHANDLED;
	fprintf(out, "vCPU %u, %s\n", vcpu->index, vcpu->error->text);
	/* A register that cannot be read must not hide the first error. */
	error = *vcpu->error;
	(void)regs_dump(vcpu, out);
	*vcpu->error = error;
	fclose(out);
	return EXITS_UNHANDLED;
}

enum exits_answer exits_unhandled(struct vcpu *vcpu, const char *fmt, ...)
{
	const char *name = exits_name(vcpu->run->exit_reason);
	char cause[TEXT_BYTES], what[TEXT_BYTES + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(cause, sizeof(cause), fmt, args);
	va_end(args);
	snprintf(what, sizeof(what), "%s: %s", name ? name : "an exit", cause);
	return unhandled(vcpu, what);
}

void exits_run_failed(struct vcpu *vcpu, int err)
{
	char what[TEXT_BYTES];

	/* This exit reason comes with EFAULT (api.rst, KVM_EXIT_MEMORY_FAULT). */
	if (err == -EFAULT && vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		unhandled_reason(vcpu);
		return;
	}
	snprintf(what, sizeof(what), "KVM_RUN: %s", strerror(-err));
	unhandled(vcpu, what);
}

/* A bug in KVM, an instruction that it cannot emulate, or invalid guest state. */
static enum exits_answer unhandled_internal_error(struct vcpu *vcpu)
{
	static const char *const names[] = {
		[KVM_INTERNAL_ERROR_EMULATION] = "cannot emulate an instruction",
		[KVM_INTERNAL_ERROR_SIMUL_EX] = "simultaneous exceptions",
		[KVM_INTERNAL_ERROR_DELIVERY_EV] = "exit while delivering an event",
		[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "unexpected exit",
	};
	const struct kvm_run *run = vcpu->run;
	const uint32_t suberror = run->internal.suberror;
	uint32_t n = run->internal.ndata, i;
	const char *name = NULL;
	char data[TEXT_BYTES] = "";
	size_t used = 0;

	if (n > sizeof(run->internal.data) / sizeof(run->internal.data[0]))
		n = sizeof(run->internal.data) / sizeof(run->internal.data[0]);
	for (i = 0; i < n && used < sizeof(data); i++)
		used += (size_t)snprintf(data + used, sizeof(data) - used, " 0x%llx",
					 (unsigned long long)run->internal.data[i]);
	if (suberror < sizeof(names) / sizeof(names[0]))
		name = names[suberror];
	return exits_unhandled(vcpu, "suberror %u (%s), data:%s", suberror,
			       name ? name : "unknown", n ? data : " none");
}

/* The cause is in kvm_run. */
static enum exits_answer unhandled_reason(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct compat_memory_fault fault;

	switch (run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
		return exits_unhandled(vcpu, "hardware exit reason 0x%llx",
				       (unsigned long long)run->hw.hardware_exit_reason);
	case KVM_EXIT_EXCEPTION:
		return exits_unhandled(vcpu, "exception %u, error code 0x%x",
				       run->ex.exception, run->ex.error_code);
	case KVM_EXIT_FAIL_ENTRY:
		return exits_unhandled(
			vcpu, "entry failure reason 0x%llx on CPU %u",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			run->fail_entry.cpu);
	case KVM_EXIT_INTERNAL_ERROR:
		return unhandled_internal_error(vcpu);
	case KVM_EXIT_MEMORY_FAULT:
		memcpy(&fault, (const uint8_t *)run + offsetof(struct kvm_run, hw),
		       sizeof(fault));
		return exits_unhandled(
			vcpu, "no memory at 0x%llx (%llu bytes, flags 0x%llx)",
			(unsigned long long)fault.gpa, (unsigned long long)fault.size,
			(unsigned long long)fault.flags);
	default:
		return exits_unhandled(vcpu, "unhandled exit reason %u",
				       run->exit_reason);
	}
}

#define REASON(name) [KVM_EXIT_##name] = "KVM_EXIT_" #name

/* All architectures: a message can name whatever KVM returns. */
static const char *const names[VCPU_EXIT_REASONS] = {
	REASON(UNKNOWN),
	REASON(EXCEPTION),
	REASON(IO),
	REASON(HYPERCALL),
	REASON(DEBUG),
	REASON(HLT),
	REASON(MMIO),
	REASON(IRQ_WINDOW_OPEN),
	REASON(SHUTDOWN),
	REASON(FAIL_ENTRY),
	REASON(INTR),
	REASON(SET_TPR),
	REASON(TPR_ACCESS),
	REASON(S390_SIEIC),
	REASON(S390_RESET),
	REASON(DCR),
	REASON(NMI),
	REASON(INTERNAL_ERROR),
	REASON(OSI),
	REASON(PAPR_HCALL),
	REASON(S390_UCONTROL),
	REASON(WATCHDOG),
	REASON(S390_TSCH),
	REASON(EPR),
	REASON(SYSTEM_EVENT),
	REASON(S390_STSI),
	REASON(IOAPIC_EOI),
	REASON(HYPERV),
	REASON(ARM_NISV),
	REASON(X86_RDMSR),
	REASON(X86_WRMSR),
	REASON(DIRTY_RING_FULL),
	REASON(AP_RESET_HOLD),
	REASON(X86_BUS_LOCK),
	REASON(XEN),
	REASON(RISCV_SBI),
	REASON(RISCV_CSR),
	REASON(NOTIFY),
	REASON(LOONGARCH_IOCSR),
	REASON(MEMORY_FAULT),
	REASON(TDX),
	REASON(ARM_SEA),
	REASON(ARM_LDST64B),
	REASON(SNP_REQ_CERTS),
};

const char *exits_name(uint32_t reason)
{
	return reason < VCPU_EXIT_REASONS ? names[reason] : NULL;
}
