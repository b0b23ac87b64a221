/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ARCH/regs.c defines for regs.c. */
#ifndef WS_VMM_REGS_ARCH_H
#define WS_VMM_REGS_ARCH_H

#include "host/vmm/regs.h"

/* Groups are bits 0 to regs_groups - 1. */
extern const unsigned int regs_groups;

/*
 * Groups that REGS_SYNC_ALWAYS writes at each entry: those that only the guest and the
 * VMM change. KVM may change the others between two entries, by an interrupt for example.
 */
extern const uint32_t regs_groups_synced;

int regs_arch_init(struct vcpu *vcpu);
void regs_arch_free(struct vcpu *vcpu);

/* Moves one group from KVM to the copy, and back. 0 or -errno. */
int regs_arch_pull(struct vcpu *vcpu, unsigned int group);
int regs_arch_push(struct vcpu *vcpu, unsigned int group);

/* Enables REGS_SYNC_RUN. -ENOTSUP where KVM has no KVM_CAP_SYNC_REGS. */
int regs_arch_sync_run_init(struct vcpu *vcpu);

/* Where the copy has a register. */
struct regs_place {
	unsigned int group;
	unsigned int bytes; /* 1 to 16 */
	void *at;
};
bool regs_arch_find(struct vcpu *vcpu, const char *name, struct regs_place *place);

/* Reads `place` alone; -EOPNOTSUPP: KVM's interface moves whole groups. */
int regs_arch_pull_one(struct vcpu *vcpu, const struct regs_place *place);

/* The VMM has changed the copy of `place`. */
void regs_arch_touch(struct vcpu *vcpu, const struct regs_place *place);

/* Prints the whole copy. */
void regs_arch_print(struct vcpu *vcpu, FILE *out);

/* As in regs.h, as records; no group is dirty. */
int regs_arch_save(struct vcpu *vcpu, FILE *out);

/* `put` false: only checks that `state` fits. */
int regs_arch_restore(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put);

#endif
