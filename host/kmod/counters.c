/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's counters, taken from perf for as long as a guest may write them.
 *
 * On every CPU each counter is held by a kernel event that is pinned to the CPU: perf
 * schedules nothing else there, neither for the host nor for the vPMU of another guest.
 * If an event of the same kind holds one already, reserving fails. So no counter of a
 * live event is ever touched, and there is nothing to restore but PMCR_EL0's mode bits,
 * which perf writes only when a CPU comes up. The events themselves count nothing; what
 * they are read as is never looked at.
 *
 * Meanwhile other events of perf's wait, and those pinned (to a CPU or to a task) are in
 * error, as perf has it for pinned events that find no counter. When a CPU leaves an idle
 * state that loses its PMU (CPU_PM), and when perf schedules a CPU's events anew, perf
 * programs the held events again: that takes from the guest what it had set up, and
 * nothing from the host.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "counters.h"
#include "worldswitch_pmu.h"

#define EVENTS_MAX	31
#define PMCR_N(pmcr)	(((pmcr) >> 11) & 0x1f)
#define PMCR_P		(1ull << 1) /* written, not kept: they reset counters */
#define PMCR_C		(1ull << 2)
#define PMU_VERSION_IMP 0xf /* IMPLEMENTATION DEFINED: none of version 3 */

/* Events of the architecture (Arm ARM, D13.12): the cycle counter's, and a silent one. */
#define EVENT_CPU_CYCLES 0x11
#define EVENT_SW_INCR	 0x00

struct counters {
	struct perf_event *event[EVENTS_MAX + 1]; /* `held` of them */
	unsigned int held;
	u64 pmcr; /* as perf has it while it holds events */
};
static DEFINE_PER_CPU(struct counters, host_counters);
DEFINE_PER_CPU(bool, counters_reserved);

/* Taken inside of cpus_read_lock(), as the callbacks of CPU hotplug are. */
static DEFINE_MUTEX(lock);
static unsigned int users;
static enum cpuhp_state hotplug;

bool counters_present(void)
{
	u64 dfr0 = read_sanitised_ftr_reg(SYS_ID_AA64DFR0_EL1);
	unsigned int version = (dfr0 >> ID_AA64DFR0_EL1_PMUVer_SHIFT) & 0xf;

	return version && version != PMU_VERSION_IMP;
}

/* The host's side of the PMU, for the guest to find it as after a reset. */
static void turn_off(void)
{
	write_sysreg(~0u, pmcntenclr_el0);
	write_sysreg(~0u, pmintenclr_el1);
	write_sysreg(~0u, pmovsclr_el0);
	isb();
}

static void count_counters(void *data)
{
	*(unsigned int *)data = PMCR_N(read_sysreg(pmcr_el0));
}

/* perf has programmed the events by now. */
static void begin_on_cpu(void *data)
{
	this_cpu_ptr(&host_counters)->pmcr = read_sysreg(pmcr_el0) & ~(PMCR_P | PMCR_C);
	turn_off();
	this_cpu_write(counters_reserved, true);
}

/* Before perf takes its events back: the guest's counters off, PMCR_EL0 as it was. */
static void end_on_cpu(void *data)
{
	this_cpu_write(counters_reserved, false);
	turn_off();
	write_sysreg(this_cpu_ptr(&host_counters)->pmcr, pmcr_el0);
	isb();
}

/* One counter of `cpu`, or an error: -EBUSY if perf has none left. */
static struct perf_event *hold(unsigned int cpu, u64 config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.config = config,
		.pinned = 1,
		.exclude_user = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	struct perf_event *event =
		perf_event_create_kernel_counter(&attr, cpu, NULL, NULL, NULL);

	if (IS_ERR(event) || READ_ONCE(event->state) == PERF_EVENT_STATE_ACTIVE)
		return event;
	/* Pinned events that do not fit are in error at once. */
	perf_event_release_kernel(event);
	return ERR_PTR(-EBUSY);
}

static void release_cpu(unsigned int cpu)
{
	struct counters *c = per_cpu_ptr(&host_counters, cpu);

	if (per_cpu(counters_reserved, cpu))
		smp_call_function_single(cpu, end_on_cpu, NULL, 1);
	while (c->held)
		perf_event_release_kernel(c->event[--c->held]);
}

/* All counters of `cpu`, or none. */
static int reserve_cpu(unsigned int cpu)
{
	struct counters *c = per_cpu_ptr(&host_counters, cpu);
	unsigned int general = 0, i;
	int err = smp_call_function_single(cpu, count_counters, &general, 1);

	for (i = 0; !err && i <= general; i++) {
		struct perf_event *event =
			hold(cpu, i ? EVENT_SW_INCR : EVENT_CPU_CYCLES);

		err = PTR_ERR_OR_ZERO(event);
		if (!err)
			c->event[c->held++] = event;
	}
	if (!err)
		err = smp_call_function_single(cpu, begin_on_cpu, NULL, 1);
	if (err) {
		pr_warn(WS_PMU_MODULE
			": CPU %u: %u of %u counters are free (perf, NMI watchdog): %d\n",
			cpu, c->held, general + 1, err);
		release_cpu(cpu);
	}
	return err;
}

static void release_all(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		release_cpu(cpu);
}

static int reserve_all(void)
{
	unsigned int cpu;
	int err;

	for_each_online_cpu(cpu) {
		err = reserve_cpu(cpu);
		if (err) {
			release_all();
			return err;
		}
	}
	return 0;
}

int counters_reserve(void)
{
	int err = 0;

	cpus_read_lock();
	mutex_lock(&lock);
	if (!users)
		err = reserve_all();
	if (!err)
		users++;
	mutex_unlock(&lock);
	cpus_read_unlock();
	return err;
}

void counters_release(void)
{
	cpus_read_lock();
	mutex_lock(&lock);
	if (!--users)
		release_all();
	mutex_unlock(&lock);
	cpus_read_unlock();
}

/* Without its counters a CPU comes up all the same: there guests are trapped. */
static int cpu_up(unsigned int cpu)
{
	mutex_lock(&lock);
	if (users)
		(void)reserve_cpu(cpu);
	mutex_unlock(&lock);
	return 0;
}

static int cpu_down(unsigned int cpu)
{
	mutex_lock(&lock);
	release_cpu(cpu);
	mutex_unlock(&lock);
	return 0;
}

int counters_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
					      WS_PMU_MODULE ":online", cpu_up, cpu_down);

	if (state < 0)
		return state;
	hotplug = (enum cpuhp_state)state;
	return 0;
}

void counters_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug);
}
