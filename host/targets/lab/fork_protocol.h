/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between wsbench (fork_request.c) and the fork server inside Bochs
 * (bochs/fork_server.c) or QEMU (qemu/fork_server.c), over a SOCK_SEQPACKET socket that
 * the emulator inherits. Bochs sends one reply when its machine is ready, QEMU when its
 * main loop begins; then each request is answered by one reply.
 */
#ifndef WS_TARGETS_LAB_FORK_PROTOCOL_H
#define WS_TARGETS_LAB_FORK_PROTOCOL_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/targets/job.h"

enum clone_op {
	CLONE_FORK = 1, /* with descriptors: start a clone with this job */
	CLONE_END,	/* kill the clone `pid` if it runs, and wait for it */
	CLONE_SAVE,	/* with a file: write the process to it (bochs/image.c) */
};

/* The descriptors that come with a request, in this order. */
enum clone_fd {
	CLONE_FD_WIRE,
	CLONE_FD_CONSOLE,
	CLONE_FD_MESSAGES,
	CLONE_FD_TRACE, /* optional: the clone's records (host/explain/record.h) */
	CLONE_FD_QMP,	/* of QEMU: the clone's end of QMP */
	CLONE_FD_IMAGE, /* of CLONE_SAVE */
	CLONE_FDS
};

/* A function of the Bochs of emulator.sh: 0 or a negative errno. */
#define CLONE_TRACE_FUNCTION "worldswitch_trace"

/* Set: a QEMU that is to be a fork server. */
#define CLONE_SERVER_VARIABLE "WORLDSWITCH_SERVER"

struct clone_request {
	uint32_t op;
	uint32_t fds; /* which come with it: a bit for each enum clone_fd */
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
 * The descriptors that came with a request, and -1 for each other one. False: `msg` has
 * not as many as the request says, and they stay open.
 */
static inline bool clone_take_fds(const struct clone_request *request, struct msghdr *msg,
				  int fds[CLONE_FDS])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int each[CLONE_FDS], n = 0;

	for (int i = 0; i < CLONE_FDS; i++) {
		n += request->fds >> i & 1;
		fds[i] = -1;
	}
	if (!n)
		return !c;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int) * (size_t)n))
		return false;
	memcpy(each, CMSG_DATA(c), sizeof(int) * (size_t)n);
	n = 0;
	for (int i = 0; i < CLONE_FDS; i++)
		if (request->fds >> i & 1)
			fds[i] = each[n++];
	return true;
}

/* CLONE_END in a server: the reply. */
static inline int32_t clone_end(pid_t pid)
{
	int status = 0;
	pid_t ended;

	kill(pid, SIGKILL);
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == pid ? status : -ECHILD;
}

#endif
