/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 (Arm ARM, C4.1): all instructions have 32 bits. The names of system registers are
 * in D17 and K13.
 */
#include <stdio.h>
#include <string.h>

#include "host/explain/trace.h"

/* `bits` of `word` from bit `from` on, as a signed number. */
static int64_t field(uint32_t word, unsigned int from, unsigned int bits)
{
	uint64_t value = word >> from & ((1ull << bits) - 1);

	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

struct pattern {
	uint32_t mask, match;
	enum decode_flow flow;
	/* The field that holds a direct target, in instructions from this one. */
	unsigned int from, bits;
};

static const struct pattern flows[] = {
	{ 0xfc000000, 0x94000000, FLOW_CALL, 0, 26 },	/* BL */
	{ 0xfc000000, 0x14000000, FLOW_JUMP, 0, 26 },	/* B */
	{ 0xff000000, 0x54000000, FLOW_BRANCH, 5, 19 }, /* B.cond */
	{ 0x7e000000, 0x34000000, FLOW_BRANCH, 5, 19 }, /* CBZ, CBNZ */
	{ 0x7e000000, 0x36000000, FLOW_BRANCH, 5, 14 }, /* TBZ, TBNZ */
	{ 0xfee00000, 0xd6200000, FLOW_CALL, 0, 0 },	/* BLR, BLRAA, BLRAB */
	{ 0xffe00000, 0xd6400000, FLOW_RETURN, 0, 0 },	/* RET, RETAA, RETAB */
	{ 0xffe00000, 0xd6800000, FLOW_ERET, 0, 0 },	/* ERET, ERETAA, ERETAB */
	{ 0xfe000000, 0xd6000000, FLOW_JUMP, 0, 0 },	/* BR and the others */
	{ 0xff000000, 0xd4000000, FLOW_TRAP, 0, 0 },	/* SVC, HVC, SMC, BRK */
};

struct system {
	uint32_t mask, match;
	enum decode_kind kind;
	const char *named;
};

/* The first matching row. */
static const struct system systems[] = {
	{ 0xfffff0ff, 0xd503309f, KIND_BARRIER, "dsb" },
	{ 0xfffff3ff, 0xd503323f, KIND_BARRIER, "dsb" }, /* nXS */
	{ 0xfffff0ff, 0xd50330bf, KIND_BARRIER, "dmb" },
	{ 0xfffff0ff, 0xd50330df, KIND_BARRIER, "isb" },
	{ 0xfffff0ff, 0xd50330ff, KIND_BARRIER, "sb" },
	{ 0xffffffff, 0xd503221f, KIND_BARRIER, "esb" },
	{ 0xffffffff, 0xd503223f, KIND_BARRIER, "psb" },
	{ 0xffffffff, 0xd503225f, KIND_BARRIER, "tsb" },
	{ 0xffffffff, 0xd503229f, KIND_BARRIER, "csdb" },
	{ 0xfff8f000, 0xd5088000, KIND_TLB, "tlbi" },
	{ 0xfff8ff00, 0xd5087800, KIND_VM, "at" },
	{ 0xfff8ff00, 0xd5087900, KIND_VM, "at" },
	{ 0xfff8ff00, 0xd5087100, KIND_CACHE, "ic" },
	{ 0xfff8ff00, 0xd5087500, KIND_CACHE, "ic" },
	{ 0xfff8f000, 0xd5087000, KIND_CACHE, "dc" },
	{ 0xfff8f01f, 0xd500401f, KIND_SYSREG_WRITE, NULL }, /* MSR, immediate */
	{ 0xfff00000, 0xd5100000, KIND_SYSREG_WRITE, NULL },
	{ 0xfff00000, 0xd5300000, KIND_SYSREG_READ, NULL },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* op0, op1, CRn, CRm and op2, as encoded, from bit 5 on. */
#define REGISTER(word)	((word) >> 5 & 0xffffu)
#define IS_IMMEDIATE(w) (((w)&0xfff8f01fu) == 0xd500401fu)

static void decode_system(uint32_t word, struct decode *d)
{
	size_t i;

	d->system = true;
	for (i = 0; i < COUNT(systems); i++) {
		if ((word & systems[i].mask) != systems[i].match)
			continue;
		d->kind = systems[i].kind;
		d->named = systems[i].named;
		d->reg = REGISTER(word);
		/* The immediate in CRm is not part of the register's name. */
		if (IS_IMMEDIATE(word))
			d->reg &= ~0x78u;
		return;
	}
}

void decode_aarch64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d)
{
	uint32_t word;
	size_t i;

	memset(d, 0, sizeof(*d));
	if (bytes != sizeof(word))
		return;
	word = insn[0] | (uint32_t)insn[1] << 8 | (uint32_t)insn[2] << 16 |
	       (uint32_t)insn[3] << 24;
	for (i = 0; i < COUNT(flows); i++) {
		if ((word & flows[i].mask) != flows[i].match)
			continue;
		d->flow = flows[i].flow;
		if (flows[i].bits)
			d->target =
				vaddr +
				(uint64_t)(field(word, flows[i].from, flows[i].bits) * 4);
		return;
	}
	if ((word & 0xff000000) == 0xd5000000)
		decode_system(word, d);
	/* C4.1: op0 is x1x0 for loads and stores; DC ZVA stores, too. */
	d->memory = (word >> 25 & 5) == 4 || (word & 0xffffffe0) == 0xd50b7420;
}

/* The encoding in MRS and MSR, from bit 5 on. */
#define REG(op0, op1, crn, crm, op2)                                                     \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

struct sysreg {
	uint32_t reg;
	const char *name;
};

/* In the order of their encodings. Registers with op0 0 are written by immediates. */
static const struct sysreg sysregs[] = {
	{ REG(0, 0, 4, 0, 3), "uao" },
	{ REG(0, 0, 4, 0, 4), "pan" },
	{ REG(0, 0, 4, 0, 5), "spsel" },
	{ REG(0, 3, 4, 0, 1), "ssbs" },
	{ REG(0, 3, 4, 0, 2), "dit" },
	{ REG(0, 3, 4, 0, 4), "tco" },
	{ REG(0, 3, 4, 0, 6), "daifset" },
	{ REG(0, 3, 4, 0, 7), "daifclr" },
	{ REG(2, 0, 0, 2, 2), "mdscr_el1" },
	{ REG(2, 0, 1, 0, 4), "oslar_el1" },
	{ REG(2, 0, 1, 1, 4), "oslsr_el1" },
	{ REG(2, 0, 1, 3, 4), "osdlr_el1" },
	{ REG(2, 3, 0, 1, 0), "mdccsr_el0" },
	{ REG(3, 0, 0, 0, 0), "midr_el1" },
	{ REG(3, 0, 0, 0, 5), "mpidr_el1" },
	{ REG(3, 0, 0, 0, 6), "revidr_el1" },
	{ REG(3, 0, 0, 4, 0), "id_aa64pfr0_el1" },
	{ REG(3, 0, 0, 4, 1), "id_aa64pfr1_el1" },
	{ REG(3, 0, 0, 4, 4), "id_aa64zfr0_el1" },
	{ REG(3, 0, 0, 5, 0), "id_aa64dfr0_el1" },
	{ REG(3, 0, 0, 6, 0), "id_aa64isar0_el1" },
	{ REG(3, 0, 0, 6, 1), "id_aa64isar1_el1" },
	{ REG(3, 0, 0, 6, 2), "id_aa64isar2_el1" },
	{ REG(3, 0, 0, 7, 0), "id_aa64mmfr0_el1" },
	{ REG(3, 0, 0, 7, 1), "id_aa64mmfr1_el1" },
	{ REG(3, 0, 0, 7, 2), "id_aa64mmfr2_el1" },
	{ REG(3, 0, 1, 0, 0), "sctlr_el1" },
	{ REG(3, 0, 1, 0, 1), "actlr_el1" },
	{ REG(3, 0, 1, 0, 2), "cpacr_el1" },
	{ REG(3, 0, 1, 0, 3), "sctlr2_el1" },
	{ REG(3, 0, 1, 0, 5), "rgsr_el1" },
	{ REG(3, 0, 1, 0, 6), "gcr_el1" },
	{ REG(3, 0, 1, 2, 0), "zcr_el1" },
	{ REG(3, 0, 1, 2, 1), "trfcr_el1" },
	{ REG(3, 0, 1, 2, 6), "smcr_el1" },
	{ REG(3, 0, 2, 0, 0), "ttbr0_el1" },
	{ REG(3, 0, 2, 0, 1), "ttbr1_el1" },
	{ REG(3, 0, 2, 0, 2), "tcr_el1" },
	{ REG(3, 0, 2, 0, 3), "tcr2_el1" },
	{ REG(3, 0, 2, 1, 0), "apiakeylo_el1" },
	{ REG(3, 0, 2, 1, 1), "apiakeyhi_el1" },
	{ REG(3, 0, 2, 1, 2), "apibkeylo_el1" },
	{ REG(3, 0, 2, 1, 3), "apibkeyhi_el1" },
	{ REG(3, 0, 2, 2, 0), "apdakeylo_el1" },
	{ REG(3, 0, 2, 2, 1), "apdakeyhi_el1" },
	{ REG(3, 0, 2, 2, 2), "apdbkeylo_el1" },
	{ REG(3, 0, 2, 2, 3), "apdbkeyhi_el1" },
	{ REG(3, 0, 2, 3, 0), "apgakeylo_el1" },
	{ REG(3, 0, 2, 3, 1), "apgakeyhi_el1" },
	{ REG(3, 0, 4, 0, 0), "spsr_el1" },
	{ REG(3, 0, 4, 0, 1), "elr_el1" },
	{ REG(3, 0, 4, 1, 0), "sp_el0" },
	{ REG(3, 0, 4, 2, 0), "spsel" },
	{ REG(3, 0, 4, 2, 2), "currentel" },
	{ REG(3, 0, 4, 2, 3), "pan" },
	{ REG(3, 0, 4, 2, 4), "uao" },
	{ REG(3, 0, 4, 6, 0), "icc_pmr_el1" },
	{ REG(3, 0, 5, 1, 0), "afsr0_el1" },
	{ REG(3, 0, 5, 1, 1), "afsr1_el1" },
	{ REG(3, 0, 5, 2, 0), "esr_el1" },
	{ REG(3, 0, 5, 3, 1), "erxstatus_el1" },
	{ REG(3, 0, 5, 6, 0), "tfsr_el1" },
	{ REG(3, 0, 5, 6, 1), "tfsre0_el1" },
	{ REG(3, 0, 6, 0, 0), "far_el1" },
	{ REG(3, 0, 7, 4, 0), "par_el1" },
	{ REG(3, 0, 9, 9, 0), "pmscr_el1" },
	{ REG(3, 0, 9, 10, 0), "pmblimitr_el1" },
	{ REG(3, 0, 9, 11, 0), "trblimitr_el1" },
	{ REG(3, 0, 9, 14, 1), "pmintenset_el1" },
	{ REG(3, 0, 9, 14, 2), "pmintenclr_el1" },
	{ REG(3, 0, 10, 2, 0), "mair_el1" },
	{ REG(3, 0, 10, 2, 2), "pire0_el1" },
	{ REG(3, 0, 10, 2, 3), "pir_el1" },
	{ REG(3, 0, 10, 3, 0), "amair_el1" },
	{ REG(3, 0, 12, 0, 0), "vbar_el1" },
	{ REG(3, 0, 12, 1, 0), "isr_el1" },
	{ REG(3, 0, 12, 1, 1), "disr_el1" },
	{ REG(3, 0, 12, 8, 0), "icc_iar0_el1" },
	{ REG(3, 0, 12, 8, 1), "icc_eoir0_el1" },
	{ REG(3, 0, 12, 11, 1), "icc_dir_el1" },
	{ REG(3, 0, 12, 11, 3), "icc_rpr_el1" },
	{ REG(3, 0, 12, 11, 5), "icc_sgi1r_el1" },
	{ REG(3, 0, 12, 12, 0), "icc_iar1_el1" },
	{ REG(3, 0, 12, 12, 1), "icc_eoir1_el1" },
	{ REG(3, 0, 12, 12, 2), "icc_hppir1_el1" },
	{ REG(3, 0, 12, 12, 3), "icc_bpr1_el1" },
	{ REG(3, 0, 12, 12, 4), "icc_ctlr_el1" },
	{ REG(3, 0, 12, 12, 5), "icc_sre_el1" },
	{ REG(3, 0, 12, 12, 6), "icc_igrpen0_el1" },
	{ REG(3, 0, 12, 12, 7), "icc_igrpen1_el1" },
	{ REG(3, 0, 13, 0, 1), "contextidr_el1" },
	{ REG(3, 0, 13, 0, 4), "tpidr_el1" },
	{ REG(3, 0, 14, 1, 0), "cntkctl_el1" },
	{ REG(3, 1, 0, 0, 0), "ccsidr_el1" },
	{ REG(3, 1, 0, 0, 1), "clidr_el1" },
	{ REG(3, 2, 0, 0, 0), "csselr_el1" },
	{ REG(3, 3, 0, 0, 1), "ctr_el0" },
	{ REG(3, 3, 0, 0, 7), "dczid_el0" },
	{ REG(3, 3, 4, 2, 0), "nzcv" },
	{ REG(3, 3, 4, 2, 1), "daif" },
	{ REG(3, 3, 4, 2, 5), "dit" },
	{ REG(3, 3, 4, 2, 6), "ssbs" },
	{ REG(3, 3, 4, 2, 7), "tco" },
	{ REG(3, 3, 4, 4, 0), "fpcr" },
	{ REG(3, 3, 4, 4, 1), "fpsr" },
	{ REG(3, 3, 9, 12, 0), "pmcr_el0" },
	{ REG(3, 3, 9, 12, 1), "pmcntenset_el0" },
	{ REG(3, 3, 9, 12, 2), "pmcntenclr_el0" },
	{ REG(3, 3, 9, 12, 3), "pmovsclr_el0" },
	{ REG(3, 3, 9, 12, 5), "pmselr_el0" },
	{ REG(3, 3, 9, 13, 0), "pmccntr_el0" },
	{ REG(3, 3, 9, 13, 1), "pmxevtyper_el0" },
	{ REG(3, 3, 9, 13, 2), "pmxevcntr_el0" },
	{ REG(3, 3, 9, 14, 0), "pmuserenr_el0" },
	{ REG(3, 3, 9, 14, 3), "pmovsset_el0" },
	{ REG(3, 3, 13, 0, 2), "tpidr_el0" },
	{ REG(3, 3, 13, 0, 3), "tpidrro_el0" },
	{ REG(3, 3, 13, 0, 5), "tpidr2_el0" },
	{ REG(3, 3, 13, 0, 7), "scxtnum_el0" },
	{ REG(3, 3, 14, 0, 0), "cntfrq_el0" },
	{ REG(3, 3, 14, 0, 1), "cntpct_el0" },
	{ REG(3, 3, 14, 0, 2), "cntvct_el0" },
	{ REG(3, 3, 14, 0, 5), "cntpctss_el0" },
	{ REG(3, 3, 14, 0, 6), "cntvctss_el0" },
	{ REG(3, 3, 14, 2, 0), "cntp_tval_el0" },
	{ REG(3, 3, 14, 2, 1), "cntp_ctl_el0" },
	{ REG(3, 3, 14, 2, 2), "cntp_cval_el0" },
	{ REG(3, 3, 14, 3, 0), "cntv_tval_el0" },
	{ REG(3, 3, 14, 3, 1), "cntv_ctl_el0" },
	{ REG(3, 3, 14, 3, 2), "cntv_cval_el0" },
	{ REG(3, 3, 14, 15, 7), "pmccfiltr_el0" },
	{ REG(3, 4, 0, 0, 0), "vpidr_el2" },
	{ REG(3, 4, 0, 0, 5), "vmpidr_el2" },
	{ REG(3, 4, 1, 0, 0), "sctlr_el2" },
	{ REG(3, 4, 1, 0, 1), "actlr_el2" },
	{ REG(3, 4, 1, 1, 0), "hcr_el2" },
	{ REG(3, 4, 1, 1, 1), "mdcr_el2" },
	{ REG(3, 4, 1, 1, 2), "cptr_el2" },
	{ REG(3, 4, 1, 1, 3), "hstr_el2" },
	{ REG(3, 4, 1, 1, 4), "hfgrtr_el2" },
	{ REG(3, 4, 1, 1, 5), "hfgwtr_el2" },
	{ REG(3, 4, 1, 1, 6), "hfgitr_el2" },
	{ REG(3, 4, 1, 1, 7), "hacr_el2" },
	{ REG(3, 4, 1, 2, 0), "zcr_el2" },
	{ REG(3, 4, 1, 2, 1), "trfcr_el2" },
	{ REG(3, 4, 1, 2, 2), "hcrx_el2" },
	{ REG(3, 4, 1, 2, 6), "smcr_el2" },
	{ REG(3, 4, 2, 0, 0), "ttbr0_el2" },
	{ REG(3, 4, 2, 0, 1), "ttbr1_el2" },
	{ REG(3, 4, 2, 0, 2), "tcr_el2" },
	{ REG(3, 4, 2, 1, 0), "vttbr_el2" },
	{ REG(3, 4, 2, 1, 2), "vtcr_el2" },
	{ REG(3, 4, 3, 1, 4), "hdfgrtr_el2" },
	{ REG(3, 4, 3, 1, 5), "hdfgwtr_el2" },
	{ REG(3, 4, 3, 1, 6), "hafgrtr_el2" },
	{ REG(3, 4, 4, 0, 0), "spsr_el2" },
	{ REG(3, 4, 4, 0, 1), "elr_el2" },
	{ REG(3, 4, 4, 1, 0), "sp_el1" },
	{ REG(3, 4, 5, 1, 0), "afsr0_el2" },
	{ REG(3, 4, 5, 1, 1), "afsr1_el2" },
	{ REG(3, 4, 5, 2, 0), "esr_el2" },
	{ REG(3, 4, 5, 2, 3), "vsesr_el2" },
	{ REG(3, 4, 6, 0, 0), "far_el2" },
	{ REG(3, 4, 6, 0, 4), "hpfar_el2" },
	{ REG(3, 4, 10, 2, 0), "mair_el2" },
	{ REG(3, 4, 10, 3, 0), "amair_el2" },
	{ REG(3, 4, 12, 0, 0), "vbar_el2" },
	{ REG(3, 4, 12, 1, 1), "vdisr_el2" },
	{ REG(3, 4, 12, 8, 0), "ich_ap0r0_el2" },
	{ REG(3, 4, 12, 8, 1), "ich_ap0r1_el2" },
	{ REG(3, 4, 12, 8, 2), "ich_ap0r2_el2" },
	{ REG(3, 4, 12, 8, 3), "ich_ap0r3_el2" },
	{ REG(3, 4, 12, 9, 0), "ich_ap1r0_el2" },
	{ REG(3, 4, 12, 9, 1), "ich_ap1r1_el2" },
	{ REG(3, 4, 12, 9, 2), "ich_ap1r2_el2" },
	{ REG(3, 4, 12, 9, 3), "ich_ap1r3_el2" },
	{ REG(3, 4, 12, 9, 5), "icc_sre_el2" },
	{ REG(3, 4, 12, 11, 0), "ich_hcr_el2" },
	{ REG(3, 4, 12, 11, 1), "ich_vtr_el2" },
	{ REG(3, 4, 12, 11, 2), "ich_misr_el2" },
	{ REG(3, 4, 12, 11, 3), "ich_eisr_el2" },
	{ REG(3, 4, 12, 11, 5), "ich_elrsr_el2" },
	{ REG(3, 4, 12, 11, 7), "ich_vmcr_el2" },
	{ REG(3, 4, 12, 12, 0), "ich_lr0_el2" },
	{ REG(3, 4, 12, 12, 1), "ich_lr1_el2" },
	{ REG(3, 4, 12, 12, 2), "ich_lr2_el2" },
	{ REG(3, 4, 12, 12, 3), "ich_lr3_el2" },
	{ REG(3, 4, 12, 12, 4), "ich_lr4_el2" },
	{ REG(3, 4, 12, 12, 5), "ich_lr5_el2" },
	{ REG(3, 4, 12, 12, 6), "ich_lr6_el2" },
	{ REG(3, 4, 12, 12, 7), "ich_lr7_el2" },
	{ REG(3, 4, 12, 13, 0), "ich_lr8_el2" },
	{ REG(3, 4, 12, 13, 1), "ich_lr9_el2" },
	{ REG(3, 4, 12, 13, 2), "ich_lr10_el2" },
	{ REG(3, 4, 12, 13, 3), "ich_lr11_el2" },
	{ REG(3, 4, 12, 13, 4), "ich_lr12_el2" },
	{ REG(3, 4, 12, 13, 5), "ich_lr13_el2" },
	{ REG(3, 4, 12, 13, 6), "ich_lr14_el2" },
	{ REG(3, 4, 12, 13, 7), "ich_lr15_el2" },
	{ REG(3, 4, 13, 0, 1), "contextidr_el2" },
	{ REG(3, 4, 13, 0, 2), "tpidr_el2" },
	{ REG(3, 4, 14, 0, 3), "cntvoff_el2" },
	{ REG(3, 4, 14, 0, 6), "cntpoff_el2" },
	{ REG(3, 4, 14, 1, 0), "cnthctl_el2" },
	{ REG(3, 4, 14, 2, 0), "cnthp_tval_el2" },
	{ REG(3, 4, 14, 2, 1), "cnthp_ctl_el2" },
	{ REG(3, 4, 14, 2, 2), "cnthp_cval_el2" },
	{ REG(3, 4, 14, 3, 1), "cnthv_ctl_el2" },
	{ REG(3, 4, 14, 3, 2), "cnthv_cval_el2" },
	{ REG(3, 5, 1, 0, 0), "sctlr_el12" },
	{ REG(3, 5, 1, 0, 2), "cpacr_el12" },
	{ REG(3, 5, 1, 2, 0), "zcr_el12" },
	{ REG(3, 5, 2, 0, 0), "ttbr0_el12" },
	{ REG(3, 5, 2, 0, 1), "ttbr1_el12" },
	{ REG(3, 5, 2, 0, 2), "tcr_el12" },
	{ REG(3, 5, 2, 0, 3), "tcr2_el12" },
	{ REG(3, 5, 4, 0, 0), "spsr_el12" },
	{ REG(3, 5, 4, 0, 1), "elr_el12" },
	{ REG(3, 5, 5, 1, 0), "afsr0_el12" },
	{ REG(3, 5, 5, 1, 1), "afsr1_el12" },
	{ REG(3, 5, 5, 2, 0), "esr_el12" },
	{ REG(3, 5, 5, 6, 0), "tfsr_el12" },
	{ REG(3, 5, 6, 0, 0), "far_el12" },
	{ REG(3, 5, 10, 2, 0), "mair_el12" },
	{ REG(3, 5, 10, 2, 2), "pire0_el12" },
	{ REG(3, 5, 10, 2, 3), "pir_el12" },
	{ REG(3, 5, 10, 3, 0), "amair_el12" },
	{ REG(3, 5, 12, 0, 0), "vbar_el12" },
	{ REG(3, 5, 13, 0, 1), "contextidr_el12" },
	{ REG(3, 5, 14, 1, 0), "cntkctl_el12" },
	{ REG(3, 5, 14, 2, 0), "cntp_tval_el02" },
	{ REG(3, 5, 14, 2, 1), "cntp_ctl_el02" },
	{ REG(3, 5, 14, 2, 2), "cntp_cval_el02" },
	{ REG(3, 5, 14, 3, 0), "cntv_tval_el02" },
	{ REG(3, 5, 14, 3, 1), "cntv_ctl_el02" },
	{ REG(3, 5, 14, 3, 2), "cntv_cval_el02" },
};

const char *decode_register_aarch64(uint32_t reg, char text[DECODE_REGISTER_BYTES])
{
	size_t i;

	for (i = 0; i < sizeof(sysregs) / sizeof(sysregs[0]); i++)
		if (sysregs[i].reg == reg)
			return sysregs[i].name;
	/* Breakpoints and watchpoints, counters and their types: sixteen or more each. */
	if ((reg & ~0x78u) == REG(2, 0, 0, 0, 4))
		snprintf(text, DECODE_REGISTER_BYTES, "dbgbvr%u_el1", reg >> 3 & 15);
	else if ((reg & ~0x78u) == REG(2, 0, 0, 0, 5))
		snprintf(text, DECODE_REGISTER_BYTES, "dbgbcr%u_el1", reg >> 3 & 15);
	else if ((reg & ~0x78u) == REG(2, 0, 0, 0, 6))
		snprintf(text, DECODE_REGISTER_BYTES, "dbgwvr%u_el1", reg >> 3 & 15);
	else if ((reg & ~0x78u) == REG(2, 0, 0, 0, 7))
		snprintf(text, DECODE_REGISTER_BYTES, "dbgwcr%u_el1", reg >> 3 & 15);
	else if ((reg & ~0x1fu) == REG(3, 3, 14, 8, 0))
		snprintf(text, DECODE_REGISTER_BYTES, "pmevcntr%u_el0", reg & 31);
	else if ((reg & ~0x1fu) == REG(3, 3, 14, 12, 0))
		snprintf(text, DECODE_REGISTER_BYTES, "pmevtyper%u_el0", reg & 31);
	else
		snprintf(text, DECODE_REGISTER_BYTES, "s%u_%u_c%u_c%u_%u", reg >> 14 & 3,
			 reg >> 11 & 7, reg >> 7 & 15, reg >> 3 & 15, reg & 7);
	return text;
}
