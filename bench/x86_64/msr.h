/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that read or write one MSR. */
#ifndef WS_BENCH_X86_64_MSR_H
#define WS_BENCH_X86_64_MSR_H

#include "bench/body.h"

#define MSR_TSC_ADJUST	      0x3b
#define MSR_SPEC_CTRL	      0x48
#define MSR_PRED_CMD	      0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_TSX_CTRL	      0x122
#define MSR_MPERF	      0xe7
#define MSR_APERF	      0xe8
#define MSR_TSC_DEADLINE      0x6e0
#define MSR_KERNEL_GS_BASE    0xc0000102
#define MSR_OF_NOBODY	      0x57530000 /* in no range of VMX's or SVM's bitmaps */

#define MSR_READY(value)                                                                 \
	"mov %0, %%ecx\n\t"                                                              \
	"mov $" #value ", %%eax\n\t"                                                     \
	"xor %%edx, %%edx"
#define MSR_OPERANDS(msr) ::"i"(msr) : "eax", "ecx", "edx", "cc", "memory"
#define MSR_FAULT(insn)                                                                  \
	"1: " insn "\n\t"                                                                \
	"2:\n\t" BODY_FIXUP("1b", "2b")

#define RDMSR_BODY(msr)	       BODY_PAIR("mov %0, %%ecx", "rdmsr", MSR_OPERANDS(msr))
#define WRMSR_BODY(msr, value) BODY_PAIR(MSR_READY(value), "wrmsr", MSR_OPERANDS(msr))

/* The same where #GP may be the answer. */
#define RDMSR_FAULT_BODY(msr)                                                            \
	BODY_PAIR("mov %0, %%ecx", MSR_FAULT("rdmsr"), MSR_OPERANDS(msr))
#define WRMSR_FAULT_BODY(msr, value)                                                     \
	BODY_PAIR(MSR_READY(value), MSR_FAULT("wrmsr"), MSR_OPERANDS(msr))

#endif
