/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each of x86_64/ and aarch64/ defines for the rest of the VMM. */
#ifndef WS_VMM_ARCH_H
#define WS_VMM_ARCH_H

#include <stdio.h>

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
void arch_vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes);
enum kvm_flavour arch_flavour(int kvm_fd);

/* In a loop that waits for another thread: YIELD, PAUSE. */
void arch_relax(void);

/*
 * The same line, as KVM_IRQ_LINE and KVM_IRQFD number it. 0, or -errno with vm->error
 * where the VM has no such line.
 */
int arch_irq_line(struct vm *vm, uint32_t line, uint32_t *irq);
int arch_irq_gsi(struct vm *vm, uint32_t line, uint32_t *gsi);
uint32_t arch_msi_flags(const struct vm *vm);

/* After each exit: what irq_inject() queued goes in, or its window is asked for. */
int arch_irq_deliver(struct vcpu *vcpu);

/*
 * Exits that the architecture knows more about. 0 or -errno with vm->error.
 * KVM_EXIT_HYPERCALL: answered as a call that nobody knows. KVM_EXIT_DEBUG: a
 * software breakpoint is stepped over, all else just goes on.
 */
int arch_hypercall(struct vcpu *vcpu);
int arch_debug_exit(struct vcpu *vcpu);

/* KVM_EXIT_ARM_NISV: goes on behind the instruction, as if it had no effect. */
int arch_skip_insn(struct vcpu *vcpu);

/* What KVM keeps in guest memory of the state below goes there: before it is saved. */
int arch_machine_flush(struct vm *vm);

/*
 * The VM's state that is no vCPU's: interrupt controller, clock; as records of
 * regs_arch.h. `put` false: -EINVAL for bytes that do not fit, and nothing changes.
 */
int arch_machine_save(struct vm *vm, FILE *out);
int arch_machine_restore(struct vm *vm, const uint8_t *state, size_t bytes, bool put);

/* Where the payload's doorbell is: a port or a gpa. */
struct arch_doorbell {
	uint64_t address;
	bool is_pio;
};
extern const struct arch_doorbell arch_doorbell;

#endif
