/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulator as a process: started with its descriptors, stopped without trace. */
#ifndef WS_LAB_CHILD_H
#define WS_LAB_CHILD_H

#include <sys/types.h>

#include "host/lib/error.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/target.h"

/* Read ends, non-blocking, of what the emulator writes; -1: none. */
struct lab_child {
	pid_t pid; /* 0: not running */
	int console;
	int messages; /* its standard output and error */
	int control;  /* our end of LAB_FD_CONTROL; blocking */
	/* A fork of another child, which ends it by this; NULL: a child of ours. */
	struct lab_base *of;
};

/* No process, no descriptors: what lab_child_stop() can be called with. */
void lab_child_init(struct lab_child *c);

/*
 * Starts the emulator in a process group of its own, so that a terminal's
 * Ctrl-C is ours to handle, with the descriptors of enum lab_fd, and such that it
 * dies if the calling thread does, however that happens. LAB_FD_CONTROL is one end of a
 * socket pair of type `control_type`. 0 or a negative errno.
 */
int lab_child_start(struct lab_child *c, const struct lab_command *cmd, int wire_fd,
		    int control_type, struct error *err);

/* The pipes of a child: its write ends go to `fds`, ours into `c`. */
int lab_child_pipes(struct lab_child *c, int *console, int *messages);

/* Kills it if it runs, waits for it, closes the descriptors. Returns the status as
 * waitpid() gives it, or 0. */
int lab_child_stop(struct lab_child *c);

/* Waits for an emulator that has closed its descriptors; at most a second, then
 * it is killed. Returns as lab_child_stop(). */
int lab_child_finish(struct lab_child *c);

#endif
