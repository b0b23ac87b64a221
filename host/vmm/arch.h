/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What x86_64/ and aarch64/ define for the rest of the VMM. */
#ifndef WS_VMM_ARCH_H
#define WS_VMM_ARCH_H

#include <stdio.h>

#include "bench/abi.h"
#include "host/vmm/vmm.h"

extern const enum arch vmm_arch;
extern const uint16_t vmm_elf_machine;
extern const uint64_t vmm_ram_gpa;

/* The argument of KVM_CREATE_VM. */
unsigned long arch_vm_type(int kvm_fd);

/* Before and after the vCPUs exist: interrupt controller, PMU, fixed pages. */
int arch_vm_init(struct vm *vm);
int arch_vm_finish(struct vm *vm);
int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry);

/*
 * Fills in the translation tables of window `index` in its ABI_TABLES_OFFSET
 * (bench/abi.h) at `tables`, which are zero: RAM, devices, and `slot_bytes` at
 * ABI_SLOT_GPA.
 */
void arch_window_tables(const struct vm *vm, unsigned int index, uint64_t slot_bytes,
			uint64_t *tables);
/* What a register of a vCPU other than the boot CPU holds at reset. */
static inline uint32_t arch_mark(const struct vcpu *vcpu)
{
	return (vcpu->vm->config.windows ? ABI_WINDOW : ABI_SECONDARY) | vcpu->index;
}

#define ARCH_TABLE_ENTRIES 512u /* of 8 bytes, a page */
#define ARCH_BLOCK_BYTES   0x200000ull

/*
 * How a setting of bench/shapes.def is applied; ARCH/settings.c has the table. Without
 * members a setting is applied elsewhere in the architecture's code.
 */
struct vm_setting {
	long cap;	   /* what KVM must offer; 0: nothing to check */
	uint64_t bits;	   /* of the value of `cap`; 0: the value is not 0 */
	bool enable;	   /* KVM_ENABLE_CAP of the VM */
	uint64_t argument; /* of KVM_ENABLE_CAP; 0: `bits`, or 1 without bits */
	uint32_t features; /* aarch64: of KVM_ARM_VCPU_INIT */
	void (*configure)(struct vm_config *config);
	/* Before the interrupt controller and the vCPUs exist, and after. 0 or -errno. */
	int (*early)(struct vm *vm);
	int (*late)(struct vm *vm);
	const char *lacks; /* why KVM may lack it */
};
extern const struct vm_setting vm_settings[SETTINGS];

/* settings.c. -ENOTSUP with the reason: KVM does not offer the setting. */
int setting_check(enum setting_id id, int kvm_fd, struct error *err);
void settings_configure(struct vm_config *config);
int settings_early(struct vm *vm);
int settings_late(struct vm *vm);
/* aarch64: the features of KVM_ARM_VCPU_INIT. */
uint32_t settings_features(const struct vm_config *config);

/* For a loop that polls for another thread: YIELD, PAUSE. */
void arch_relax(void);

/*
 * The numbers of a line for KVM_IRQ_LINE and for KVM_IRQFD. 0, or -errno where the VM has
 * no such line.
 */
int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq);
int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi);
uint32_t arch_msi_flags(const struct vm *vm);

/* After each exit: injects what irq_inject() queued, or requests an interrupt window. */
int arch_irq_deliver(struct vcpu *vcpu);

/*
 * Exits that depend on the architecture. 0 or -errno.
 * KVM_EXIT_HYPERCALL: returns the guest "not supported". KVM_EXIT_DEBUG: skips a software
 * breakpoint. KVM_EXIT_ARM_NISV: skips the instruction.
 */
int arch_hypercall(struct vcpu *vcpu);
int arch_debug_exit(struct vcpu *vcpu);
int arch_skip_insn(struct vcpu *vcpu);

/* Before memory is saved: writes state that KVM keeps in guest memory there. */
int arch_machine_flush(struct vm *vm);

/*
 * The VM's state other than its vCPUs': interrupt controller and clock, as records.
 * `put` false: only checks that `state` fits (-EINVAL).
 */
int arch_machine_save(struct vm *vm, FILE *out);
int arch_machine_restore(struct vm *vm, const uint8_t *state, size_t bytes, bool put);

/* The address of the doorbell: a port or a gpa. */
struct arch_doorbell {
	uint64_t address;
	bool is_pio;
};
extern const struct arch_doorbell arch_doorbell;

/*
 * The registers, which ARCH/regs.c moves for regs.c. Groups are bits 0 to
 * regs_groups - 1.
 */
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

/*
 * Whether two names are equal. Timed handlers look registers up: strcmp() takes another
 * path for texts near the end of a page, which a build moves.
 */
static inline bool regs_is_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Reads `place` alone; -EOPNOTSUPP: KVM's interface moves whole groups. */
int regs_arch_pull_one(struct vcpu *vcpu, const struct regs_place *place);

/*
 * For regs_prove(): fills the copy with a pattern; and whether a group, or a register
 * whose size KVM's interface knows, is still that pattern, with its name.
 */
#define REGS_POISON 0xa5
void regs_arch_poison(struct vcpu *vcpu);
bool regs_arch_unread(const struct vcpu *vcpu, char *name, size_t bytes);

static inline bool regs_is_poison(const void *at, size_t bytes)
{
	const uint8_t *byte = at;

	while (bytes && *byte == REGS_POISON) {
		byte++;
		bytes--;
	}
	return !bytes;
}

/* The VMM has changed the copy of `place`. */
void regs_arch_touch(struct vcpu *vcpu, const struct regs_place *place);

/* Prints the whole copy. */
void regs_arch_print(struct vcpu *vcpu, FILE *out);

/* As in regs.h, as records; no group is dirty. */
int regs_arch_save(struct vcpu *vcpu, FILE *out);

/* `put` false: only checks that `state` fits. */
int regs_arch_restore(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put);

#endif
