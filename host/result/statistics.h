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

/*
 * What the host counted on the vCPU thread during the timed events, split into guest
 * and host. -1: not counted here; `reason` says why the hardware's are not.
 */
struct result_host_counters {
	const char *source; /* "hardware", "software"; NULL: nobody asked */
	const char *reason;
	int64_t guest_cycles;
	int64_t guest_insns;
	int64_t host_cycles;
	int64_t host_insns;
	int64_t task_clock_ns;
	int64_t context_switches;
};

#define RESULT_HOST_COUNTERS_NONE                                                        \
	((struct result_host_counters){ NULL, NULL, -1, -1, -1, -1, -1, -1 })
void result_host_counters_add(struct result_host_counters *total,
			      const struct result_host_counters *n);

#endif
