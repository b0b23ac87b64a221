/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies that interrupt their own CPU, by xAPIC or x2APIC. */
#ifndef WS_BENCH_X86_64_SELF_IPI_H
#define WS_BENCH_X86_64_SELF_IPI_H

#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

static MACHINE_INTERRUPT __attribute__((unused)) void on_ipi(struct machine_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

static MACHINE_INTERRUPT __attribute__((unused)) void
on_ipi_x2(struct machine_frame *frame)
{
	(void)frame;
	apic_wrmsr(X2APIC_EOI, 0);
}

/* The ways to send it: `before` it is prepared, interrupts are out. */
#define SELF_IPI_SETUP                                                                   \
	BODY enum body_presence body_setup(const struct abi_params *params)              \
	{                                                                                \
		(void)params;                                                            \
		machine_handler(APIC_VECTOR, on_ipi);                                    \
		apic_enable();                                                           \
		return BODY_PRESENT;                                                     \
	}
#define SELF_IPI_SETUP_X2                                                                \
	BODY enum body_presence body_setup(const struct abi_params *params)              \
	{                                                                                \
		(void)params;                                                            \
		machine_handler(APIC_VECTOR, on_ipi_x2);                                 \
		return apic_enable_x2() ? BODY_PRESENT : BODY_ABSENT;                    \
	}

/* What follows the IPI ends with interrupts kept out again. */
#define SELF_IPI_PAIR(before, after)                                                     \
	BODY_PAIR(before "mov %0, %%edx\n\t"                                             \
			 "mov %1, %%eax",                                                \
		  "mov %%eax, (%%rdx)\n\t" after, ::"i"(APIC_GPA + APIC_ICR),            \
		  "i"(APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR)                      \
		  : "rax", "edx", "cc", "memory")
#define SELF_IPI_PAIR_X2(before, after)                                                  \
	BODY_PAIR(before "mov %0, %%ecx\n\t"                                             \
			 "mov %1, %%eax\n\t"                                             \
			 "xor %%edx, %%edx",                                             \
		  "wrmsr\n\t" after, ::"i"(X2APIC_SELF_IPI), "i"(APIC_VECTOR)            \
		  : "rax", "ecx", "edx", "cc", "memory")

/* STI lets it in only after the next instruction. */
#define SELF_IPI_THEN_NOP                                                                \
	"sti\n\t"                                                                        \
	"nop\n\t"                                                                        \
	"cli"
#define SELF_IPI_THEN_HLT                                                                \
	"sti\n\t"                                                                        \
	"hlt\n\t"                                                                        \
	"cli"

/* Kept out by the task priority, and let in by lowering it. */
#define SELF_IPI_MASK_TPR                                                                \
	"mov $15, %%eax\n\t"                                                             \
	"mov %%rax, %%cr8\n\t"
#define SELF_IPI_UNMASK_TPR                                                              \
	"xor %%eax, %%eax\n\t"                                                           \
	"mov %%rax, %%cr8\n\t"
#define SELF_IPI_RAISE_TPR SELF_IPI_MASK_TPR "sti\n\t"
#define SELF_IPI_LOWER_TPR                                                               \
	SELF_IPI_UNMASK_TPR                                                              \
	"nop\n\t"                                                                        \
	"cli"

#endif
