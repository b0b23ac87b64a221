/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 (Arm ARM, C4.1): all instructions have 32 bits. */
#include <stdio.h>
#include <string.h>

#include "host/explain/decode.h"

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
