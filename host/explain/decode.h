/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control flow and kind of an instruction, decoded from its bytes: only as far as call
 * stacks and the kinds of `explain --kinds` need it.
 */
#ifndef WS_EXPLAIN_DECODE_H
#define WS_EXPLAIN_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"

enum decode_flow {
	FLOW_NEXT,   /* the next instruction, unless it traps */
	FLOW_BRANCH, /* conditional, to `target` */
	FLOW_JUMP,   /* unconditional */
	FLOW_CALL,
	FLOW_RETURN,
	FLOW_TRAP, /* raises an exception on purpose */
	FLOW_ERET, /* returns from an exception */
	FLOW_ENTER_GUEST,
};

enum decode_kind {
	KIND_OTHER,
	KIND_SYSREG_READ,
	KIND_SYSREG_WRITE,
	KIND_BARRIER,
	KIND_TLB,
	KIND_CACHE,
	KIND_VM, /* instructions of the virtualization extension, except: */
	KIND_VMCS_READ,
	KIND_VMCS_WRITE,
	KINDS,
};

struct decode {
	enum decode_flow flow;
	enum decode_kind kind;
	uint64_t target;   /* of direct branches, jumps and calls; 0: unknown */
	uint32_t reg;	   /* of KIND_SYSREG_*, KIND_VMCS_*: for decode_register() */
	const char *named; /* KIND_TLB, KIND_CACHE, KIND_VM, KIND_BARRIER: mnemonic */
	bool memory;	   /* may access memory, and fault */
	bool system;	   /* aarch64: MRS, MSR, SYS */
	bool ends;	   /* x86_64: the emulator ends a translation block with it */
};

/*
 * Decodes `bytes` of the instruction at `vaddr`; unknown instructions are FLOW_NEXT,
 * KIND_OTHER.
 */
void decode_aarch64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_x86_64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_insn(enum arch arch, const uint8_t *insn, size_t bytes, uint64_t vaddr,
		 struct decode *d);

/*
 * The name of a system register: "hcr_el2", "cr8", "msr" (its number is in a register);
 * if the register has no name, its encoding ("s3_0_c15_c2_0"). `text` is a buffer for
 * composed names.
 */
#define DECODE_REGISTER_BYTES 24
const char *decode_register(enum arch arch, uint32_t reg,
			    char text[DECODE_REGISTER_BYTES]);

#endif
