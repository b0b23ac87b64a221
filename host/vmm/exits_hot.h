/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exits that a benchmark causes by the thousand, inline in the run loop: what they
 * cost above the least that could be done is a figure of its own (vmm_overhead).
 */
#ifndef WS_VMM_EXITS_HOT_H
#define WS_VMM_EXITS_HOT_H

#include <linux/kvm.h>

#include "host/vmm/access.h"
#include "host/vmm/exits_bad.h"
#include "host/vmm/io.h"

/* All exits but PIO and MMIO. */
enum exits_answer exits_serve_other(struct vcpu *vcpu);

/* Brings queued interrupts in; `answer`, or EXITS_UNHANDLED. */
enum exits_answer exits_deliver(struct vcpu *vcpu, enum exits_answer answer);

/*
 * KVM splits a string instruction into batches of `count` items; it has already read
 * what an OUTS writes, and stores what an INS reads when it is entered again.
 */
static inline __attribute__((always_inline)) enum exits_answer
exits_serve_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vm_access access = {
		.address = run->io.port,
		.bytes = run->io.size,
		/* Written by the kernel, not by the guest. */
		.data = (uint8_t *)run + run->io.data_offset,
		.is_pio = true,
		.is_write = run->io.direction == KVM_EXIT_IO_OUT,
	};
	enum exits_answer answer, worst = EXITS_ANSWERED;
	uint32_t count = run->io.count;

	vcpu->stats.io++;
	for (; count; count--, access.data += access.bytes) {
		answer = access_serve(vcpu, &access);
		if (answer != EXITS_ANSWERED)
			worst = answer;
	}
	return worst;
}

static inline __attribute__((always_inline)) enum exits_answer
exits_serve_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct vm_access access = {
		.address = run->mmio.phys_addr,
		.bytes = run->mmio.len,
		.data = run->mmio.data,
		.is_write = run->mmio.is_write,
	};

	vcpu->stats.mmio++;
	if (access.bytes > sizeof(run->mmio.data))
		return exits_bad(vcpu, "an access of %u bytes", access.bytes);
	return access_serve(vcpu, &access);
}

/* What to do about vcpu->run->exit_reason; drains the rings before. */
static inline __attribute__((always_inline)) enum exits_answer
exits_serve(struct vcpu *vcpu)
{
	enum exits_answer answer;

	if (__builtin_expect(vcpu->vm->ring != NULL, 0))
		io_drain_rings(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_IO)
		answer = exits_serve_pio(vcpu);
	else if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		answer = exits_serve_mmio(vcpu);
	else
		answer = exits_serve_other(vcpu);
	if (__builtin_expect(vcpu->irqs.queued, 0))
		return exits_deliver(vcpu, answer);
	return answer;
}

#endif
