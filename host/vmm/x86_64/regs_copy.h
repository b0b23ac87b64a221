/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the VMM's copy of a vCPU's registers, by KVM's groups. */
#ifndef WS_VMM_X86_64_REGS_COPY_H
#define WS_VMM_X86_64_REGS_COPY_H

#include <linux/kvm.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"

enum regs_group {
	REGS_GENERAL,
	REGS_SPECIAL,
	REGS_XCRS,
	REGS_FPU, /* XSAVE, or the legacy FPU state without it */
	REGS_DEBUG,
	REGS_LAPIC, /* of an in-kernel interrupt controller */
	REGS_MSRS,
	REGS_MP,
	REGS_EVENTS,
	REGS_GROUPS,
};

/* What an injection changes: the event queue, and its bitmap in sregs. */
#define REGS_PENDING (1u << REGS_EVENTS | 1u << REGS_SPECIAL)

/* Long mode's legacy area, the same in XSAVE and FXSAVE (Intel SDM 1, 13.4.1). */
#define XSAVE_BYTES	4096u
#define XSAVE_FCW	0u
#define XSAVE_FSW	2u
#define XSAVE_MXCSR	24u
#define XSAVE_ST0	32u
#define XSAVE_XMM0	160u
#define XSAVE_XSTATE_BV 512u
#define XSAVE_YMMH0	576u
#define XSTATE_X87	1u
#define XSTATE_SSE	2u
#define XSTATE_AVX	4u

struct regs_msr {
	struct kvm_msr_entry entry;
	bool touched;  /* changed by regs_set(), not yet written */
	bool readonly; /* KVM refuses to write the value that it read */
};

struct regs_copy {
	uint32_t present; /* groups that this vCPU has */
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_fpu fpu; /* without XSAVE */
	uint8_t *xsave;	    /* xsave_bytes; NULL: no XSAVE */
	size_t xsave_bytes;
	bool xsave2;
	struct regs_msr *msrs; /* NULL: not yet listed */
	unsigned int n_msrs;
	struct kvm_msrs *msrs_io; /* room for all of them */
};

/* Lists the MSRs of KVM_GET_MSR_INDEX_LIST that can be read, once. 0 or -errno. */
int msrs_list(struct vcpu *vcpu);
int msrs_pull(struct vcpu *vcpu);
int msrs_push(struct vcpu *vcpu);

/* For regs_prove(). msrs_unread(): an MSR that KVM_GET_MSRS did not read, or NULL. */
void msrs_poison(struct regs_copy *copy);
const struct regs_msr *msrs_unread(const struct regs_copy *copy);

/* NULL: not listed. */
struct regs_msr *msrs_find(const struct regs_copy *copy, uint32_t index);

/* Sets one MSR to `saved`, unless it has that value. 0 or -errno. */
int msrs_restore(struct vcpu *vcpu, const struct kvm_msr_entry *saved);

/* "star"; NULL: no name. And the index of a name or of "msr_0x...". */
const char *msrs_name(uint32_t index);
bool msrs_number(const char *name, uint32_t *index);

#endif
