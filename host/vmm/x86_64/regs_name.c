/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the registers' names, and how they are printed. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/x86_64/regs_copy.h"

struct named {
	const char *name;
	unsigned int group;
	size_t offset; /* in struct regs_copy; REGS_FPU: in the XSAVE area */
	unsigned int bytes;
};

#define IN(name, group, member)                                                          \
	{                                                                                \
		name, group, offsetof(struct regs_copy, member),                         \
			sizeof(((struct regs_copy *)0)->member)                          \
	}
#define GENERAL(name) IN(#name, REGS_GENERAL, regs.name)
#define SPECIAL(name) IN(#name, REGS_SPECIAL, sregs.name)
#define SEGMENT(name)                                                                    \
	IN(#name, REGS_SPECIAL, sregs.name.selector),                                    \
		IN(#name ".base", REGS_SPECIAL, sregs.name.base),                        \
		IN(#name ".limit", REGS_SPECIAL, sregs.name.limit),                      \
		IN(#name ".type", REGS_SPECIAL, sregs.name.type),                        \
		IN(#name ".dpl", REGS_SPECIAL, sregs.name.dpl),                          \
		IN(#name ".present", REGS_SPECIAL, sregs.name.present),                  \
		IN(#name ".l", REGS_SPECIAL, sregs.name.l),                              \
		IN(#name ".unusable", REGS_SPECIAL, sregs.name.unusable)
#define TABLE(name)                                                                      \
	IN(#name ".base", REGS_SPECIAL, sregs.name.base),                                \
		IN(#name ".limit", REGS_SPECIAL, sregs.name.limit)

static const struct named table[] = {
	GENERAL(rax),
	GENERAL(rbx),
	GENERAL(rcx),
	GENERAL(rdx),
	GENERAL(rsi),
	GENERAL(rdi),
	GENERAL(rsp),
	GENERAL(rbp),
	GENERAL(r8),
	GENERAL(r9),
	GENERAL(r10),
	GENERAL(r11),
	GENERAL(r12),
	GENERAL(r13),
	GENERAL(r14),
	GENERAL(r15),
	GENERAL(rip),
	GENERAL(rflags),
	SPECIAL(cr0),
	SPECIAL(cr2),
	SPECIAL(cr3),
	SPECIAL(cr4),
	SPECIAL(cr8),
	SPECIAL(efer),
	SPECIAL(apic_base),
	SEGMENT(cs),
	SEGMENT(ds),
	SEGMENT(es),
	SEGMENT(fs),
	SEGMENT(gs),
	SEGMENT(ss),
	SEGMENT(tr),
	SEGMENT(ldt),
	TABLE(gdt),
	TABLE(idt),
	IN("xcr0", REGS_XCRS, xcrs.xcrs[0].value),
	IN("dr0", REGS_DEBUG, debugregs.db[0]),
	IN("dr1", REGS_DEBUG, debugregs.db[1]),
	IN("dr2", REGS_DEBUG, debugregs.db[2]),
	IN("dr3", REGS_DEBUG, debugregs.db[3]),
	IN("dr6", REGS_DEBUG, debugregs.dr6),
	IN("dr7", REGS_DEBUG, debugregs.dr7),
	IN("mp_state", REGS_MP, mp.mp_state),
	IN("exception.injected", REGS_EVENTS, events.exception.injected),
	IN("exception.pending", REGS_EVENTS, events.exception.pending),
	IN("exception.nr", REGS_EVENTS, events.exception.nr),
	IN("exception.error_code", REGS_EVENTS, events.exception.error_code),
	IN("interrupt.injected", REGS_EVENTS, events.interrupt.injected),
	IN("interrupt.nr", REGS_EVENTS, events.interrupt.nr),
	IN("interrupt.shadow", REGS_EVENTS, events.interrupt.shadow),
	IN("nmi.injected", REGS_EVENTS, events.nmi.injected),
	IN("nmi.pending", REGS_EVENTS, events.nmi.pending),
	IN("nmi.masked", REGS_EVENTS, events.nmi.masked),
	IN("smi.smm", REGS_EVENTS, events.smi.smm),
	{ "fcw", REGS_FPU, XSAVE_FCW, 2 },
	{ "fsw", REGS_FPU, XSAVE_FSW, 2 },
	{ "mxcsr", REGS_FPU, XSAVE_MXCSR, 4 },
	{ "xstate_bv", REGS_FPU, XSAVE_XSTATE_BV, 8 },
};

#define NAMES (sizeof(table) / sizeof(table[0]))

/* Rows of registers in the XSAVE area. */
static const struct {
	const char *prefix;
	unsigned int count;
	size_t offset;
	unsigned int bytes;
} rows[] = {
	{ "st", 8, XSAVE_ST0, 10 },
	{ "xmm", 16, XSAVE_XMM0, 16 },
	{ "ymmh", 16, XSAVE_YMMH0, 16 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The legacy FPU state: another layout, without YMM. */
static void *in_legacy_fpu(struct kvm_fpu *fpu, size_t offset)
{
	if (offset >= XSAVE_YMMH0 || offset == XSAVE_XSTATE_BV)
		return NULL;
	if (offset >= XSAVE_XMM0)
		return &fpu->xmm[(offset - XSAVE_XMM0) / 16];
	if (offset >= XSAVE_ST0)
		return &fpu->fpr[(offset - XSAVE_ST0) / 16];
	switch (offset) {
	case XSAVE_FCW:
		return &fpu->fcw;
	case XSAVE_FSW:
		return &fpu->fsw;
	default:
		return &fpu->mxcsr;
	}
}

static bool in_fpu(struct regs_copy *copy, size_t offset, unsigned int bytes,
		   struct regs_place *place)
{
	*place = (struct regs_place){ .group = REGS_FPU, .bytes = bytes };
	if (!copy->xsave)
		place->at = in_legacy_fpu(&copy->fpu, offset);
	else
		place->at = copy->xsave + offset;
	return place->at != NULL;
}

static bool find_in_rows(struct regs_copy *copy, const char *name,
			 struct regs_place *place)
{
	unsigned long number;
	size_t i, bytes;
	char *end;

	for (i = 0; i < ROWS; i++) {
		bytes = strlen(rows[i].prefix);
		if (strncmp(name, rows[i].prefix, bytes) || name[bytes] < '0' ||
		    name[bytes] > '9')
			continue;
		number = strtoul(name + bytes, &end, 10);
		return !*end && number < rows[i].count &&
		       in_fpu(copy, rows[i].offset + 16 * number, rows[i].bytes, place);
	}
	return false;
}

static bool find_msr(struct vcpu *vcpu, const char *name, struct regs_place *place)
{
	struct regs_msr *msr;
	uint32_t index;

	if (!msrs_number(name, &index) || msrs_list(vcpu))
		return false;
	msr = msrs_find(vcpu->regs.copy, index);
	if (!msr)
		return false;
	*place = (struct regs_place){ REGS_MSRS, sizeof(msr->entry.data),
				      &msr->entry.data };
	return true;
}

static bool find_named(struct regs_copy *copy, const struct named *named,
		       struct regs_place *place)
{
	if (named->group == REGS_FPU)
		return in_fpu(copy, named->offset, named->bytes, place);
	*place = (struct regs_place){ named->group, named->bytes,
				      (uint8_t *)copy + named->offset };
	return true;
}

bool regs_arch_find(struct vcpu *vcpu, const char *name, struct regs_place *place)
{
	struct regs_copy *copy = vcpu->regs.copy;
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (regs_is_name(table[i].name, name))
			return find_named(copy, &table[i], place);
	return find_in_rows(copy, name, place) || find_msr(vcpu, name, place);
}

/*
 * A component whose bit in XSTATE_BV is clear is in its initial state; its bytes are
 * ignored (Intel SDM 1, 13.6).
 */
static void touch_xstate(struct regs_copy *copy, const void *at)
{
	const size_t offset = (size_t)((const uint8_t *)at - copy->xsave);
	uint64_t bv;

	if (offset == XSAVE_XSTATE_BV)
		return;
	memcpy(&bv, copy->xsave + XSAVE_XSTATE_BV, sizeof(bv));
	if (offset >= XSAVE_YMMH0)
		bv |= XSTATE_AVX;
	else if (offset >= XSAVE_XMM0 || offset == XSAVE_MXCSR)
		bv |= XSTATE_SSE;
	else
		bv |= XSTATE_X87;
	memcpy(copy->xsave + XSAVE_XSTATE_BV, &bv, sizeof(bv));
}

void regs_arch_touch(struct vcpu *vcpu, const struct regs_place *place)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;

	if (place->group == REGS_FPU && copy->xsave)
		touch_xstate(copy, place->at);
	for (i = 0; place->group == REGS_MSRS && i < copy->n_msrs; i++)
		if (place->at == &copy->msrs[i].entry.data)
			copy->msrs[i].touched = true;
}

static void print_place(FILE *out, const char *name, const struct regs_place *place)
{
	struct regs_value value = { 0 };

	memcpy(&value, place->at, place->bytes);
	if (place->bytes > 8)
		fprintf(out, "%-22s 0x%0*llx%016llx\n", name, (int)(place->bytes - 8) * 2,
			(unsigned long long)value.high, (unsigned long long)value.low);
	else
		fprintf(out, "%-22s 0x%llx\n", name, (unsigned long long)value.low);
}

static void print_rows(struct regs_copy *copy, FILE *out)
{
	struct regs_place place;
	unsigned int i, n;
	char name[16];

	for (i = 0; i < ROWS; i++) {
		for (n = 0; n < rows[i].count; n++) {
			snprintf(name, sizeof(name), "%s%u", rows[i].prefix, n);
			if (in_fpu(copy, rows[i].offset + 16 * n, rows[i].bytes, &place))
				print_place(out, name, &place);
		}
	}
}

static void print_lapic(const struct regs_copy *copy, FILE *out)
{
	uint32_t value, at;

	for (at = 0; at < KVM_APIC_REG_SIZE; at += 16) {
		memcpy(&value, copy->lapic.regs + at, sizeof(value));
		if (value)
			fprintf(out, "lapic_0x%-14x 0x%x\n", at, value);
	}
}

void regs_arch_print(struct vcpu *vcpu, FILE *out)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct regs_place place;
	char name[32];
	unsigned int i;

	for (i = 0; i < NAMES; i++)
		if (find_named(copy, &table[i], &place))
			print_place(out, table[i].name, &place);
	print_rows(copy, out);
	print_lapic(copy, out);
	for (i = 0; i < copy->n_msrs; i++) {
		const struct kvm_msr_entry *entry = &copy->msrs[i].entry;
		const char *known = msrs_name(entry->index);

		snprintf(name, sizeof(name), "msr_0x%x", entry->index);
		fprintf(out, "%-22s 0x%llx\n", known ? known : name,
			(unsigned long long)entry->data);
	}
}
