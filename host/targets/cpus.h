/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs the vCPUs of one VM are pinned to: each a core of its own. */
#ifndef WS_TARGET_CPUS_H
#define WS_TARGET_CPUS_H

#include <sched.h>
#include <stddef.h>

/*
 * Chooses `n` CPUs out of `allowed`: `first`, then CPUs that share a core neither with
 * it nor with each other, of the same package where there are enough. The topology is
 * that of `sysfs` ("/sys" but for tests): a machine whose cores it does not tell has
 * no second one. 0, or -ENOENT with the reason in `why`.
 */
int cpus_choose(const char *sysfs, const cpu_set_t *allowed, int first, unsigned int n,
		int *cpus, char *why, size_t why_bytes);

#endif
