/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulator's process: its command and its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/emulator.h"

/*
 * Room in the pipes. The emulated serial port would wait for room in the console's pipe,
 * and the wait would be visible to the guest.
 */
#define PIPE_BYTES (1 << 20)

void lab_command_init(struct lab_command *cmd)
{
	*cmd = (struct lab_command){ .argv = NULL, .server = -1 };
	for (int i = 0; i < LAB_FD_FIRST_OTHER; i++)
		cmd->fds[i] = -1;
}

void lab_command_free(struct lab_command *cmd)
{
	free(cmd->argv);
	for (int i = 0; i < LAB_FD_FIRST_OTHER; i++)
		if (cmd->fds[i] >= 0)
			close(cmd->fds[i]);
	if (cmd->server >= 0)
		close(cmd->server);
	lab_command_init(cmd);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void lab_child_init(struct lab_child *c)
{
	*c = (struct lab_child){
		.console = -1, .messages = -1, .control = -1, .server = -1
	};
}

static int open_pipe(int *read_end, int *write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*read_end = fds[0];
	*write_end = fds[1];
	/* Only the read end: a writer waits while the pipe is full. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK))
		return -errno;
	/* The default size is sufficient where the limit is lower. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
	return 0;
}

int lab_child_pipes(struct lab_child *c, int *console, int *messages)
{
	int ret = open_pipe(&c->messages, messages);

	return ret ? ret : open_pipe(&c->console, console);
}

int lab_child_start(struct lab_child *c, const struct lab_command *cmd, int wire_fd,
		    int control_type, struct error *err)
{
	int fds[LAB_FD_FIRST_OTHER], sockets[2] = { -1, -1 }, ret;

	lab_child_init(c);
	c->answer_s = cmd->answer_s;
	c->deadline_s = cmd->deadline_s;
	memcpy(fds, cmd->fds, sizeof(fds));
	fds[LAB_FD_WIRE] = wire_fd;
	ret = lab_child_pipes(c, &fds[LAB_FD_CONSOLE], &fds[STDERR_FILENO]);
	if (!ret && socketpair(AF_UNIX, control_type | SOCK_CLOEXEC, 0, sockets))
		ret = -errno;
	c->control = sockets[0];
	if (cmd->server >= 0)
		c->server = fcntl(cmd->server, F_DUPFD_CLOEXEC, 0);
	fds[LAB_FD_CONTROL] = sockets[1];
	fds[STDOUT_FILENO] = fds[STDERR_FILENO];
	if (!ret)
		ret = process_start(&c->process,
				    &(struct process_start){
					    .argv = (const char *const *)cmd->argv,
					    .environment = cmd->environment,
					    .fds = fds,
					    .n_fds = LAB_FD_FIRST_OTHER,
					    .confine = cmd->confine,
					    .fixed_addresses = cmd->fixed_addresses,
				    });
	close_fd(&fds[STDERR_FILENO]);
	close_fd(&fds[LAB_FD_CONSOLE]);
	close_fd(&fds[LAB_FD_CONTROL]);
	if (!ret)
		return 0;
	lab_child_stop(c);
	/* Not -ENOENT, which callers report as a wrong argument of the user. */
	return error_set(err, ret == -ENOENT ? -EIO : ret, "cannot start %s: %s",
			 cmd->argv[0], strerror(-ret));
}

int lab_child_stop(struct lab_child *c)
{
	int status = 0;

	if (c->end && c->process.pid)
		status = c->end(c->base, c->process.pid);
	else
		status = process_stop(&c->process);
	c->process.pid = 0;
	close_fd(&c->console);
	close_fd(&c->messages);
	close_fd(&c->control);
	close_fd(&c->server);
	return status;
}

int lab_child_finish(struct lab_child *c)
{
	int status = 0;

	if (!c->end && c->process.pid &&
	    !process_wait(&c->process, 1000000000, &status)) {
		lab_child_stop(c);
		return status;
	}
	return lab_child_stop(c);
}

time_t lab_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

bool lab_waits_for_cpu(const struct process_waits *now, const struct process_waits *later)
{
	return now->runnable && later->runnable && later->run_ns == now->run_ns;
}

/* Longer than a tick, which brings the run time up to date. */
static const struct timespec tick_wait = { .tv_nsec = 20000000 };

bool lab_is_over(pid_t pid, time_t begin_s, const struct process_waits *waits,
		 time_t limit_s)
{
	const time_t passed = lab_now_s() - begin_s;
	struct process_waits now, later;

	/* The waits are read from files. */
	if (passed <= limit_s)
		return false;
	now = process_waits(pid);
	if (passed - (time_t)(process_waited_ns(waits, &now) / 1000000000u) <= limit_s)
		return false;
	if (!now.runnable)
		return true;
	/* A wait counts when it has ended. */
	nanosleep(&tick_wait, NULL);
	later = process_waits(pid);
	return !lab_waits_for_cpu(&now, &later);
}

struct lab_limit lab_limit_begin(const struct lab_child *c)
{
	return (struct lab_limit){ c, lab_now_s(), process_waits(c->process.pid) };
}

int lab_limit_check(const struct lab_limit *l)
{
	if (interrupted)
		return -EINTR;
	if (l->child->deadline_s && lab_now_s() >= l->child->deadline_s)
		return -ETIME;
	return lab_is_over(l->child->process.pid, l->begin_s, &l->waits,
			   l->child->answer_s)
		       ? -ETIMEDOUT
		       : 0;
}
