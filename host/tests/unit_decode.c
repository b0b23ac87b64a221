/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the instruction decoders, on the assembled bytes of the mnemonics. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/trace.h"

struct a64 {
	uint32_t word;
	enum decode_flow flow;
	enum decode_kind kind;
	uint64_t target;  /* of code at 0x1000; 0: none */
	const char *name; /* of a register or an operation; NULL */
	bool memory;
};

static const struct a64 a64s[] = {
	{ 0x94000010, FLOW_CALL, KIND_OTHER, 0x1040, NULL, false },   /* bl .+0x40 */
	{ 0x17ffffff, FLOW_JUMP, KIND_OTHER, 0x0ffc, NULL, false },   /* b .-4 */
	{ 0x54000041, FLOW_BRANCH, KIND_OTHER, 0x1008, NULL, false }, /* b.ne .+8 */
	{ 0xb4ffffe0, FLOW_BRANCH, KIND_OTHER, 0x0ffc, NULL, false }, /* cbz x0, .-4 */
	{ 0x37080040, FLOW_BRANCH, KIND_OTHER, 0x1008, NULL, false }, /* tbnz w0, #1 */
	{ 0xd63f0100, FLOW_CALL, KIND_OTHER, 0, NULL, false },	      /* blr x8 */
	{ 0xd63f0909, FLOW_CALL, KIND_OTHER, 0, NULL, false },	      /* blraaz-like */
	{ 0xd61f0200, FLOW_JUMP, KIND_OTHER, 0, NULL, false },	      /* br x16 */
	{ 0xd65f03c0, FLOW_RETURN, KIND_OTHER, 0, NULL, false },      /* ret */
	{ 0xd65f0bff, FLOW_RETURN, KIND_OTHER, 0, NULL, false },      /* retaa */
	{ 0xd69f03e0, FLOW_ERET, KIND_OTHER, 0, NULL, false },	      /* eret */
	{ 0xd4000002, FLOW_TRAP, KIND_OTHER, 0, NULL, false },	      /* hvc #0 */
	{ 0xd4000001, FLOW_TRAP, KIND_OTHER, 0, NULL, false },	      /* svc #0 */
	{ 0xd53be040, FLOW_NEXT, KIND_SYSREG_READ, 0, "cntvct_el0", false },
	{ 0xd51c1100, FLOW_NEXT, KIND_SYSREG_WRITE, 0, "hcr_el2", false },
	{ 0xd53cc880, FLOW_NEXT, KIND_SYSREG_READ, 0, "s3_4_c12_c8_4", false },
	{ 0xd53cccc0, FLOW_NEXT, KIND_SYSREG_READ, 0, "ich_lr6_el2", false },
	{ 0xd50343df, FLOW_NEXT, KIND_SYSREG_WRITE, 0, "daifset", false }, /* #3 */
	{ 0xd53be920, FLOW_NEXT, KIND_SYSREG_READ, 0, "pmevcntr9_el0", false },
	{ 0xd5033fdf, FLOW_NEXT, KIND_BARRIER, 0, "isb", false },
	{ 0xd5033b9f, FLOW_NEXT, KIND_BARRIER, 0, "dsb", false }, /* ish */
	{ 0xd503229f, FLOW_NEXT, KIND_BARRIER, 0, "csdb", false },
	{ 0xd508831f, FLOW_NEXT, KIND_TLB, 0, "tlbi", false }, /* vmalle1is */
	{ 0xd50b7e20, FLOW_NEXT, KIND_CACHE, 0, "dc", false }, /* civac, x0 */
	{ 0xd50b7420, FLOW_NEXT, KIND_CACHE, 0, "dc", true },  /* zva, x0 */
	{ 0xd508751f, FLOW_NEXT, KIND_CACHE, 0, "ic", false }, /* iallu */
	{ 0xd5087800, FLOW_NEXT, KIND_VM, 0, "at", false },    /* s1e1r, x0 */
	{ 0xd503201f, FLOW_NEXT, KIND_OTHER, 0, NULL, false }, /* nop */
	{ 0xd503207f, FLOW_NEXT, KIND_OTHER, 0, NULL, false }, /* wfi */
	{ 0xf9400020, FLOW_NEXT, KIND_OTHER, 0, NULL, true },  /* ldr x0, [x1] */
	{ 0xa9bf7bfd, FLOW_NEXT, KIND_OTHER, 0, NULL, true },  /* stp x29, x30, [sp, */
	{ 0xb8e00020, FLOW_NEXT, KIND_OTHER, 0, NULL, true },  /* ldaddal w0, w0, */
	{ 0x8b010000, FLOW_NEXT, KIND_OTHER, 0, NULL, false }, /* add x0, x0, x1 */
	{ 0x1e604000, FLOW_NEXT, KIND_OTHER, 0, NULL, false }, /* fmov d0, d0 */
};

