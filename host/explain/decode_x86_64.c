/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64 (Intel SDM 2, appendix A; AMD APM 3, appendix A). The length is known: only
 * prefixes, opcode and ModRM are decoded.
 */
#include <string.h>

#include "host/explain/trace.h"

enum map {
	MAP_ONE,  /* one byte */
	MAP_0F,	  /* 0f and one byte */
	MAP_0F01, /* 0f 01 and a ModRM byte that is part of the opcode */
	MAP_0F38,
	MAP_MAPS,
};

/* Matches of the ModRM byte: any, or its middle field. */
#define ANY	   (-1)
#define MEMORY(op) (0x10 | (op)) /* and it names memory */
#define NAMES(op)  (0x20 | (op)) /* and it names registers */

/* The numbers that decode_register() knows. */
enum {
	REG_DR0 = 16,
	REG_MSR = 24,
	REG_XCR,
	REG_TSC,
	REG_PMC,
	REG_GDTR,
	REG_IDTR,
	REG_LDTR,
	REG_TR,
	REG_VMCS, /* all fields: which one is in a register of the CPU */
};

struct row {
	enum map map;
	uint8_t opcode, last; /* a range of them */
	int modrm;	      /* ANY, or the value of its middle field */
	uint8_t prefix;	      /* mandatory; 0: any */
	enum decode_flow flow;
	enum decode_kind kind;
	uint32_t reg;
	const char *named;
};

#define FLOW(map_, opcode_, last_, modrm_, flow_)                                        \
	{                                                                                \
		.map = (map_), .opcode = (opcode_), .last = (last_), .modrm = (modrm_),  \
		.flow = (flow_)                                                          \
	}
#define KIND(map_, opcode_, modrm_, kind_, named_)                                       \
	{                                                                                \
		.map = (map_), .opcode = (opcode_), .last = (opcode_),                   \
		.modrm = (modrm_), .kind = (kind_), .named = (named_)                    \
	}
#define SYSREG(map_, opcode_, modrm_, kind_, reg_)                                       \
	{                                                                                \
		.map = (map_), .opcode = (opcode_), .last = (opcode_),                   \
		.modrm = (modrm_), .kind = (kind_), .reg = (reg_)                        \
	}

#define ENTER(opcode_, named_)                                                           \
	{                                                                                \
		.map = MAP_0F01, .opcode = (opcode_), .last = (opcode_), .modrm = ANY,   \
		.flow = FLOW_ENTER_GUEST, .kind = KIND_VM, .named = (named_)             \
	}
#define NAMED(map_, opcode_, last_, named_)                                              \
	{                                                                                \
		.map = (map_), .opcode = (opcode_), .last = (last_), .modrm = ANY,       \
		.named = (named_)                                                        \
	}
#define PREFIXED(prefix_, map_, opcode_, modrm_, kind_, named_)                          \
	{                                                                                \
		.prefix = (prefix_), .map = (map_), .opcode = (opcode_),                 \
		.last = (opcode_), .modrm = (modrm_), .kind = (kind_), .named = (named_) \
	}

