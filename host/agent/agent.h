/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the first process of a lab's machine calls: lab_init_main(). */
#ifndef WS_AGENT_AGENT_H
#define WS_AGENT_AGENT_H

#include <stdbool.h>

struct job;
struct lab_wire;

/* A lab_job_runner (targets/lab/initramfs.h). */
int agent_run(const struct job *job, struct lab_wire *wire);

/* A lab_symbols_sender. */
void agent_symbols(struct lab_wire *wire, bool l0);

#endif
