/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child process that never outlives us. */
#ifndef WS_TARGET_CHILD_H
#define WS_TARGET_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int pidfd;
};

/*
 * Starts argv[0] (looked up in PATH) with stdin from /dev/null, stdout and
 * stderr to `out_fd` (-1: /dev/null). Descriptors without CLOEXEC are
 * inherited. If we die, it is killed. 0, or -errno: -ENOENT if there is no such
 * program.
 */
int child_start(struct child *c, const char *const *argv, int out_fd);

/*
 * Waits until it ends, `timeout_ns` are over (-ETIMEDOUT) or interrupted
 * is set (-EINTR). 0 with its wait status, see waitpid().
 */
int child_wait(struct child *c, uint64_t timeout_ns, int *status);

/* Kills it if it still runs, and reaps it. Safe after child_wait(). */
void child_end(struct child *c);

#endif
