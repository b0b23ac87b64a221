/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and stopping the emulator. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/bochs.h"
#include "host/targets/lab/child.h"
#include "host/targets/lab/fail.h"

/*
 * Room in the pipes. If the console's were full, the emulated serial port would
 * wait for us, and the guest would see how slow we are.
 */
#define PIPE_BYTES (1 << 20)

/* What the child's descriptors 0, 1, 2, ... are to be. */
#define CHILD_FDS LAB_FD_FIRST_OTHER

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void lab_child_init(struct lab_child *c)
{
	*c = (struct lab_child){ .console = -1, .messages = -1, .control = -1 };
}

static int open_pipe(int *read_end, int *write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*read_end = fds[0];
	*write_end = fds[1];
	/* Only our end: whoever writes into a full pipe shall wait. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK))
		return -errno;
	/* Less will do where the limit is lower. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
	return 0;
}

/* In the child: async-signal-safe calls only, and it does not return. */
static void become(char *const *argv, char *const *environment, const int fds[CHILD_FDS],
		   pid_t parent)
{
	int high[CHILD_FDS];
	sigset_t none;

	setpgid(0, 0);
	/* The parent may have died before the call: then there is another by now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(126);
	/* First out of the way, lest one lands on another that is still needed. */
	for (int i = 0; i < CHILD_FDS; i++)
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FDS);
	for (int i = 0; i < CHILD_FDS; i++)
		if (fds[i] >= 0 && dup2(high[i], i) < 0)
			_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execve(argv[0], argv, environment);
	dprintf(STDERR_FILENO, "cannot run it: %s\n", strerror(errno));
	_exit(127);
}

static bool is_among(const char *const *list, const char *variable)
{
	size_t name_bytes = strcspn(variable, "=") + 1;

	for (; list && *list; list++)
		if (!strncmp(*list, variable, name_bytes))
			return true;
	return false;
}

/* Our environment with some variables added or replaced; NULL: out of memory. */
static char **environment_with(const char *const *added)
{
	size_t n_added = 0, n = 0;
	char **all;

	while (added && added[n_added])
		n_added++;
	while (environ[n])
		n++;
	all = malloc((n_added + n + 1) * sizeof(*all));
	if (!all)
		return NULL;
	n = 0;
	for (size_t i = 0; i < n_added; i++)
		all[n++] = (char *)added[i];
	for (size_t i = 0; environ[i]; i++)
		if (!is_among(added, environ[i]))
			all[n++] = environ[i];
	all[n] = NULL;
	return all;
}

int lab_child_pipes(struct lab_child *c, int *console, int *messages)
{
	int ret = open_pipe(&c->messages, messages);

	return ret ? ret : open_pipe(&c->console, console);
}

int lab_child_start(struct lab_child *c, const struct lab_command *cmd, int wire_fd,
		    int control_type, struct error *err)
{
	char **environment = environment_with(cmd->environment);
	int fds[CHILD_FDS], sockets[2] = { -1, -1 }, ret;
	pid_t parent = getpid();

	lab_child_init(c);
	memcpy(fds, cmd->fds, sizeof(fds));
	fds[LAB_FD_WIRE] = wire_fd;
	fds[STDIN_FILENO] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ret = fds[STDIN_FILENO] < 0 ? -errno : environment ? 0 : -ENOMEM;
	if (!ret)
		ret = lab_child_pipes(c, &fds[LAB_FD_CONSOLE], &fds[STDERR_FILENO]);
	if (!ret && socketpair(AF_UNIX, control_type | SOCK_CLOEXEC, 0, sockets))
		ret = -errno;
	c->control = sockets[0];
	fds[LAB_FD_CONTROL] = sockets[1];
	fds[STDOUT_FILENO] = fds[STDERR_FILENO];
	if (!ret) {
		c->pid = fork();
		if (!c->pid)
			become(cmd->argv, environment, fds, parent);
		if (c->pid < 0) {
			ret = -errno;
			c->pid = 0;
		} else {
			/* Also here: it must be so before we signal the group. */
			setpgid(c->pid, c->pid);
		}
	}
	free(environment);
	close_fd(&fds[STDIN_FILENO]);
	close_fd(&fds[STDERR_FILENO]);
	close_fd(&fds[LAB_FD_CONSOLE]);
	close_fd(&fds[LAB_FD_CONTROL]);
	if (!ret)
		return 0;
	lab_child_stop(c);
	return error_set(err, ret, "cannot start %s: %s", cmd->argv[0], strerror(-ret));
}

static int reap(struct lab_child *c, int flags, int *status)
{
	pid_t pid;

	do
		pid = waitpid(c->pid, status, flags);
	while (pid < 0 && errno == EINTR);
	if (pid == c->pid)
		c->pid = 0;
	return c->pid ? -EAGAIN : 0;
}

int lab_child_stop(struct lab_child *c)
{
	int status = 0;

	if (c->pid && c->of) {
		status = lab_bochs_end(c->of, c->pid);
		c->pid = 0;
	} else if (c->pid) {
		kill(-c->pid, SIGKILL);
		reap(c, 0, &status);
	}
	close_fd(&c->console);
	close_fd(&c->messages);
	close_fd(&c->control);
	return status;
}

int lab_child_finish(struct lab_child *c)
{
	static const struct timespec pause_time = { .tv_nsec = 10000000 };
	int status = 0;

	for (int i = 0; c->pid && !c->of && i < 100; i++) {
		if (!reap(c, WNOHANG, &status)) {
			lab_child_stop(c);
			return status;
		}
		nanosleep(&pause_time, NULL);
	}
	return lab_child_stop(c);
}
