/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register state, read from KVM when the VMM reads a register and written when the VMM
 * has changed one, not otherwise. Registers come in groups, as in KVM's interface, with
 * two flags each, as in gem5's BaseKvmCPU: `stale` (the guest ran since the group was
 * read) and `dirty` (the VMM changed the copy since the group was written).
 *
 * After regs_init() only this code and ARCH/regs.c write a vCPU's registers: the next
 * entry undoes any other write to a dirty group, and under REGS_SYNC_ALWAYS all groups
 * are dirty. regs_invalidate() is for registers that KVM changes.
 *
 * For the thread that runs the vCPU, or while no thread does. While an access is pending
 * the registers have the values from before the access: see vcpu_drain().
 */
#ifndef WS_VMM_REGS_H
#define WS_VMM_REGS_H

#include <stdio.h>

#include "host/vmm/vmm.h"

/* A register of up to 128 bits. */
struct regs_value {
	uint64_t low, high;
};

/*
 * Zeroed memory from a page's begin on, for what ioctls copy: the path of a copy depends
 * on its alignment, and so it does not depend on where the heap has room. NULL: out of
 * memory. regs_release() it; NULL is allowed.
 */
void *regs_alloc(size_t bytes);
void regs_release(void *at);

/* For vm_create(), after arch_vm_finish(), and vm_destroy(). */
int regs_init(struct vcpu *vcpu);
void regs_free(struct vcpu *vcpu);

/* The parts of the two functions below that are not inlined. */
int regs_after_run_sync(struct vcpu *vcpu);
int regs_push(struct vcpu *vcpu);

/* After and before each KVM_RUN: move what the policy requires. 0 or -errno. */
static inline int regs_after_run(struct vcpu *vcpu)
{
	vcpu->regs.stale = ~0u;
	return vcpu->regs.policy == REGS_SYNC_LAZY ? 0 : regs_after_run_sync(vcpu);
}

static inline int regs_before_run(struct vcpu *vcpu)
{
	return vcpu->regs.dirty ? regs_push(vcpu) : 0;
}

/*
 * One register by name: "rax", "cr2", "xmm3", "msr_0xc0000082"; "x0", "v3", "pc",
 * "tpidr_el1", "s3_0_c1_c0_0". regs_get() reads the register's group if it is stale;
 * regs_set() changes the copy, which the next entry (or regs_push()) writes to KVM.
 * -ENOENT: the vCPU has no such register.
 */
int regs_get(struct vcpu *vcpu, const char *name, struct regs_value *value);
int regs_set(struct vcpu *vcpu, const char *name, const struct regs_value *value);

/* Reads all stale groups. */
int regs_pull(struct vcpu *vcpu);

/*
 * Reads all groups into copies that have been overwritten: -EIO with the group of which
 * KVM's request succeeds and writes nothing. No group may be dirty, but for those of
 * REGS_SYNC_ALWAYS.
 */
int regs_prove(struct vcpu *vcpu);

/* Drops the copies, changes included: registers were written without them. */
void regs_forget(struct vcpu *vcpu);

/*
 * KVM changed these groups outside of KVM_RUN, for example by KVM_INTERRUPT: they become
 * stale, except dirty ones.
 */
void regs_invalidate(struct vcpu *vcpu, uint32_t groups);

/* Prints all state of the vCPU, one register per line. */
int regs_dump(struct vcpu *vcpu, FILE *out);

/*
 * Every register of KVM_GET_REG_LIST (aarch64), or regs, sregs, FPU, XSAVE, XCRs, MSRs,
 * events and debug registers (x86_64), as bytes that regs_restore() writes to a fresh
 * vCPU of the same kind. malloc()ed.
 *
 * regs_check() does what regs_restore() does without changing anything: -EINVAL for bytes
 * that are not such state, or are another kind of vCPU's.
 */
int regs_save(struct vcpu *vcpu, void **state, size_t *bytes);
int regs_check(struct vcpu *vcpu, const void *state, size_t bytes);
int regs_restore(struct vcpu *vcpu, const void *state, size_t bytes);

#endif
