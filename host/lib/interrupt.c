/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT and SIGTERM. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/interrupt.h"

volatile int interrupted;

static void (*volatile interrupt_hook)(void);

static void on_signal(int sig)
{
	interrupted = sig;
	if (interrupt_hook)
		interrupt_hook();
}

void interrupt_catch(void (*hook)(void))
{
	struct sigaction action = { .sa_handler = on_signal };

	interrupt_hook = hook;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void interrupt_pass_on(void)
{
	if (!interrupted)
		return;
	fflush(NULL);
	signal(interrupted, SIG_DFL);
	raise(interrupted);
}