static const struct row rows[] = {
	FLOW(MAP_ONE, 0x70, 0x7f, ANY, FLOW_BRANCH),
	FLOW(MAP_ONE, 0xe0, 0xe3, ANY, FLOW_BRANCH), /* LOOP, JRCXZ */
	FLOW(MAP_0F, 0x80, 0x8f, ANY, FLOW_BRANCH),
	FLOW(MAP_ONE, 0xe8, 0xe8, ANY, FLOW_CALL),
	FLOW(MAP_ONE, 0xe9, 0xe9, ANY, FLOW_JUMP),
	FLOW(MAP_ONE, 0xeb, 0xeb, ANY, FLOW_JUMP),
	FLOW(MAP_ONE, 0xff, 0xff, 2, FLOW_CALL),
	FLOW(MAP_ONE, 0xff, 0xff, 3, FLOW_CALL),
	FLOW(MAP_ONE, 0xff, 0xff, 4, FLOW_JUMP),
	FLOW(MAP_ONE, 0xff, 0xff, 5, FLOW_JUMP),
	FLOW(MAP_ONE, 0xc2, 0xc3, ANY, FLOW_RETURN),
	FLOW(MAP_ONE, 0xca, 0xcb, ANY, FLOW_RETURN),
	FLOW(MAP_ONE, 0xcf, 0xcf, ANY, FLOW_ERET), /* IRET */
	FLOW(MAP_0F, 0x07, 0x07, ANY, FLOW_ERET),  /* SYSRET */
	FLOW(MAP_0F, 0x05, 0x05, ANY, FLOW_TRAP),  /* SYSCALL */
	FLOW(MAP_ONE, 0xcc, 0xcd, ANY, FLOW_TRAP), /* INT3, INT */
	FLOW(MAP_0F, 0x0b, 0x0b, ANY, FLOW_TRAP),  /* UD2 */
	ENTER(0xd8, "vmrun"),
	ENTER(0xc2, "vmlaunch"),
	ENTER(0xc3, "vmresume"),
	SYSREG(MAP_0F, 0x78, ANY, KIND_VMCS_READ, REG_VMCS),
	SYSREG(MAP_0F, 0x79, ANY, KIND_VMCS_WRITE, REG_VMCS),
	PREFIXED(0x66, MAP_0F, 0xc7, MEMORY(6), KIND_VM, "vmclear"),
	PREFIXED(0xf3, MAP_0F, 0xc7, MEMORY(6), KIND_VM, "vmxon"),
	KIND(MAP_0F, 0xc7, MEMORY(6), KIND_VM, "vmptrld"),
	KIND(MAP_0F, 0xc7, MEMORY(7), KIND_VM, "vmptrst"),
	KIND(MAP_0F01, 0xc4, ANY, KIND_VM, "vmxoff"),
	KIND(MAP_0F01, 0xd4, ANY, KIND_VM, "vmfunc"),
	KIND(MAP_0F01, 0xc1, ANY, KIND_VM, "vmcall"),
	KIND(MAP_0F01, 0xd9, ANY, KIND_VM, "vmmcall"),
	KIND(MAP_0F01, 0xda, ANY, KIND_VM, "vmload"),
	KIND(MAP_0F01, 0xdb, ANY, KIND_VM, "vmsave"),
	KIND(MAP_0F01, 0xdc, ANY, KIND_VM, "stgi"),
	KIND(MAP_0F01, 0xdd, ANY, KIND_VM, "clgi"),
	KIND(MAP_0F01, 0xdf, ANY, KIND_TLB, "invlpga"),
	NAMED(MAP_0F01, 0xf8, 0xf8, "swapgs"),
	NAMED(MAP_0F, 0xa2, 0xa2, "cpuid"),
	NAMED(MAP_ONE, 0xf4, 0xf4, "hlt"),
	NAMED(MAP_ONE, 0x6c, 0x6d, "ins"),
	NAMED(MAP_ONE, 0x6e, 0x6f, "outs"),
	NAMED(MAP_ONE, 0xe4, 0xe5, "in"),
	NAMED(MAP_ONE, 0xe6, 0xe7, "out"),
	NAMED(MAP_ONE, 0xec, 0xed, "in"),
	NAMED(MAP_ONE, 0xee, 0xef, "out"),
	SYSREG(MAP_0F01, 0xd0, ANY, KIND_SYSREG_READ, REG_XCR),
	SYSREG(MAP_0F01, 0xd1, ANY, KIND_SYSREG_WRITE, REG_XCR),
	SYSREG(MAP_0F01, 0xf9, ANY, KIND_SYSREG_READ, REG_TSC), /* RDTSCP */
	KIND(MAP_0F, 0x01, MEMORY(7), KIND_TLB, "invlpg"),
	SYSREG(MAP_0F, 0x01, MEMORY(0), KIND_SYSREG_READ, REG_GDTR),
	SYSREG(MAP_0F, 0x01, MEMORY(1), KIND_SYSREG_READ, REG_IDTR),
	SYSREG(MAP_0F, 0x01, MEMORY(2), KIND_SYSREG_WRITE, REG_GDTR),
	SYSREG(MAP_0F, 0x01, MEMORY(3), KIND_SYSREG_WRITE, REG_IDTR),
	SYSREG(MAP_0F, 0x00, 0, KIND_SYSREG_READ, REG_LDTR),
	SYSREG(MAP_0F, 0x00, 1, KIND_SYSREG_READ, REG_TR),
	SYSREG(MAP_0F, 0x00, 2, KIND_SYSREG_WRITE, REG_LDTR),
	SYSREG(MAP_0F, 0x00, 3, KIND_SYSREG_WRITE, REG_TR),
	SYSREG(MAP_0F, 0x06, ANY, KIND_SYSREG_WRITE, 0), /* CLTS: a bit of CR0 */
	SYSREG(MAP_0F, 0x30, ANY, KIND_SYSREG_WRITE, REG_MSR),
	SYSREG(MAP_0F, 0x31, ANY, KIND_SYSREG_READ, REG_TSC),
	SYSREG(MAP_0F, 0x32, ANY, KIND_SYSREG_READ, REG_MSR),
	SYSREG(MAP_0F, 0x33, ANY, KIND_SYSREG_READ, REG_PMC),
	KIND(MAP_0F, 0xae, NAMES(5), KIND_BARRIER, "lfence"),
	KIND(MAP_0F, 0xae, NAMES(6), KIND_BARRIER, "mfence"),
	KIND(MAP_0F, 0xae, NAMES(7), KIND_BARRIER, "sfence"),
	KIND(MAP_0F, 0xae, MEMORY(7), KIND_CACHE, "clflush"),
	KIND(MAP_0F, 0x08, ANY, KIND_CACHE, "invd"),
	KIND(MAP_0F, 0x09, ANY, KIND_CACHE, "wbinvd"),
	KIND(MAP_0F38, 0x80, ANY, KIND_TLB, "invept"),
	KIND(MAP_0F38, 0x81, ANY, KIND_TLB, "invvpid"),
	KIND(MAP_0F38, 0x82, ANY, KIND_TLB, "invpcid"),
};

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 ||
	       byte == 0xf3 || byte == 0x2e || byte == 0x36 || byte == 0x3e ||
	       byte == 0x26 || byte == 0x64 || byte == 0x65;
}

