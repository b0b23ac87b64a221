/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT and SIGTERM. */
#ifndef WS_LIB_INTERRUPT_H
#define WS_LIB_INTERRUPT_H

/*
 * The number of the signal that arrived, or 0. The handlers are installed without
 * SA_RESTART: a blocking call returns -EINTR, and its caller checks this variable.
 */
extern volatile int interrupted;

/* `hook`: called by the handler, async-signal-safe; NULL: nothing. */
void interrupt_catch(void (*hook)(void));

/*
 * After all documents are written and all emulators have ended: ends the process by the
 * signal that arrived, so that the shell sees the cause. Without a signal, returns.
 */
void interrupt_pass_on(void);

#endif
