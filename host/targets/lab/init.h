/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of a lab's machine. */
#ifndef WS_LAB_INIT_H
#define WS_LAB_INIT_H

#include <stddef.h>

struct job;	 /* host/targets/job.h */
struct lab_wire; /* wire.h */

/* Executes a job and sends its answer without END. Returns an exit code. */
typedef int lab_job_runner(const struct job *job, struct lab_wire *wire);

/*
 * The main function of /init in a lab's machine: mounts file systems, loads modules,
 * opens the wire, and waits for a job. A clone then sends HELLO and calls `run` in a
 * child process. The END frame has the return value of `run`, unless `run` has sent
 * FAILURE; a crash of the child is a FAILURE. Powers the machine off and does not return.
 */
int lab_init_main(lab_job_runner *run);

/*
 * The parameters for module `name` from a kernel command line, as modprobe would
 * take them: "kvm-amd.npt=0" becomes "npt=0". Cut to `room`.
 */
void lab_module_parameters(const char *cmdline, const char *name, char *out, size_t room);

#endif