struct bytes {
	enum map map;
	uint8_t prefix, rex, opcode; /* the last prefix of the table, if there is one */
	int modrm;		     /* -1: no more bytes */
};

/* False: truncated, or an encoding that the tables do not contain (VEX, EVEX). */
static bool split(const uint8_t *insn, size_t n, struct bytes *b)
{
	size_t i = 0;

	*b = (struct bytes){ .map = MAP_ONE, .modrm = -1 };
	for (; i < n && is_prefix(insn[i]); i++)
		if (insn[i] == 0x66 || insn[i] == 0xf3)
			b->prefix = insn[i];
	if (i < n && (insn[i] & 0xf0) == 0x40)
		b->rex = insn[i++];
	if (i < n && (insn[i] == 0xc4 || insn[i] == 0xc5 || insn[i] == 0x62))
		return false;
	if (i < n && insn[i] == 0x0f) {
		b->map = MAP_0F;
		i++;
		if (i < n && insn[i] == 0x38) {
			b->map = MAP_0F38;
			i++;
		}
	}
	if (i >= n)
		return false;
	b->opcode = insn[i++];
	if (i < n)
		b->modrm = insn[i];
	/* 0f 01 c0 and above: the ModRM byte is opcode. */
	if (b->map == MAP_0F && b->opcode == 0x01 && b->modrm >= 0xc0 &&
	    b->modrm != 0xe0) {
		b->map = MAP_0F01;
		b->opcode = (uint8_t)b->modrm;
	}
	return true;
}