static const char *name_of(enum arch arch, const struct decode *d,
			   char text[DECODE_REGISTER_BYTES])
{
	if (d->kind == KIND_SYSREG_READ || d->kind == KIND_SYSREG_WRITE ||
	    d->kind == KIND_VMCS_READ || d->kind == KIND_VMCS_WRITE)
		return decode_register(arch, d->reg, text);
	return d->named;
}

static void expect_name(const char *found, const char *wanted, const char *what)
{
	if (wanted)
		cr_expect(found && !strcmp(found, wanted), "%s: %s, not %s", what,
			  found ? found : "nothing", wanted);
	else
		cr_expect_null(found, "%s: %s", what, found);
}

Test(decode, aarch64)
{
	size_t i;

	for (i = 0; i < sizeof(a64s) / sizeof(a64s[0]); i++) {
		const struct a64 *a = &a64s[i];
		char text[DECODE_REGISTER_BYTES], what[16];
		uint8_t bytes[4];
		struct decode d;

		for (int k = 0; k < 4; k++)
			bytes[k] = a->word >> 8 * k & 0xff;
		snprintf(what, sizeof(what), "%08x", a->word);
		decode_insn(ARCH_AARCH64, bytes, 4, 0x1000, &d);
		cr_expect_eq(d.flow, a->flow, "%s: flow %d", what, d.flow);
		cr_expect_eq(d.kind, a->kind, "%s: kind %d", what, d.kind);
		cr_expect_eq(d.target, a->target, "%s: target %lx", what, d.target);
		cr_expect_eq(d.memory, a->memory, "%s: memory %d", what, d.memory);
		expect_name(name_of(ARCH_AARCH64, &d, text), a->name, what);
	}
}

struct x86 {
	const char *bytes;
	size_t n;
	enum decode_flow flow;
	enum decode_kind kind;
	uint64_t target;
	const char *name;
};

#define X86(bytes) bytes, sizeof(bytes) - 1

