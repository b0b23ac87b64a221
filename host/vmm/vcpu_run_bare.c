/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest run loop that can run a payload: KVM_RUN, PIO and MMIO, again. It has no
 * states, no rings, no registers, and counts nothing but exits. The difference to
 * vcpu_run() is the cost of the full loop (benchmark vmm_overhead, config loop-bare).
 */
#include <errno.h>
#include <string.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/exits.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/timer.h"

static void serve_access(struct vcpu *vcpu, bool is_write, bool is_doorbell, void *data,
			 size_t bytes)
{
	const struct vm_listener *listener = &vcpu->vm->listener;
	uint32_t value;

	if (!is_write) {
		memset(data, 0xff, bytes);
		return;
	}
	if (!is_doorbell)
		return;
	memcpy(&value, data, sizeof(value));
	listener->doorbell(listener->ctx, value);
	if (ABI_DOORBELL_KIND(value) == ABI_DOORBELL_STOP)
		vcpu->stop = VCPU_STOP_DOORBELL;
}

static void serve(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		serve_access(vcpu, run->io.direction == KVM_EXIT_IO_OUT,
			     arch_doorbell.is_pio &&
				     run->io.port == arch_doorbell.address &&
				     run->io.size == sizeof(uint32_t),
			     (uint8_t *)run + run->io.data_offset,
			     (size_t)run->io.size * run->io.count);
		break;
	case KVM_EXIT_MMIO:
		serve_access(vcpu, run->mmio.is_write,
			     !arch_doorbell.is_pio &&
				     run->mmio.phys_addr == arch_doorbell.address &&
				     run->mmio.len == sizeof(uint32_t),
			     run->mmio.data, sizeof(run->mmio.data));
		break;
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_SYSTEM_EVENT:
		vcpu->stop = exits_shutdown(vcpu) == EXITS_STOP_SHUTDOWN
				     ? VCPU_STOP_SHUTDOWN
				     : VCPU_STOP_ERROR;
		break;
	default:
		error_set(vcpu->error, -EIO,
			  "the bare loop does not handle exit reason %u",
			  run->exit_reason);
		vcpu->stop = VCPU_STOP_ERROR;
	}
}

static void interrupted(struct vcpu *vcpu)
{
	if (kick_consume(vcpu))
		vcpu->stop = VCPU_STOP_KICK;
	else if (watchdog_expired())
		vcpu->stop = VCPU_STOP_TIMEOUT;
	else if (timer_expired())
		vcpu->stop = VCPU_STOP_BUDGET;
}

int vcpu_run_bare(struct vcpu *vcpu, struct run_timer *budget)
{
	int err = vcpu_begin(vcpu, budget);

	if (err)
		return err;
	interrupted(vcpu);
	while (vcpu->stop == VCPU_STOP_NONE) {
		err = vcpu_kvm_run(vcpu);
		if (!err) {
			vcpu->stats.vm_exits++;
			serve(vcpu);
		} else if (err == -EINTR) {
			vcpu->left = clock_glance();
			interrupted(vcpu);
		} else if (err != -EAGAIN) {
			error_set(vcpu->error, err, "KVM_RUN: %s", strerror(-err));
			vcpu->stop = VCPU_STOP_ERROR;
		}
	}
	return vcpu_end(vcpu, budget);
}
