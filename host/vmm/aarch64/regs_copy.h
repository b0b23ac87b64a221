/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: the VMM's copy of a vCPU's registers: those of KVM_GET_REG_LIST. */
#ifndef WS_VMM_AARCH64_REGS_COPY_H
#define WS_VMM_AARCH64_REGS_COPY_H

#include <linux/kvm.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"

enum regs_group {
	REGS_CORE,   /* x, sp, pc, pstate, EL1's banked ones, v */
	REGS_SYSTEM, /* op0..op2 */
	REGS_OTHER,  /* cache sizes, firmware, SVE */
	REGS_MP,
	REGS_EVENTS,
	REGS_GROUPS,
};

struct regs_reg {
	uint64_t id; /* KVM's; its size is part of it */
	uint8_t *at; /* in regs_copy.values */
	enum regs_group group;
	bool touched;  /* changed by regs_set(), not yet written */
	bool readonly; /* KVM refuses to write the value that it read */
};

struct regs_copy {
	struct regs_reg *regs; /* NULL: not yet listed */
	unsigned int n_regs;
	uint8_t *values;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	bool has_events;
};

static inline unsigned int regs_reg_bytes(uint64_t id)
{
	return 1u << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

/* "x0", "tpidr_el1", "s3_0_c1_c0_0"; any id has a name. And the id of a name, or 0. */
void regs_name(uint64_t id, char *name, size_t bytes);
uint64_t regs_id(const char *name);

#endif
