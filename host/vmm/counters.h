/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts during a run: KVM's binary statistics
 * (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD), and perf events of a vCPU thread.
 */
#ifndef WS_VMM_COUNTERS_H
#define WS_VMM_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/vmm/vmm.h"

/* Closes what vcpu_kvm_stat() opened; for vm_destroy(). */
void vcpu_kvm_stats_close(struct vcpu *vcpu);

/*
 * A counter of a VM, by KVM's name for it. vm_stat_read(): -1 where this KVM lacks the
 * counter. A counter of zeros is not open.
 */
struct vm_stat {
	bool is_open;
	int fd;
	int64_t offset;
};
void vm_stat_open(struct vm_stat *stat, const struct vm *vm, const char *name);
int64_t vm_stat_read(const struct vm_stat *stat);
void vm_stat_close(struct vm_stat *stat);

/*
 * Compares the run loop's counters with KVM's counters of the same events. The number of
 * counters compared, or -EINVAL with the first that differs.
 */
int stats_cross_check(struct vcpu *vcpu, struct error *err);

/*
 * The host's counters of a vCPU thread, split into guest (exclude_host) and host
 * (exclude_guest). Where there is no usable hardware PMU only software events count, with
 * the reason. A value that was not counted is never estimated.
 */
enum perf_event {
	PERF_GUEST_CYCLES, /* group leader */
	PERF_GUEST_INSNS,
	PERF_HOST_CYCLES, /* group leader */
	PERF_HOST_INSNS,
	PERF_TASK_CLOCK_NS, /* group leader; software: always available */
	PERF_CONTEXT_SWITCHES,
	PERF_EVENTS,
};

struct perf_counters {
	int fd[PERF_EVENTS]; /* -1: not counted */
	char why[160];	     /* why no hardware event counts; "": they count */
};

struct perf_values {
	/* Valid where `counted`: the event exists and was never multiplexed. */
	uint64_t value[PERF_EVENTS];
	bool counted[PERF_EVENTS];
};

/* "guest_cycles"; the name in documents. */
const char *perf_name(enum perf_event event);

/*
 * Starts counting the calling thread, from zero. 0, also if only software events count
 * (p->why), or -errno with p->why if nothing counts. perf_close() in any case.
 */
int perf_open(struct perf_counters *p);
void perf_close(struct perf_counters *p);

/* From any thread. A phase costs the difference of two readings. 0 or -errno. */
int perf_read(const struct perf_counters *p, struct perf_values *values);

#endif
