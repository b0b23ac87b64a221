/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serving the exits that reach user space. No device is there but the doorbell:
 * whatever else a payload touches reads as all ones and swallows writes.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/exits.h"

static enum exits_answer ring(struct vcpu *vcpu, uint32_t value)
{
	const struct vm_listener *listener = &vcpu->vm->listener;

	if (listener->bell)
		listener->bell(listener->ctx, value);
	return ABI_BELL_KIND(value) == ABI_BELL_STOP ? EXITS_STOP_BELL : EXITS_ANSWERED;
}

static enum exits_answer serve_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	/* Written by the kernel, not by the guest. */
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	vcpu->stats.io++;
	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0xff, (size_t)run->io.size * run->io.count);
	} else if (arch_is_bell_pio(run->io.port, run->io.size)) {
		uint32_t value;

		memcpy(&value, data, sizeof(value));
		return ring(vcpu, value);
	}
	return EXITS_ANSWERED;
}

static enum exits_answer serve_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	vcpu->stats.mmio++;
	if (!run->mmio.is_write) {
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	} else if (arch_is_bell_mmio(run->mmio.phys_addr, run->mmio.len)) {
		uint32_t value;

		memcpy(&value, run->mmio.data, sizeof(value));
		return ring(vcpu, value);
	}
	return EXITS_ANSWERED;
}

static enum exits_answer unhandled(struct vcpu *vcpu, const char *what,
				   unsigned long long detail)
{
	char registers[320];

	vcpu_dump(vcpu, registers, sizeof(registers));
	vm_fail(vcpu->vm, -EIO, "%s (0x%llx); %s", what, detail, registers);
	return EXITS_UNHANDLED;
}

enum exits_answer exits_serve(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return serve_pio(vcpu);
	case KVM_EXIT_MMIO:
		return serve_mmio(vcpu);
	case KVM_EXIT_HYPERCALL:
		vcpu->stats.hypercalls++;
		return EXITS_ANSWERED;
	case KVM_EXIT_INTR:
		vcpu->stats.exit_signal++;
		return EXITS_HANDLED;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		vcpu->stats.interrupts++;
		return EXITS_HANDLED;
	case KVM_EXIT_HLT:
		vcpu->stats.halt++;
		return unhandled(vcpu, "the guest halted without having finished", 0);
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_SYSTEM_EVENT:
		return EXITS_STOP_SHUTDOWN;
	case KVM_EXIT_FAIL_ENTRY:
		return unhandled(vcpu, "the CPU refused to enter the guest",
				 run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTERNAL_ERROR:
		return unhandled(vcpu, "KVM could not go on (internal error)",
				 run->internal.suberror);
	default:
		return unhandled(vcpu, "an exit that nobody serves", run->exit_reason);
	}
}
