/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's counters of all CPUs: perf's, or reserved for guests that are let through. */
#ifndef WS_KMOD_COUNTERS_H
#define WS_KMOD_COUNTERS_H

#include <linux/percpu.h>
#include <linux/types.h>

/* Whether this machine has a PMU of version 3. */
bool counters_present(void);

/* With the module: watches CPUs that come and go. 0 or -errno. */
int counters_init(void);
void counters_exit(void);

/*
 * Takes all counters of all CPUs from perf, and gives them back with the last user.
 * -EBUSY if perf has pinned an event to one of them; then it keeps all. May sleep.
 */
int counters_reserve(void);
void counters_release(void);

/* Whether this CPU's are reserved: one that came up since may have failed to. */
DECLARE_PER_CPU(bool, counters_reserved);

#endif
