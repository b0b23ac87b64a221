/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register state: read when somebody looks, written when somebody changed it, and
 * not otherwise. Registers come in groups, as KVM's interfaces have them, and each
 * group has a dirty flag in each direction, as gem5's BaseKvmCPU has for its thread
 * context: `kvm_newer` (the guest ran since we read) and `ours_newer` (we changed our
 * copy since we wrote).
 *
 * Only this code and ARCH/regs.c write a vCPU's registers once regs_init() has run: a
 * write past the copies is undone by the next entry if a group is dirty, as all are
 * under REGS_SYNC_ALWAYS. What KVM itself changes is announced by regs_stale().
 *
 * All of it is for the thread that runs the vCPU, or for a vCPU that nobody runs. What
 * is read amid an access that is not completed is what the guest had before it: see
 * vcpu_drain().
 */
#ifndef WS_VMM_REGS_H
#define WS_VMM_REGS_H

#include <stdio.h>

#include "host/vmm/vmm.h"

/* What a register holds: 32, 64 or 128 bits. */
struct regs_value {
	uint64_t low, high;
};

/* Once per vCPU, by vm_create(), when it is set up; and in the end. */
int regs_init(struct vcpu *vcpu);
void regs_free(struct vcpu *vcpu);

/* For those below. */
int regs_after_run_eager(struct vcpu *vcpu);
int regs_push(struct vcpu *vcpu);

/* After each KVM_RUN / before each: what the policy asks for. 0 or -errno, vm->error. */
static inline int regs_after_run(struct vcpu *vcpu)
{
	vcpu->regs.kvm_newer = ~0u;
	return vcpu->regs.policy == REGS_SYNC_LAZY ? 0 : regs_after_run_eager(vcpu);
}

static inline int regs_before_run(struct vcpu *vcpu)
{
	return vcpu->regs.ours_newer ? regs_push(vcpu) : 0;
}

/*
 * One register by name: "rax", "cr2", "xmm3", "msr_0xc0000082"; "x0", "v3", "pc",
 * "tpidr_el1", "s3_0_c1_c0_0". Reading brings in its group if the guest ran since;
 * writing changes our copy, which the next entry (or regs_push()) brings to KVM.
 * -ENOENT: there is no such register.
 */
int regs_get(struct vcpu *vcpu, const char *name, struct regs_value *value);
int regs_set(struct vcpu *vcpu, const char *name, const struct regs_value *value);

/* Reads all groups that the guest may have changed. */
int regs_pull(struct vcpu *vcpu);

/* Registers were written past the copies: drops all of these, changes included. */
void regs_forget(struct vcpu *vcpu);

/*
 * KVM changed these groups outside of KVM_RUN, for example by KVM_INTERRUPT: they are
 * read again when looked at, unless our copy has a change that is not yet written.
 */
void regs_stale(struct vcpu *vcpu, uint32_t groups);

/* All state of the vCPU, formatted, one register per line; for dumps and tests. */
int regs_dump(struct vcpu *vcpu, FILE *out);

/*
 * Every register of KVM_GET_REG_LIST (aarch64) or of regs, sregs, FPU, XSAVE, XCRs,
 * MSRs, events and debug registers (x86_64), as opaque bytes that
 * regs_restore() puts into a fresh vCPU of the same kind. malloc()ed.
 *
 * regs_check() is the part of regs_restore() that changes nothing: -EINVAL for bytes
 * that are not such state, or not this kind of vCPU's.
 */
int regs_save(struct vcpu *vcpu, void **state, size_t *bytes);
int regs_check(struct vcpu *vcpu, const void *state, size_t bytes);
int regs_restore(struct vcpu *vcpu, const void *state, size_t bytes);

#endif
