/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMM's own signals, and what their handlers may do. */
#ifndef WS_VMM_SIGNALS_H
#define WS_VMM_SIGNALS_H

#include <signal.h>

/* Real-time signals, which nothing else here uses. */
#define SIGNAL_TIMER	(SIGRTMIN + 0)
#define SIGNAL_KICK	(SIGRTMIN + 1)
#define SIGNAL_WATCHDOG (SIGRTMIN + 2)

/*
 * Async-signal-safe: the KVM_RUN of this thread returns, or, if it is not in one, the
 * next one does at once. Whoever calls it must leave a flag that says why.
 */
void vcpu_leave_self(void);

#endif
