/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between wsbench and the fork server inside Bochs (clone.c) or QEMU
 * (../qemu/clone.c), over a SOCK_SEQPACKET socket that the emulator inherits. Bochs sends
 * one reply when its machine is ready, QEMU when its main loop begins; then each request
 * is answered by one reply.
 */
#ifndef WS_TARGETS_LAB_BOCHS_CLONE_H
#define WS_TARGETS_LAB_BOCHS_CLONE_H

#include <stdint.h>

#include "host/targets/job.h"

enum clone_op {
	CLONE_FORK = 1, /* with descriptors: start a clone with this job */
	CLONE_END,	/* kill the clone `pid` if it runs, and wait for it */
	CLONE_SAVE,	/* with a file: write the process to it (image.c) */
};

/* The descriptors that come with CLONE_FORK, in this order; the last one is optional. */
enum clone_fd {
	CLONE_FD_WIRE,
	CLONE_FD_CONSOLE,
	CLONE_FD_MESSAGES,
	CLONE_FD_TRACE, /* the clone records its instructions (host/explain/record.h) */
	CLONE_FD_CONTROL = CLONE_FD_TRACE, /* of QEMU: the clone's end of QMP */
	CLONE_FDS
};

/* A function of the Bochs of emulator.sh: 0 or a negative errno. */
#define CLONE_TRACE_FUNCTION "worldswitch_trace"

/* Set: a QEMU that is to be a fork server. */
#define CLONE_SERVER_VARIABLE "WORLDSWITCH_SERVER"

struct clone_request {
	uint32_t op;
	int32_t pid;
	uint8_t job[JOB_BYTES]; /* of QEMU, the job is on the wire */
};

/*
 * `value`: 0 when the machine is ready; the clone's pid; its status as waitpid() returns
 * it; or a negative errno.
 */
struct clone_reply {
	int32_t value;
};

/*
 * image.c: the process of Bochs as a file, from which a later Bochs continues.
 *
 * clone_image_save() returns 0, a negative errno, or, in the process that continues, 1.
 * clone_image_restore() returns if there is no image to continue from, or ends the
 * process if the image is not one of a process like this.
 */
int clone_image_save(int fd) __attribute__((returns_twice));
void clone_image_restore(void);

#endif
