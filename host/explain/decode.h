/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an instruction does to the flow of control, and of which kind it is, by its bytes
 * alone: as much as following calls and naming what is dear takes, and no more.
 */
#ifndef WS_TRACE_DECODE_H
#define WS_TRACE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"

enum decode_flow {
	FLOW_NEXT,   /* goes on behind it, unless it traps */
	FLOW_BRANCH, /* conditional, to a place that it names */
	FLOW_JUMP,   /* always, anywhere */
	FLOW_CALL,
	FLOW_RETURN,
	FLOW_TRAP, /* raises an exception, that being its purpose */
	FLOW_ERET, /* returns from one */
	FLOW_ENTER_GUEST,
};

enum decode_kind {
	KIND_OTHER,
	KIND_SYSREG_READ,
	KIND_SYSREG_WRITE,
	KIND_BARRIER,
	KIND_TLB,
	KIND_CACHE,
	KIND_VM, /* instructions of the CPU's virtualization itself */
	KINDS,
};

struct decode {
	enum decode_flow flow;
	enum decode_kind kind;
	uint64_t target;   /* of direct branches, jumps and calls; 0: not told */
	uint32_t reg;	   /* of KIND_SYSREG_*: for decode_register() */
	const char *named; /* KIND_TLB, KIND_CACHE, KIND_VM, KIND_BARRIER: mnemonic */
	bool memory;	   /* may access memory, and fault */
	bool system;	   /* aarch64: MRS, MSR, SYS and their kin */
	bool ends;	   /* x86_64: the emulator ends a piece of code with it */
};

/* `bytes` of the instruction at `vaddr`; what is not known is FLOW_NEXT, KIND_OTHER. */
void decode_aarch64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_x86_64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_insn(enum arch arch, const uint8_t *insn, size_t bytes, uint64_t vaddr,
		 struct decode *d);

/*
 * The name of a system register: "hcr_el2", "cr8", "msr" (which of them is in a register
 * of the CPU's); where there is no name, its encoding ("s3_0_c15_c2_0"). `text` is room
 * for names that are made.
 */
#define DECODE_REGISTER_BYTES 24
const char *decode_register(enum arch arch, uint32_t reg,
			    char text[DECODE_REGISTER_BYTES]);

#endif
