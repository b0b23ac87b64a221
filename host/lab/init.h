/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of a lab's machine. */
#ifndef WS_LAB_INIT_H
#define WS_LAB_INIT_H

#include "host/lab/wire.h"

/*
 * For the process that a lab's kernel starts as /init, and only for it: mounts what
 * a program expects, loads the modules, opens the wire, says HELLO, reads the job's
 * argv and calls `run` with it in a child process. What `run` returns goes out as
 * the exit code of the END frame, unless it sent END or FAILURE itself; if it
 * crashes, FAILURE says so. Then the machine is powered off: this does not return.
 */
int lab_init_main(int (*run)(int argc, char **argv, struct lab_wire *wire));

/*
 * The parameters for module `name` from a kernel command line, as modprobe would
 * take them: "kvm-amd.npt=0" becomes "npt=0". Cut to `room`.
 */
void lab_module_parameters(const char *cmdline, const char *name, char *out, size_t room);

#endif
