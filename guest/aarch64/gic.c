/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv3: distributor, redistributors and the CPU interface's system registers. */
#include "guest/aarch64/gic.h"

#include "bench/abi.h"

#define GICD_CTLR	   0x0000
#define GICD_CTLR_GRP1	   (1u << 1) /* with one security state, as in a VM */
#define GICD_CTLR_ARE	   (1u << 4)
#define GICD_CTLR_NASSGI   (1u << 8) /* SGIs without an active state */
#define GICD_CTLR_RWP	   (1u << 31)
#define GICD_TYPER2	   0x000c
#define GICD_TYPER2_NASSGI (1u << 8)
#define GICD_PIDR2	   0xffe8
#define PIDR2_REVISION(r)  ((r) >> 4 & 0xf)

/* A redistributor is two frames of 64 KiB; the second has the private interrupts. */
#define GICR_BYTES	  0x20000
#define GICR_TYPER	  0x0008
#define GICR_TYPER_LAST	  (1u << 4)
#define GICR_WAKER	  0x0014
#define GICR_WAKER_SLEEP  (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)
#define GICR_IGROUPR0	  0x10080
#define GICR_ISENABLER0	  0x10100
#define GICR_ICENABLER0	  0x10180
#define GICR_IPRIORITYR	  0x10400
#define PRIVATE_INTIDS	  32
#define PRIORITIES	  0xa0a0a0a0u /* four INTIDs' */

#define ID_AA64PFR0_GIC(r) ((r) >> 24 & 0xf)

/* In boot.S: the interrupt vector jumps to this address. */
extern void (*irq_path)(void);

/* This CPU's affinity 3.2.1.0, in the format of GICR_TYPER's upper half. */
static uint32_t affinity(void)
{
	uint64_t mpidr;

	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(mpidr));
	return (uint32_t)(mpidr & 0xffffff) | (uint32_t)(mpidr >> 32 & 0xff) << 24;
}

/* This CPU's redistributor: the redistributors are adjacent, and each names its CPU. */
static uint64_t redistributor(void)
{
	uint32_t own = affinity();
	uint64_t frame;

	for (frame = ABI_AARCH64_GICR_GPA;; frame += GICR_BYTES)
		if (gic_load(frame + GICR_TYPER + 4) == own ||
		    gic_load(frame + GICR_TYPER) & GICR_TYPER_LAST)
			return frame;
}

static bool is_there(void)
{
	uint64_t features;
	uint32_t revision;

	__asm__ volatile("mrs %0, id_aa64pfr0_el1" : "=r"(features));
	if (!ID_AA64PFR0_GIC(features))
		return false;
	/* Without a distributor, the VMM returns all ones. */
	revision = PIDR2_REVISION(gic_load(ABI_AARCH64_GICD_GPA + GICD_PIDR2));
	return revision == 3 || revision == 4;
}

static void init_interface(void)
{
	__asm__ volatile("msr " ICC_SRE ", %0\n\t"
			 "isb\n\t"
			 "msr " ICC_PMR ", %1\n\t"
			 "msr " ICC_BPR1 ", xzr\n\t"
			 "msr " ICC_CTLR ", xzr\n\t" ::"r"(7ull),
			 "r"(0xffull));
	gic_let_through(true);
}

void gic_init_cpu(void)
{
	uint64_t frame = redistributor();
	uint32_t intid;

	gic_store(frame + GICR_WAKER, gic_load(frame + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	while (gic_load(frame + GICR_WAKER) & GICR_WAKER_ASLEEP)
		;
	gic_store(frame + GICR_ICENABLER0, ~0u);
	gic_store(frame + GICR_IGROUPR0, ~0u);
	for (intid = 0; intid < PRIVATE_INTIDS; intid += 4)
		gic_store(frame + GICR_IPRIORITYR + intid, PRIORITIES);
	init_interface();
}

bool gic_init(void)
{
	if (!is_there())
		return false;
	gic_store(ABI_AARCH64_GICD_GPA + GICD_CTLR, GICD_CTLR_ARE);
	gic_store(ABI_AARCH64_GICD_GPA + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	while (gic_load(ABI_AARCH64_GICD_GPA + GICD_CTLR) & GICD_CTLR_RWP)
		;
	gic_init_cpu();
	return true;
}

/* nASSGIreq changes only while the groups are off (GICD_CTLR in IHI 0069). */
bool gic_deliver_sgis_directly(void)
{
	const uint64_t ctlr = ABI_AARCH64_GICD_GPA + GICD_CTLR;
	const uint32_t direct = GICD_CTLR_ARE | GICD_CTLR_NASSGI;

	if (!(gic_load(ABI_AARCH64_GICD_GPA + GICD_TYPER2) & GICD_TYPER2_NASSGI))
		return false;
	gic_store(ctlr, direct);
	gic_store(ctlr, direct | GICD_CTLR_GRP1);
	while (gic_load(ctlr) & GICD_CTLR_RWP)
		;
	return true;
}

void gic_enable(uint32_t intid)
{
	gic_store(redistributor() + GICR_ISENABLER0, 1u << intid);
}

void gic_let_through(bool on)
{
	__asm__ volatile("msr " ICC_IGRPEN1 ", %0\n\t"
			 "isb" ::"r"((uint64_t)on)
			 : "memory");
}

void gic_handler(void (*handler)(void))
{
	irq_path = handler;
	__asm__ volatile("dsb ish" ::: "memory");
	gic_unmask();
}
