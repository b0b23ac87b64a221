/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run loop's statistics, under the names that gem5's BaseKvmCPU gave them, as
 * documents carry them. -1: nobody counts it here.
 */
#ifndef WS_RESULT_STATISTICS_H
#define WS_RESULT_STATISTICS_H

#include <stdint.h>

struct result_statistics {
	int64_t insts;		 /* guest instructions */
	int64_t vm_exits;	 /* returns of KVM_RUN with an exit */
	int64_t vm_half_entries; /* KVM_RUN only to complete an access */
	int64_t exit_signal;	 /* KVM_RUN ended by a signal */
	int64_t mmio, coalesced_mmio, io;
	int64_t halt, interrupts, hypercalls;
};

/* Nothing is counted, or: `n` more of each that is. */
#define RESULT_STATISTICS_NONE                                                           \
	((struct result_statistics){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 })
void result_statistics_add(struct result_statistics *total,
			   const struct result_statistics *n);

#endif