static bool fits(const struct row *r, const struct bytes *b)
{
	if (r->map != b->map || b->opcode < r->opcode || b->opcode > r->last)
		return false;
	if (r->prefix && r->prefix != b->prefix)
		return false;
	if (r->modrm == ANY)
		return true;
	if (b->modrm < 0 || (b->modrm >> 3 & 7) != (r->modrm & 7))
		return false;
	if (r->modrm & 0x10)
		return b->modrm < 0xc0;
	return !(r->modrm & 0x20) || b->modrm >= 0xc0;
}

/* The target of a relative branch, whose displacement is at the end. */
static uint64_t relative(const uint8_t *insn, size_t bytes, uint64_t vaddr,
			 const struct bytes *b)
{
	int32_t displacement;

	if (b->map == MAP_0F || b->opcode == 0xe8 || b->opcode == 0xe9) {
		if (bytes < 5)
			return 0;
		memcpy(&displacement, insn + bytes - 4, sizeof(displacement));
	} else {
		displacement = insn[bytes - 1];
		if (displacement >= 0x80)
			displacement -= 0x100;
	}
	return vaddr + bytes + (uint64_t)(int64_t)displacement;
}

/* 0f 20 to 0f 23 move to and from CR and DR; the ModRM byte has the register. */
static bool moves_register(const struct bytes *b, struct decode *d)
{
	if (b->map != MAP_0F || b->opcode < 0x20 || b->opcode > 0x23 || b->modrm < 0)
		return false;
	d->kind = b->opcode & 2 ? KIND_SYSREG_WRITE : KIND_SYSREG_READ;
	d->reg = (uint32_t)(b->modrm >> 3 & 7) | (b->rex & 4 ? 8 : 0);
	if (b->opcode & 1)
		d->reg = REG_DR0 + (d->reg & 7);
	return true;
}

/* IN, OUT, HLT, and accesses to the state of the machine. */
static bool is_end(const struct bytes *b)
{
	if (b->map == MAP_ONE)
		return (b->opcode >= 0x6c && b->opcode <= 0x6f) ||
		       (b->opcode >= 0xe4 && b->opcode <= 0xe7) ||
		       (b->opcode >= 0xec && b->opcode <= 0xef) || b->opcode == 0xf4;
	return b->map == MAP_0F01 ||
	       (b->map == MAP_0F &&
		(b->opcode <= 0x09 || b->opcode == 0xa2 || (b->opcode & 0xf8) == 0x30 ||
		 (b->opcode & 0xfc) == 0x20));
}

void decode_x86_64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d)
{
	struct bytes b;
	size_t i;

	memset(d, 0, sizeof(*d));
	if (!split(insn, bytes, &b))
		return;
	d->memory = b.modrm >= 0 && b.modrm < 0xc0;
	d->ends = is_end(&b);
	if (moves_register(&b, d))
		return;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!fits(&rows[i], &b))
			continue;
		d->flow = rows[i].flow;
		d->kind = rows[i].kind;
		d->reg = rows[i].reg;
		d->named = rows[i].named;
		if (d->flow == FLOW_BRANCH || (d->flow != FLOW_NEXT && b.opcode >= 0xe8 &&
					       b.opcode <= 0xeb && b.map == MAP_ONE))
			d->target = relative(insn, bytes, vaddr, &b);
		return;
	}
}

static const char *const x86_registers[] = {
	"cr0", "cr1",  "cr2",  "cr3",  "cr4",  "cr5",  "cr6",  "cr7", "cr8",
	"cr9", "cr10", "cr11", "cr12", "cr13", "cr14", "cr15", "dr0", "dr1",
	"dr2", "dr3",  "dr4",  "dr5",  "dr6",  "dr7",  "msr",  "xcr", "tsc",
	"pmc", "gdtr", "idtr", "ldtr", "tr",   "vmcs",
};

const char *decode_register_x86_64(uint32_t reg)
{
	return reg < sizeof(x86_registers) / sizeof(x86_registers[0]) ? x86_registers[reg]
								      : "unknown";
}
