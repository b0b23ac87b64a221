/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host did meanwhile: interrupts, switches, migrations. */
#ifndef WS_TARGET_INTERFERENCE_H
#define WS_TARGET_INTERFERENCE_H

#include <stdint.h>

/* Counters that only grow; -1 where this machine does not tell. */
struct interference {
	int64_t interrupts;	      /* taken by `cpu`, or by all CPUs if cpu < 0 */
	int64_t involuntary_switches; /* of the calling thread */
	int cpu_now;
};

void interference_read(int cpu, struct interference *now);

#endif
