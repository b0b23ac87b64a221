/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register state: read when somebody looks, written when somebody changed it, and
 * not otherwise. Each group has a dirty flag in each direction, as gem5's
 * BaseKvmCPU has for its thread context: `kvm_newer` (the guest ran since we read)
 * and `ours_newer` (we changed our copy since we wrote).
 */
#ifndef WS_VMM_REGS_H
#define WS_VMM_REGS_H

#include <stdio.h>

#include "host/vmm/vmm.h"

enum regs_policy {
	REGS_SYNC_LAZY,	  /* by the flags */
	REGS_SYNC_ALWAYS, /* everything, in both directions, around every entry */
	REGS_SYNC_RUN,	  /* KVM_CAP_SYNC_REGS where there is one (x86_64) */
};

/* After each KVM_RUN / before each: what the policy asks for. Cheap when lazy. */
int regs_after_run(struct vcpu *vcpu);
int regs_before_run(struct vcpu *vcpu);

/* All state of the vCPU, formatted, one register per line; for dumps and tests. */
int regs_dump(struct vcpu *vcpu, FILE *out);

/*
 * Every register of KVM_GET_REG_LIST (aarch64) or of regs, sregs, FPU, XSAVE, XCRs,
 * MSRs, events and debug registers (x86_64), as opaque bytes that
 * regs_restore() puts into a fresh vCPU of the same kind. malloc()ed.
 */
int regs_save(struct vcpu *vcpu, void **state, size_t *bytes);
int regs_restore(struct vcpu *vcpu, const void *state, size_t bytes);

#endif
