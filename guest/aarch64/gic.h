/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3 as bodies need it: private interrupts of one security group, taken by a few
 * instructions of the body's own (Arm IHI 0069, "GIC architecture specification").
 */
#ifndef WS_GUEST_AARCH64_GIC_H
#define WS_GUEST_AARCH64_GIC_H

#include <stdbool.h>
#include <stdint.h>

/* The system registers, by number: assemblers know their names since ARMv8.x only. */
#define ICC_PMR	    "s3_0_c4_c6_0"
#define ICC_SGI1R   "s3_0_c12_c11_5"
#define ICC_IAR1    "s3_0_c12_c12_0"
#define ICC_EOIR1   "s3_0_c12_c12_1"
#define ICC_BPR1    "s3_0_c12_c12_3"
#define ICC_CTLR    "s3_0_c12_c12_4"
#define ICC_SRE	    "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"

/* What ICC_IAR1_EL1 answers when nothing is pending. */
#define GIC_SPURIOUS 1023

#define GIC_INTID_VTIMER 27 /* PPI 11, as Arm's Base System Architecture has it */

/*
 * Sets up the distributor (on the boot CPU, before the others) and this CPU's
 * redistributor and interface: everything in group 1, no priority masked, nothing
 * enabled, interrupts still masked by PSTATE. false: there is no GICv3.
 */
bool gic_init(void);
void gic_init_cpu(void);

/*
 * Has SGIs delivered to other vCPUs by the GIC itself, without an active state
 * (GICD_CTLR.nASSGIreq). false: this GIC cannot (GICv4.1 can).
 */
bool gic_deliver_sgis_directly(void);

/* Lets a private interrupt of this CPU (INTID 0-31) through. */
void gic_enable(uint32_t intid);

/* Opens and shuts this CPU's interface for group 1. */
void gic_let_through(bool on);

/*
 * The ICC_SGI1R_EL1 value that sends `intid` to the CPU with this index: KVM and QEMU
 * number the first 16 by affinity 0 alone.
 */
#define GIC_SGI(intid, index) ((uint64_t)(intid) << 24 | 1ull << (index))

/*
 * Interrupts of all CPUs go to `handler` from now on, and PSTATE lets them in on
 * this one. The handler is assembly (GIC_HANDLER): X16 and X17 are its own.
 */
void gic_handler(void (*handler)(void));

/* Registers of the distributor and its kin, in a form with a valid syndrome. */
static inline uint32_t gic_load(uint64_t gpa)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(gpa) : "memory");
	return value;
}

static inline void gic_store(uint64_t gpa, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(gpa) : "memory");
}

/* Lets interrupts into this CPU. */
static inline void gic_unmask(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

/*
 * Defines an interrupt handler. `code` may change X16 and X17, and whatever the
 * interrupted body expects it to change.
 */
#define GIC_HANDLER(name, code)                                                          \
	void name(void);                                                                 \
	__asm__(".pushsection .text." #name ", \"ax\"\n" #name ":\n\t" code              \
		"ldp x16, x17, [sp], #16\n\t"                                            \
		"eret\n\t"                                                               \
		".popsection")

#endif
