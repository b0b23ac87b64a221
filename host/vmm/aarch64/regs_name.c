/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: the registers' names, and how they are printed. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/aarch64/regs_copy.h"

#define CORE(field, size)                                                                \
	(KVM_REG_ARM64 | (size) | KVM_REG_ARM_CORE |                                     \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))
#define CORE_U64(field) CORE(field, KVM_REG_SIZE_U64)
#define CORE_U32(field) CORE(field, KVM_REG_SIZE_U32)

/* KVM's register ids count in words of 32 bits. */
#define X0	CORE_U64(regs.regs[0])
#define V0	CORE(fp_regs.vregs[0], KVM_REG_SIZE_U128)
#define X_WORDS 2u
#define V_WORDS 4u

static const struct {
	const char *name;
	uint64_t id;
} names[] = {
	{ "sp_el0", CORE_U64(regs.sp) },
	{ "pc", CORE_U64(regs.pc) },
	{ "pstate", CORE_U64(regs.pstate) },
	{ "sp_el1", CORE_U64(sp_el1) },
	{ "elr_el1", CORE_U64(elr_el1) },
	{ "spsr_el1", CORE_U64(spsr[KVM_SPSR_EL1]) },
	{ "spsr_abt", CORE_U64(spsr[KVM_SPSR_ABT]) },
	{ "spsr_und", CORE_U64(spsr[KVM_SPSR_UND]) },
	{ "spsr_irq", CORE_U64(spsr[KVM_SPSR_IRQ]) },
	{ "spsr_fiq", CORE_U64(spsr[KVM_SPSR_FIQ]) },
	{ "fpsr", CORE_U32(fp_regs.fpsr) },
	{ "fpcr", CORE_U32(fp_regs.fpcr) },
	/* KVM's ids of these two are swapped (asm/kvm.h). */
	{ "cntv_cval_el0", KVM_REG_ARM_TIMER_CVAL },
	{ "cntvct_el0", KVM_REG_ARM_TIMER_CNT },
	{ "cntv_ctl_el0", KVM_REG_ARM_TIMER_CTL },
	{ "cntp_cval_el0", KVM_REG_ARM_PTIMER_CVAL },
	{ "cntpct_el0", KVM_REG_ARM_PTIMER_CNT },
	{ "cntp_ctl_el0", KVM_REG_ARM_PTIMER_CTL },
	{ "mdscr_el1", ARM64_SYS_REG(2, 0, 0, 2, 2) },
	{ "oslsr_el1", ARM64_SYS_REG(2, 0, 1, 1, 4) },
	{ "midr_el1", ARM64_SYS_REG(3, 0, 0, 0, 0) },
	{ "mpidr_el1", ARM64_SYS_REG(3, 0, 0, 0, 5) },
	{ "revidr_el1", ARM64_SYS_REG(3, 0, 0, 0, 6) },
	{ "id_aa64pfr0_el1", ARM64_SYS_REG(3, 0, 0, 4, 0) },
	{ "id_aa64pfr1_el1", ARM64_SYS_REG(3, 0, 0, 4, 1) },
	{ "id_aa64dfr0_el1", ARM64_SYS_REG(3, 0, 0, 5, 0) },
	{ "id_aa64dfr1_el1", ARM64_SYS_REG(3, 0, 0, 5, 1) },
	{ "id_aa64isar0_el1", ARM64_SYS_REG(3, 0, 0, 6, 0) },
	{ "id_aa64isar1_el1", ARM64_SYS_REG(3, 0, 0, 6, 1) },
	{ "id_aa64mmfr0_el1", ARM64_SYS_REG(3, 0, 0, 7, 0) },
	{ "id_aa64mmfr1_el1", ARM64_SYS_REG(3, 0, 0, 7, 1) },
	{ "id_aa64mmfr2_el1", ARM64_SYS_REG(3, 0, 0, 7, 2) },
	{ "sctlr_el1", ARM64_SYS_REG(3, 0, 1, 0, 0) },
	{ "actlr_el1", ARM64_SYS_REG(3, 0, 1, 0, 1) },
	{ "cpacr_el1", ARM64_SYS_REG(3, 0, 1, 0, 2) },
	{ "ttbr0_el1", ARM64_SYS_REG(3, 0, 2, 0, 0) },
	{ "ttbr1_el1", ARM64_SYS_REG(3, 0, 2, 0, 1) },
	{ "tcr_el1", ARM64_SYS_REG(3, 0, 2, 0, 2) },
	{ "afsr0_el1", ARM64_SYS_REG(3, 0, 5, 1, 0) },
	{ "afsr1_el1", ARM64_SYS_REG(3, 0, 5, 1, 1) },
	{ "esr_el1", ARM64_SYS_REG(3, 0, 5, 2, 0) },
	{ "far_el1", ARM64_SYS_REG(3, 0, 6, 0, 0) },
	{ "par_el1", ARM64_SYS_REG(3, 0, 7, 4, 0) },
	{ "pmintenset_el1", ARM64_SYS_REG(3, 0, 9, 14, 1) },
	{ "mair_el1", ARM64_SYS_REG(3, 0, 10, 2, 0) },
	{ "amair_el1", ARM64_SYS_REG(3, 0, 10, 3, 0) },
	{ "vbar_el1", ARM64_SYS_REG(3, 0, 12, 0, 0) },
	{ "disr_el1", ARM64_SYS_REG(3, 0, 12, 1, 1) },
	{ "contextidr_el1", ARM64_SYS_REG(3, 0, 13, 0, 1) },
	{ "tpidr_el1", ARM64_SYS_REG(3, 0, 13, 0, 4) },
	{ "cntkctl_el1", ARM64_SYS_REG(3, 0, 14, 1, 0) },
	{ "csselr_el1", ARM64_SYS_REG(3, 2, 0, 0, 0) },
	{ "pmcr_el0", ARM64_SYS_REG(3, 3, 9, 12, 0) },
	{ "pmcntenset_el0", ARM64_SYS_REG(3, 3, 9, 12, 1) },
	{ "pmovsset_el0", ARM64_SYS_REG(3, 3, 9, 14, 3) },
	{ "pmselr_el0", ARM64_SYS_REG(3, 3, 9, 12, 5) },
	{ "pmccntr_el0", ARM64_SYS_REG(3, 3, 9, 13, 0) },
	{ "pmuserenr_el0", ARM64_SYS_REG(3, 3, 9, 14, 0) },
	{ "pmccfiltr_el0", ARM64_SYS_REG(3, 3, 14, 15, 7) },
	{ "tpidr_el0", ARM64_SYS_REG(3, 3, 13, 0, 2) },
	{ "tpidrro_el0", ARM64_SYS_REG(3, 3, 13, 0, 3) },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static unsigned int field(uint64_t id, uint64_t mask, unsigned int shift)
{
	return (unsigned int)((id & mask) >> shift);
}

#define FIELD(id, name)                                                                  \
	field(id, KVM_REG_ARM64_SYSREG_##name##_MASK, KVM_REG_ARM64_SYSREG_##name##_SHIFT)

void regs_name(uint64_t id, char *name, size_t bytes)
{
	uint64_t coprocessor = id & KVM_REG_ARM_COPROC_MASK;
	size_t i;

	for (i = 0; i < NAMES; i++) {
		if (names[i].id != id)
			continue;
		snprintf(name, bytes, "%s", names[i].name);
		return;
	}
	if (id >= X0 && id <= X0 + 30 * X_WORDS)
		snprintf(name, bytes, "x%u", (unsigned int)(id - X0) / X_WORDS);
	else if (id >= V0 && id <= V0 + 31 * V_WORDS)
		snprintf(name, bytes, "v%u", (unsigned int)(id - V0) / V_WORDS);
	else if (coprocessor == KVM_REG_ARM64_SYSREG)
		snprintf(name, bytes, "s%u_%u_c%u_c%u_%u", FIELD(id, OP0), FIELD(id, OP1),
			 FIELD(id, CRN), FIELD(id, CRM), FIELD(id, OP2));
	else if (coprocessor == KVM_REG_ARM_DEMUX)
		snprintf(name, bytes, "ccsidr_%u",
			 (unsigned int)(id & KVM_REG_ARM_DEMUX_VAL_MASK));
	else if (coprocessor == KVM_REG_ARM_FW)
		snprintf(name, bytes, "firmware_%u", (unsigned int)(id & 0xffff));
	else
		snprintf(name, bytes, "reg_0x%llx", (unsigned long long)id);
}

static uint64_t numbered(const char *name, char prefix, unsigned long last,
			 uint64_t first, unsigned int words)
{
	unsigned long number;
	char *end;

	if (name[0] != prefix || name[1] < '0' || name[1] > '9')
		return 0;
	number = strtoul(name + 1, &end, 10);
	return *end || number > last ? 0 : first + number * words;
}

uint64_t regs_id(const char *name)
{
	unsigned int op0, op1, crn, crm, op2;
	uint64_t id;
	char rest;
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (regs_is_name(names[i].name, name))
			return names[i].id;
	if (sscanf(name, "s%u_%u_c%u_c%u_%u%c", &op0, &op1, &crn, &crm, &op2, &rest) == 5)
		return ARM64_SYS_REG(op0, op1, crn, crm, op2);
	id = numbered(name, 'x', 30, X0, X_WORDS);
	return id ? id : numbered(name, 'v', 31, V0, V_WORDS);
}

static void print_value(FILE *out, const uint8_t *at, unsigned int bytes)
{
	bool digits = false;

	fputs("0x", out);
	while (bytes--) {
		if (!at[bytes] && !digits && bytes)
			continue;
		fprintf(out, digits ? "%02x" : "%x", at[bytes]);
		digits = true;
	}
	fputc('\n', out);
}

void regs_arch_print(struct vcpu *vcpu, FILE *out)
{
	const struct regs_copy *copy = vcpu->regs.copy;
	char name[64];
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++) {
		regs_name(copy->regs[i].id, name, sizeof(name));
		fprintf(out, "%-22s ", name);
		print_value(out, copy->regs[i].at, regs_reg_bytes(copy->regs[i].id));
	}
	fprintf(out, "%-22s %u\n", "mp_state", copy->mp.mp_state);
	if (copy->has_events)
		fprintf(out, "%-22s %u 0x%llx\n", "serror.pending",
			copy->events.exception.serror_pending,
			(unsigned long long)copy->events.exception.serror_esr);
}
