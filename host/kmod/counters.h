/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own PMU registers, which a guest that is let through can write. */
#ifndef WS_KMOD_COUNTERS_H
#define WS_KMOD_COUNTERS_H

#include <linux/types.h>

/* Whether this machine has a PMU of version 3. */
bool counters_present(void);

/* On all CPUs: remember them; and put back what was remembered. */
void counters_save(void);
void counters_restore(void);

#endif
