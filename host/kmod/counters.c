/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with passthrough leaves the PMU as it likes: counters on, filters set, overflow
 * interrupts enabled. What decides what is counted is put back when the last such VM is
 * gone; what the counters have counted meanwhile is not, and cannot be.
 */
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "counters.h"

#define EVENTS_MAX	31
#define PMCR_N(pmcr)	(((pmcr) >> 11) & 0x1f)
#define PMCR_P		(1ull << 1) /* written, not kept: they reset counters */
#define PMCR_C		(1ull << 2)
#define PMU_VERSION_IMP 0xf /* IMPLEMENTATION DEFINED: none of version 3 */

struct counters {
	bool saved;
	u64 pmcr, enabled, interrupts, cycle_filter;
	u64 type[EVENTS_MAX];
};
static DEFINE_PER_CPU(struct counters, host_counters);

bool counters_present(void)
{
	u64 dfr0 = read_sanitised_ftr_reg(SYS_ID_AA64DFR0_EL1);
	unsigned int version = (dfr0 >> ID_AA64DFR0_EL1_PMUVer_SHIFT) & 0xf;

	return version && version != PMU_VERSION_IMP;
}

static void save(void *data)
{
	struct counters *c = this_cpu_ptr(&host_counters);
	unsigned int i;

	c->pmcr = read_sysreg(pmcr_el0) & ~(PMCR_P | PMCR_C);
	c->enabled = read_sysreg(pmcntenset_el0);
	c->interrupts = read_sysreg(pmintenset_el1);
	c->cycle_filter = read_sysreg(pmccfiltr_el0);
	for (i = 0; i < PMCR_N(c->pmcr); i++) {
		write_sysreg(i, pmselr_el0);
		isb();
		c->type[i] = read_sysreg(pmxevtyper_el0);
	}
	c->saved = true;
}

/* Everything off, then as it was, the master switch last. */
static void restore(void *data)
{
	struct counters *c = this_cpu_ptr(&host_counters);
	unsigned int i;

	if (!c->saved)
		return;
	write_sysreg(~0u, pmcntenclr_el0);
	write_sysreg(~0u, pmintenclr_el1);
	write_sysreg(~0u, pmovsclr_el0);
	isb();
	for (i = 0; i < PMCR_N(c->pmcr); i++) {
		write_sysreg(i, pmselr_el0);
		isb();
		write_sysreg(c->type[i], pmxevtyper_el0);
	}
	write_sysreg(c->cycle_filter, pmccfiltr_el0);
	write_sysreg(c->interrupts, pmintenset_el1);
	write_sysreg(c->enabled, pmcntenset_el0);
	write_sysreg(c->pmcr, pmcr_el0);
	isb();
	c->saved = false;
}

void counters_save(void)
{
	on_each_cpu(save, NULL, 1);
}

void counters_restore(void)
{
	on_each_cpu(restore, NULL, 1);
}
