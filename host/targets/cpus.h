/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUs of the host: where vCPUs are pinned, and what interferes with them. */
#ifndef WS_TARGETS_CPUS_H
#define WS_TARGETS_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Chooses `n` CPUs of `allowed`: `first`, then CPUs that share a core neither with
 * `first` nor with each other, from the package of `first` if it has enough. The topology
 * is that of `sysfs` ("/sys", except in tests); a machine without a topology has one
 * core. 0, or -ENOENT with the reason in `why`.
 */
int cpus_choose(const char *sysfs, const cpu_set_t *allowed, int first, unsigned int n,
		int *cpus, char *why, size_t why_bytes);

/* `n` CPUs of `allowed`, `first` (or -1: any) among them, whatever core they are of. */
bool cpus_any(const cpu_set_t *allowed, int first, unsigned int n, int *cpus);

/* Counters of the host that only grow; -1: unknown. */
struct interference {
	int64_t interrupts;	      /* of interrupts_taken(), or -1 */
	int64_t involuntary_switches; /* of the calling thread */
	int cpu_now;
};

/* The interrupts that `cpu` has taken, or all CPUs if cpu < 0; slow: /proc/interrupts. */
int64_t interrupts_taken(int cpu);

/* All but the interrupts. */
void interference_read(struct interference *now);

#endif
