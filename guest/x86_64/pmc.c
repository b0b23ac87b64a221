/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a counter of the vPMU. Registers that CPUID reports may be missing: every access
 * may fault.
 */
#include "guest/x86_64/pmc.h"

#include "guest/runtime.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

struct pmc_counter pmc_counter;
uint32_t pmc_index;

static bool can_rdpmc(uint32_t index)
{
	uint32_t done;

	__asm__ volatile("xor %0, %0\n\t"
			 "1: rdpmc\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "=&r"(done)
			 : "c"(index)
			 : "eax", "edx", "cc", "memory");
	return done;
}

static struct pmc_cpuid ask(void)
{
	struct pmc_cpuid id = { 0 };

	if (cpuid_has_leaf(0xa)) {
		const struct cpuid leaf = cpuid(0xa, 0);

		id.pmu_eax = leaf.eax;
		id.pmu_ebx = leaf.ebx;
		id.pmu_edx = leaf.edx;
	}
	if (cpuid_has_leaf(0x80000001))
		id.extended_ecx = cpuid(0x80000001, 0).ecx;
	if (cpuid_has_leaf(0x80000022))
		id.amd_pmu_eax = cpuid(0x80000022, 0).eax;
	return id;
}

static bool set_up(const struct pmc_counter *c)
{
	uint64_t count;

	/* Stopped during the set-up. */
	if (!try_wrmsr(c->select_msr, 0) || !try_wrmsr(c->count_msr, 0) ||
	    !try_wrmsr(c->select_msr, c->select) ||
	    (c->global_msr && !try_wrmsr(c->global_msr, c->global)) ||
	    !can_rdpmc(c->rdpmc))
		return false;
	pmc_index = c->rdpmc;
	count = pmc_read();
	/* A branch, an instruction, some cycles. */
	__asm__ volatile("jmp 1f\n\t"
			 "1:" ::
				 : "memory");
	return pmc_read() != count;
}

/*
 * The body waits for overflow interrupts. The runtime sets up a counter again for the
 * phases that read the PMC around the body, and that is the body's counter.
 */
static bool interrupts;

bool pmc_setup_event(enum pmc_event event, enum pmc_kind kind)
{
	const struct pmc_cpuid id = ask();

	if (!pmc_choose(&id, event, kind, &pmc_counter))
		return false;
	if (interrupts)
		pmc_counter.select |= pmc_counter.interrupt;
	return set_up(&pmc_counter);
}

bool pmc_setup_interrupt(enum pmc_event event, enum pmc_kind kind)
{
	interrupts = true;
	return pmc_setup_event(event, kind);
}

void pmc_write(uint64_t count)
{
	(void)try_wrmsr(pmc_counter.count_msr, count & ((1ull << pmc_counter.bits) - 1));
}
