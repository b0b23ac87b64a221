/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The GIC: the CPU interface, interrupts of a CPU to itself, the ITS. */
#include "bench/body.h"
#include "guest/aarch64/gic.h"

BODY bool gic_setup(const struct abi_params *params)
{
	(void)params;
	return gic_init();
}

/*
 * End of interrupt for INTID 1023 with no interrupt active: only the write, as in
 * kvm-unit-tests' micro-bench.
 */
BODY_PAIR(eoi, "mov x0, %0", "msr " ICC_EOIR1 ", x0", ::"i"(GIC_SPURIOUS)
	  : "x0", "memory")

#define SGI_INTID 1

/* With interrupts masked: an SGI to this CPU is pending, and no other interrupt. */
BODY void pend_sgi(void)
{
	uint64_t pending, tries = 1000000;

	gic_enable(SGI_INTID);
	__asm__ volatile("msr " ICC_SGI1R ", %2\n\t"
			 "isb\n\t"
			 "1: mrs %0, " ICC_HPPIR1 "\n\t"
			 "cmp %0, #1\n\t" /* SGI_INTID */
			 "b.eq 2f\n\t"
			 "subs %1, %1, #1\n\t"
			 "b.ne 1b\n\t"
			 "2:"
			 : "=&r"(pending), "+&r"(tries)
			 : "r"(gic_own_sgi(SGI_INTID))
			 : "cc", "memory");
	must(pending == SGI_INTID);
}

/* As eoi, of an interrupt that is in service. */
BODY_PAIR(eoi_sgi, "mov x0, %0", "msr " ICC_EOIR1 ", x0", ::"i"(SGI_INTID)
	  : "x0", "memory")

BODY void eoi_end(void)
{
	pend_sgi();
	must(gic_acknowledge() == SGI_INTID && gic_running_priority() != GIC_IDLE);
	eoi_sgi_event();
	must(gic_running_priority() == GIC_IDLE);
}

BODY_ROW(eoi, .setup = gic_setup, .end = eoi_end);

/*
 * Acknowledge with nothing pending, and end of interrupt for the returned INTID 1023,
 * which the interface ignores. The virtual CPU interface handles both, unless the
 * machine's interface is broken and KVM traps it (ICH_HCR_EL2.TALL1).
 */
BODY void icc_iar_eoir_event(void)
{
	__asm__ volatile("mrs x0, " ICC_IAR1 "\n\t"
			 "msr " ICC_EOIR1 ", x0" ::
				 : "x0", "memory");
}

BODY void icc_iar_eoir_twin(void)
{
	__asm__ volatile("nop\n\t"
			 "nop" ::
				 : "x0", "memory");
}

/* With an SGI pending and interrupts masked: acknowledged and ended, none is left. */
BODY void icc_iar_eoir_end(void)
{
	uint64_t pending;

	pend_sgi();
	icc_iar_eoir_event();
	__asm__ volatile("isb\n\t"
			 "mrs %0, " ICC_HPPIR1
			 : "=r"(pending)
			 :
			 : "memory");
	must(pending == GIC_SPURIOUS && gic_running_priority() == GIC_IDLE);
}

BODY_ROW(icc_iar_eoir, .setup = gic_setup, .end = icc_iar_eoir_end);

/*
 * ICC_SGI1R_EL1 with an empty target list. The write always traps, because only KVM knows
 * which vCPUs the targets are; here there are none.
 */
BODY_PAIR(icc_sgi1r, "", "msr " ICC_SGI1R ", xzr", ::: "memory")
BODY_ROW(icc_sgi1r, .setup = gic_setup);

/*
 * A software-generated interrupt to the sending CPU: from the trapping write until the
 * handler has acknowledged and ended the interrupt. The handler sets X1.
 */
GIC_HANDLER(on_sgi, "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t"
		    "mov x1, #1\n\t");

BODY bool sgi_self_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return false;
	gic_enable(SGI_INTID);
	gic_handler(on_sgi);
	return true;
}

BODY void sgi_self_event(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "mov x1, #0\n\t"
			 "msr " ICC_SGI1R ", x0\n\t"
			 "1: cbz x1, 1b" ::"r"(GIC_SGI(SGI_INTID, 0))
			 : "x0", "x1", "memory");
}

BODY void sgi_self_twin(void)
{
	__asm__ volatile("mov x0, %0\n\t"
			 "mov x1, #1\n\t"
			 "nop\n\t"
			 "1: cbz x1, 1b" ::"r"(GIC_SGI(SGI_INTID, 0))
			 : "x0", "x1", "memory");
}

BODY_ROW(sgi_self, .setup = sgi_self_setup);

/*
 * An LPI by the INT command of the ITS: from the store that makes the ITS read its queue
 * until the handler has acknowledged and ended the interrupt. The handler sets X1.
 */
static uint32_t cwriter;

GIC_HANDLER(on_lpi, "mrs x16, " ICC_IAR1 "\n\t"
		    "msr " ICC_EOIR1 ", x16\n\t"
		    "mov x1, #1\n\t");

BODY bool its_int_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init() || !its_init(1, &cwriter))
		return false;
	gic_handler(on_lpi);
	return true;
}

BODY void its_int_event(void)
{
	cwriter = (cwriter + ITS_COMMAND_BYTES) % ITS_QUEUE_BYTES;
	__asm__ volatile("mov x1, #0\n\t"
			 "str %w0, [%1]\n\t"
			 "1: cbz x1, 1b" ::"r"(cwriter),
			 "r"(ITS_CWRITER_GPA)
			 : "x1", "memory");
}

BODY void its_int_twin(void)
{
	static uint32_t unused;

	unused = (unused + ITS_COMMAND_BYTES) % ITS_QUEUE_BYTES;
	__asm__ volatile("mov x1, #1\n\t"
			 "nop\n\t"
			 "1: cbz x1, 1b" ::"r"(unused),
			 "r"(ITS_CWRITER_GPA)
			 : "x1", "memory");
}

BODY_ROW(its_int, .setup = its_int_setup);
