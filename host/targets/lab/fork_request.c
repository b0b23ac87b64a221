/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to a fork server in an emulator: bochs/fork_server.c, qemu/fork_server.c. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/session.h"

/* Also after a signal, for a while: a clone is ended by a request. */
#define REPLY_LAST_MS 5000

/* One reply of a fork server. 0, -EPIPE, -ETIMEDOUT, -ETIME, or another negative errno.
 */
static int get_reply(const struct lab_child *child, int socket, int32_t *value)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	const struct lab_limit limit = lab_limit_begin(child);
	struct clone_reply reply;
	int ret = 0, last_ms = REPLY_LAST_MS;
	ssize_t n;

	while ((!ret || (ret == -EINTR && last_ms > 0)) && poll(&fd, 1, 100) <= 0) {
		ret = lab_limit_check(&limit);
		if (ret == -EINTR)
			last_ms -= 100;
	}
	n = recv(socket, &reply, sizeof(reply), MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN ? -errno : ret == -ETIME ? ret : -ETIMEDOUT;
	if (n != sizeof(reply))
		return -EPIPE;
	*value = reply.value;
	return 0;
}

static int socket_of(const struct lab_child *server)
{
	return server->server >= 0 ? server->server : server->control;
}

int lab_clone_reply(const struct lab_child *server, int32_t *value)
{
	return get_reply(server, socket_of(server), value);
}

int lab_clone_request(struct lab_base *base, const struct clone_request *request,
		      const int *fds, time_t answer_s, int32_t *value)
{
	const int socket = socket_of(&base->child);
	struct lab_child server = base->child;
	struct clone_request sent = *request;
	char rights[CMSG_SPACE(sizeof(int) * CLONE_FDS)] = { 0 };
	struct iovec iov = { &sent, sizeof(sent) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int each[CLONE_FDS], ret = 0;
	size_t n_fds = 0;

	sent.fds = 0;
	for (int i = 0; fds && i < CLONE_FDS; i++) {
		if (fds[i] < 0)
			continue;
		sent.fds |= 1u << i;
		each[n_fds++] = fds[i];
	}
	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = rights;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), each, sizeof(int) * n_fds);
	}
	server.answer_s = answer_s;
	pthread_mutex_lock(&base->lock);
	if (sendmsg(socket, &msg, MSG_NOSIGNAL) != sizeof(sent))
		ret = -errno;
	if (!ret)
		ret = get_reply(&server, socket, value);
	if (ret) {
		shutdown(socket, SHUT_RDWR);
		__atomic_store_n(&base->lost, true, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&base->lock);
	return ret;
}

/* Kills a clone. Returns its status as waitpid() does. */
static int end_clone(struct lab_base *base, pid_t pid)
{
	const struct clone_request request = { .op = CLONE_END, .pid = pid };
	int32_t status = 0;

	/* When the fork server ends, its clones are killed. */
	return lab_clone_request(base, &request, NULL, LAB_SILENCE_S, &status) ||
			       status < 0
		       ? 0
		       : status;
}

int lab_clone_fork(struct lab_base *base, struct clone_request *request, int *fds,
		   time_t answer_s, struct lab_child *child, struct error *err)
{
	int32_t pid = 0;
	int ret;

	lab_child_init(child);
	ret = lab_child_pipes(child, &fds[CLONE_FD_CONSOLE], &fds[CLONE_FD_MESSAGES]);
	if (!ret)
		ret = lab_clone_request(base, request, fds, answer_s, &pid);
	if (!ret && pid < 0)
		ret = pid;
	if (fds[CLONE_FD_CONSOLE] >= 0)
		close(fds[CLONE_FD_CONSOLE]);
	if (fds[CLONE_FD_MESSAGES] >= 0)
		close(fds[CLONE_FD_MESSAGES]);
	if (ret)
		return error_set(err, ret, "%s: cannot clone the machine: %s",
				 base->label, strerror(-ret));
	child->process.pid = pid;
	child->end = end_clone;
	child->base = base;
	return 0;
}
