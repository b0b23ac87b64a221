/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's interrupt on arm64: an edge on a shared peripheral interrupt. */
#include "clock.h"
#include "guest/aarch64/gic.h"
#include "guest/runtime.h"

/* Registers of the distributor: arrays of bits, bit pairs and bytes by INTID. */
#define GICD_IGROUPR	0x0080
#define GICD_ISENABLER	0x0100
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR	0x0c00
#define PRIORITIES	0xa0a0a0a0u
#define EDGES		0xaaaaaaaau

volatile struct interrupt interrupt;

/* Writes the members of `interrupt`, which are adjacent. */
GIC_HANDLER(on_line, "isb\n\t" MARK_SHARED "mrs x16, cntpct_el0\n\t"
		     "adrp x17, interrupt\n\t"
		     "add x17, x17, :lo12:interrupt\n\t"
		     "str x16, [x17]\n\t"
		     "mrs x16, " ICC_IAR1 "\n\t"
		     "msr " ICC_EOIR1 ", x16\n\t"
		     "isb\n\t" MARK_SHARED "mrs x16, cntpct_el0\n\t"
		     "str x16, [x17, #8]\n\t"
		     "ldr x16, [x17, #16]\n\t"
		     "add x16, x16, #1\n\t"
		     "str x16, [x17, #16]\n\t");

static void store(uint64_t offset, uint32_t value)
{
	/* A form with a valid syndrome. */
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(ABI_AARCH64_GICD_GPA + offset)
			 : "memory");
}

void interrupt_allow(void)
{
	/* The host's interrupts exit whatever the guest's mask. */
}

bool interrupt_setup(void)
{
	const uint32_t intid = ABI_AARCH64_IRQ_LINE;

	if (!gic_init())
		return false;
	/* By default KVM routes shared interrupts to affinity 0.0.0.0. */
	store(GICD_IGROUPR + intid / 32 * 4, ~0u);
	store(GICD_IPRIORITYR + intid, PRIORITIES);
	store(GICD_ICFGR + intid / 16 * 4, EDGES);
	store(GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
	gic_handler(on_line);
	gic_unmask();
	return true;
}
