/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program /init of a lab's machine. */
#include <stdio.h>
#include <unistd.h>

#include "host/agent/agent.h"
#include "host/targets/lab/initramfs.h"

int main(void)
{
	if (getpid() != 1) {
		fputs("init: not the first process: only a lab starts this program\n",
		      stderr);
		return 2;
	}
	return lab_init_main(agent_run, agent_symbols);
}
