/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture's registers are, for regs.c: ARCH/regs.c. */
#ifndef WS_VMM_REGS_ARCH_H
#define WS_VMM_REGS_ARCH_H

#include "host/vmm/regs.h"

/* Groups are bits 0 to regs_groups - 1. */
extern const unsigned int regs_groups;

/*
 * Groups that always-sync brings back at each entry: those that nobody but the guest
 * and we change. Interrupts may arrive in the others meanwhile, and would be lost.
 */
extern const uint32_t regs_groups_synced;

int regs_arch_init(struct vcpu *vcpu);
void regs_arch_free(struct vcpu *vcpu);

/* One group from KVM to our copy, and back. 0 or -errno with vm->error. */
int regs_arch_pull(struct vcpu *vcpu, unsigned int group);
int regs_arch_push(struct vcpu *vcpu, unsigned int group);

/* REGS_SYNC_RUN. -ENOTSUP with vm->error where KVM has no such thing. */
int regs_arch_sync_run_init(struct vcpu *vcpu);

/* A register in our copy. */
struct regs_place {
	unsigned int group;
	unsigned int bytes; /* 1 to 16 */
	void *at;
};
bool regs_arch_find(struct vcpu *vcpu, const char *name, struct regs_place *place);

/* Brings in `place`, by its group or alone, as KVM's interface has it. */
int regs_arch_pull_one(struct vcpu *vcpu, const struct regs_place *place);
int regs_pull_group(struct vcpu *vcpu, unsigned int group);

/* Our copy of `place` is about to be changed. */
void regs_arch_touch(struct vcpu *vcpu, const struct regs_place *place);

/* Formats all of our copy. */
void regs_arch_print(struct vcpu *vcpu, FILE *out);

/* As in regs.h; with nothing of ours_newer pending. */
int regs_arch_save(struct vcpu *vcpu, FILE *out);

/* `put` false: only looks whether it could. */
int regs_arch_restore(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put);

/* How both architectures lay the saved state out: records of these, then `bytes`. */
struct regs_record {
	uint64_t id;
	uint32_t bytes, zero;
};

/*
 * The next record at *state, which moves on behind it; its data. NULL at the end, and
 * also, with *bytes not 0, where what is left makes no sense.
 */
const uint8_t *regs_record_next(const uint8_t **state, size_t *bytes,
				struct regs_record *record);
int regs_record_write(FILE *out, uint64_t id, const void *data, size_t bytes);

#endif
