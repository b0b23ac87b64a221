/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding up what was counted over boots. */
#include "host/result/statistics.h"

static void add(int64_t *total, int64_t n)
{
	if (n >= 0)
		*total = (*total < 0 ? 0 : *total) + n;
}

void result_statistics_add(struct result_statistics *total,
			   const struct result_statistics *n)
{
	add(&total->insts, n->insts);
	add(&total->vm_exits, n->vm_exits);
	add(&total->vm_half_entries, n->vm_half_entries);
	add(&total->exit_signal, n->exit_signal);
	add(&total->mmio, n->mmio);
	add(&total->coalesced_mmio, n->coalesced_mmio);
	add(&total->io, n->io);
	add(&total->halt, n->halt);
	add(&total->interrupts, n->interrupts);
	add(&total->hypercalls, n->hypercalls);
}

void result_host_counters_add(struct result_host_counters *total,
			      const struct result_host_counters *n)
{
	if (n->source)
		total->source = n->source;
	if (n->reason)
		total->reason = n->reason;
	add(&total->guest_cycles, n->guest_cycles);
	add(&total->guest_insns, n->guest_insns);
	add(&total->host_cycles, n->host_cycles);
	add(&total->host_insns, n->host_insns);
	add(&total->task_clock_ns, n->task_clock_ns);
	add(&total->context_switches, n->context_switches);
}
