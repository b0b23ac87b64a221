/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child process that never outlives us. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/interrupt.h"
#include "host/lib/child.h"
#include "host/lib/interrupt.h"

/* In the child: never returns. An exec that fails tells its errno to `tell_fd`. */
static void become(const char *const *argv, int out_fd, int tell_fd, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), err;

	/* Its own group: a Ctrl-C is ours to handle, and reaches it through us. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* we died before the line above */
	dup2(null, STDIN_FILENO);
	dup2(out_fd >= 0 ? out_fd : null, STDOUT_FILENO);
	dup2(out_fd >= 0 ? out_fd : null, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	err = errno;
	if (write(tell_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int child_start(struct child *c, const char *const *argv, int out_fd)
{
	int tell[2], err = 0;
	pid_t parent = getpid();
	ssize_t got;

	c->pid = -1;
	c->pidfd = -1;
	if (pipe2(tell, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid < 0) {
		err = errno;
		close(tell[0]);
		close(tell[1]);
		return -err;
	}
	if (!c->pid)
		become(argv, out_fd, tell[1], parent);
	close(tell[1]);
	/* Closed by a successful exec. */
	do
		got = read(tell[0], &err, sizeof(err));
	while (got < 0 && errno == EINTR);
	close(tell[0]);
	if (got > 0) {
		child_end(c);
		return -err;
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0) {
		err = errno;
		child_end(c);
		return -err;
	}
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int child_wait(struct child *c, uint64_t timeout_ns, int *status)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	uint64_t end = now_ns() + timeout_ns;

	while (!interrupted) {
		uint64_t now = now_ns();

		if (now >= end)
			return -ETIMEDOUT;
		/* In slices, so that a signal just before poll() is seen. */
		if (poll(&p, 1,
			 (int)((end - now) / 1000000 < 100 ? (end - now) / 1000000 + 1
							   : 100)) > 0) {
			if (waitpid(c->pid, status, 0) != c->pid)
				return -errno;
			c->pid = -1;
			return 0;
		}
	}
	return -EINTR;
}

void child_end(struct child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		c->pid = -1;
	}
	if (c->pidfd >= 0) {
		close(c->pidfd);
		c->pidfd = -1;
	}
}