static const struct x86 x86s[] = {
	{ X86("\xe8\x10\x00\x00\x00"), FLOW_CALL, KIND_OTHER, 0x1015, NULL },
	{ X86("\xe9\xfb\xff\xff\xff"), FLOW_JUMP, KIND_OTHER, 0x1000, NULL },
	{ X86("\xeb\xfe"), FLOW_JUMP, KIND_OTHER, 0x1000, NULL },
	{ X86("\x74\x02"), FLOW_BRANCH, KIND_OTHER, 0x1004, NULL },
	{ X86("\x0f\x85\xfa\xff\xff\xff"), FLOW_BRANCH, KIND_OTHER, 0x1000, NULL },
	{ X86("\xff\xd0"), FLOW_CALL, KIND_OTHER, 0, NULL },	 /* call *rax */
	{ X86("\x41\xff\xe3"), FLOW_JUMP, KIND_OTHER, 0, NULL }, /* jmp *r11 */
	{ X86("\xff\x15\x00\x00\x00\x00"), FLOW_CALL, KIND_OTHER, 0, NULL }, /* mem */
	{ X86("\xff\x30"), FLOW_NEXT, KIND_OTHER, 0, NULL },		     /* push */
	{ X86("\xc3"), FLOW_RETURN, KIND_OTHER, 0, NULL },
	{ X86("\xf3\xc3"), FLOW_RETURN, KIND_OTHER, 0, NULL },	 /* rep ret */
	{ X86("\x48\xcf"), FLOW_ERET, KIND_OTHER, 0, NULL },	 /* iretq */
	{ X86("\x48\x0f\x07"), FLOW_ERET, KIND_OTHER, 0, NULL }, /* sysretq */
	{ X86("\x0f\x05"), FLOW_TRAP, KIND_OTHER, 0, NULL },	 /* syscall */
	{ X86("\x0f\x01\xd8"), FLOW_ENTER_GUEST, KIND_VM, 0, "vmrun" },
	{ X86("\x0f\x01\xda"), FLOW_NEXT, KIND_VM, 0, "vmload" },
	{ X86("\x0f\x01\xdc"), FLOW_NEXT, KIND_VM, 0, "stgi" },
	{ X86("\x0f\x01\xd9"), FLOW_NEXT, KIND_VM, 0, "vmmcall" },
	{ X86("\x0f\x01\xc2"), FLOW_ENTER_GUEST, KIND_VM, 0, "vmlaunch" },
	{ X86("\x0f\x01\xc3"), FLOW_ENTER_GUEST, KIND_VM, 0, "vmresume" },
	{ X86("\x0f\x78\xc2"), FLOW_NEXT, KIND_VMCS_READ, 0, "vmcs" },
	{ X86("\x41\x0f\x79\xc0"), FLOW_NEXT, KIND_VMCS_WRITE, 0, "vmcs" },
	{ X86("\x0f\xc7\x33"), FLOW_NEXT, KIND_VM, 0, "vmptrld" },
	{ X86("\x66\x0f\xc7\x33"), FLOW_NEXT, KIND_VM, 0, "vmclear" },
	{ X86("\xf3\x0f\xc7\x33"), FLOW_NEXT, KIND_VM, 0, "vmxon" },
	{ X86("\x0f\xc7\xf0"), FLOW_NEXT, KIND_OTHER, 0, NULL },     /* rdrand */
	{ X86("\x48\x0f\xc7\x0e"), FLOW_NEXT, KIND_OTHER, 0, NULL }, /* cmpxchg16b */
	{ X86("\x66\x0f\x38\x80\x02"), FLOW_NEXT, KIND_TLB, 0, "invept" },
	{ X86("\x0f\x32"), FLOW_NEXT, KIND_SYSREG_READ, 0, "msr" },
	{ X86("\x0f\x30"), FLOW_NEXT, KIND_SYSREG_WRITE, 0, "msr" },
	{ X86("\x44\x0f\x20\xc0"), FLOW_NEXT, KIND_SYSREG_READ, 0, "cr8" },
	{ X86("\x0f\x22\xd8"), FLOW_NEXT, KIND_SYSREG_WRITE, 0, "cr3" },
	{ X86("\x0f\x23\xf8"), FLOW_NEXT, KIND_SYSREG_WRITE, 0, "dr7" },
	{ X86("\x0f\x01\xf9"), FLOW_NEXT, KIND_SYSREG_READ, 0, "tsc" }, /* rdtscp */
	{ X86("\x0f\x01\x10"), FLOW_NEXT, KIND_SYSREG_WRITE, 0, "gdtr" },
	{ X86("\x0f\x01\x38"), FLOW_NEXT, KIND_TLB, 0, "invlpg" },
	{ X86("\x66\x0f\x38\x82\x08"), FLOW_NEXT, KIND_TLB, 0, "invpcid" },
	{ X86("\x0f\xae\xe8"), FLOW_NEXT, KIND_BARRIER, 0, "lfence" },
	{ X86("\x0f\xae\x38"), FLOW_NEXT, KIND_CACHE, 0, "clflush" },
	{ X86("\x0f\xae\x28"), FLOW_NEXT, KIND_OTHER, 0, NULL }, /* xrstor */
	{ X86("\xc5\xf8\x77"), FLOW_NEXT, KIND_OTHER, 0, NULL }, /* vzeroupper */
	{ X86("\x0f\xa2"), FLOW_NEXT, KIND_OTHER, 0, "cpuid" },
	{ X86("\xf4"), FLOW_NEXT, KIND_OTHER, 0, "hlt" },
	{ X86("\xe4\x10"), FLOW_NEXT, KIND_OTHER, 0, "in" },
	{ X86("\xe7\x10"), FLOW_NEXT, KIND_OTHER, 0, "out" },
	{ X86("\x66\xed"), FLOW_NEXT, KIND_OTHER, 0, "in" },
	{ X86("\xee"), FLOW_NEXT, KIND_OTHER, 0, "out" },
	{ X86("\xf3\x6c"), FLOW_NEXT, KIND_OTHER, 0, "ins" },
	{ X86("\xf3\x66\x6d"), FLOW_NEXT, KIND_OTHER, 0, "ins" },
	{ X86("\xf3\x6e"), FLOW_NEXT, KIND_OTHER, 0, "outs" },
	{ X86("\x67\xf3\x48\x6f"), FLOW_NEXT, KIND_OTHER, 0, "outs" },
	{ X86("\x90"), FLOW_NEXT, KIND_OTHER, 0, NULL },
};

Test(decode, x86_64)
{
	size_t i;

	for (i = 0; i < sizeof(x86s) / sizeof(x86s[0]); i++) {
		const struct x86 *x = &x86s[i];
		char text[DECODE_REGISTER_BYTES], what[16];
		struct decode d;

		snprintf(what, sizeof(what), "row %zu", i);
		decode_insn(ARCH_X86_64, (const uint8_t *)x->bytes, x->n, 0x1000, &d);
		cr_expect_eq(d.flow, x->flow, "%s: flow %d", what, d.flow);
		cr_expect_eq(d.kind, x->kind, "%s: kind %d", what, d.kind);
		cr_expect_eq(d.target, x->target, "%s: target %lx", what, d.target);
		expect_name(name_of(ARCH_X86_64, &d, text), x->name, what);
	}
}

/* The decoders do not read beyond arbitrary bytes (checked by the sanitizers). */
Test(decode, any_bytes)
{
	uint32_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		size_t n = i % 16;
		uint8_t *bytes = malloc(n + 1), *exact = n ? malloc(n) : NULL;
		struct decode d;

		for (size_t k = 0; k < n; k++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[k] = seed >> 24;
		}
		if (exact)
			memcpy(exact, bytes, n);
		decode_insn(ARCH_X86_64, n ? exact : bytes, n, 0x1000, &d);
		cr_assert_lt(d.kind, KINDS);
		decode_insn(ARCH_AARCH64, n ? exact : bytes, n, 0x1000, &d);
		cr_assert_lt(d.kind, KINDS);
		free(bytes);
		free(exact);
	}
}
