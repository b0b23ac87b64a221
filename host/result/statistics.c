/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding up the run loop's statistics over boots. */
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
