/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3 for bodies: private interrupts of one security group, with handlers of a few
 * instructions (Arm IHI 0069, "GIC architecture specification").
 */
#ifndef WS_GUEST_AARCH64_GIC_H
#define WS_GUEST_AARCH64_GIC_H

#include <stdbool.h>
#include <stdint.h>

/* The system registers by number: older assemblers do not know the names. */
#define ICC_PMR	    "s3_0_c4_c6_0"
#define ICC_SGI1R   "s3_0_c12_c11_5"
#define ICC_RPR	    "s3_0_c12_c11_3"
#define ICC_IAR1    "s3_0_c12_c12_0"
#define ICC_EOIR1   "s3_0_c12_c12_1"
#define ICC_HPPIR1  "s3_0_c12_c12_2"
#define ICC_BPR1    "s3_0_c12_c12_3"
#define ICC_CTLR    "s3_0_c12_c12_4"
#define ICC_SRE	    "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"

/* ICC_IAR1_EL1 and ICC_HPPIR1_EL1 with nothing pending; ICC_RPR_EL1 with none active. */
#define GIC_SPURIOUS 1023
#define GIC_IDLE     0xff

#define GIC_INTID_VTIMER 27 /* PPI 11 (Arm's Base System Architecture) */

/*
 * Sets up the distributor (on the boot CPU, before the others) and this CPU's
 * redistributor and interface: all interrupts in group 1, no priority masked, no
 * interrupt enabled, PSTATE still masks interrupts. false: no GICv3.
 */
bool gic_init(void);
void gic_init_cpu(void);

/*
 * Makes the GIC itself deliver SGIs to other vCPUs, without an active state
 * (GICD_CTLR.nASSGIreq). false: not supported (GICv4.1 supports it).
 */
bool gic_deliver_sgis_directly(void);

/* Enables a private interrupt of this CPU (INTID 0-31). */
void gic_enable(uint32_t intid);

/* Enables or disables group 1 at this CPU's interface. */
void gic_let_through(bool on);

/*
 * The ICC_SGI1R_EL1 value that sends `intid` to the CPU with this index: KVM and QEMU
 * number the first 16 by affinity 0 alone.
 */
#define GIC_SGI(intid, index) ((uint64_t)(intid) << 24 | 1ull << (index))

/*
 * The ICC_SGI1R_EL1 value that sends `intid` to this CPU: affinity 3, 2 and 1, and the
 * bit of affinity 0 in one of the lists of 16 that the range selector names.
 */
static inline uint64_t gic_own_sgi(uint32_t intid)
{
	uint64_t own, aff0;

	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(own));
	aff0 = own & 0xff;
	return (uint64_t)intid << 24 | (own >> 32 & 0xff) << 48 |
	       (own >> 16 & 0xff) << 32 | (own >> 8 & 0xff) << 16 | aff0 >> 4 << 44 |
	       1ull << (aff0 & 0xf);
}

/*
 * Installs `handler` for the interrupts of all CPUs, and unmasks interrupts on this CPU.
 * The handler is assembly (GIC_HANDLER), and may use X16 and X17.
 */
void gic_handler(void (*handler)(void));

/* The INTID of the pending interrupt, which is in service then. */
static inline uint64_t gic_acknowledge(void)
{
	uint64_t intid;

	__asm__ volatile("mrs %0, " ICC_IAR1 "\n\t"
			 "dsb sy\n\t"
			 "isb"
			 : "=r"(intid)
			 :
			 : "memory");
	return intid;
}

/* The priority of the interrupt in service; GIC_IDLE: none is. */
static inline uint64_t gic_running_priority(void)
{
	uint64_t priority;

	__asm__ volatile("isb\n\t"
			 "mrs %0, " ICC_RPR
			 : "=r"(priority)
			 :
			 : "memory");
	return priority;
}

/* Accesses to the GIC's registers, in a form with a valid syndrome. */
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

/* Unmasks interrupts on this CPU. */
static inline void gic_unmask(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

/*
 * Defines an interrupt handler. `code` may change X16, X17, and the registers that the
 * interrupted body expects to change. The handler is in a section of its own, so that the
 * linker drops the handlers of other rows of a page.
 */
#define GIC_HANDLER(name, code)                                                          \
	void name(void);                                                                 \
	__asm__(".pushsection .text." #name ", \"ax\"\n" #name ":\n\t" code              \
		"ldp x16, x17, [sp], #16\n\t"                                            \
		"eret\n\t"                                                               \
		".popsection")

/*
 * The interrupt translation service, for events of one device (Arm IHI 0069, chapter 5):
 * aarch64/its.c.
 */

/* GITS_CWRITER: a store makes the ITS process its queue up to there. */
#define ITS_CWRITER_GPA (ABI_AARCH64_GITS_GPA + 0x88)

#define ITS_COMMAND_BYTES 32u
#define ITS_QUEUE_BYTES	  0x10000u

/*
 * After gic_init(): sets up tables, queue, and events, at most ABI_AARCH64_MSI_EVENTS,
 * that each raise an LPI of this CPU. Then every command in the queue is an INT of event
 * 0: each step of CWRITER by ITS_COMMAND_BYTES, modulo ITS_QUEUE_BYTES, raises the LPI
 * once. `cwriter` returns the current value. false: no ITS, or the ITS does not process
 * the commands.
 */
bool its_init(uint32_t events, uint32_t *cwriter);

#endif
