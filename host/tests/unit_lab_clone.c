/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the control of emulators, and of requests to fork servers. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/wire.h"

static struct lab_shared shared;
static struct error err;

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		alarm(30);
		pause();
		_exit(0);
	}
	return pid;
}

static int cpus_of(pid_t pid)
{
	cpu_set_t cpus;

	cr_assert_eq(sched_getaffinity(pid, sizeof(cpus), &cpus), 0);
	return CPU_COUNT(&cpus);
}

/* Begins with a QEMU, process `pid`, that says its CPU were thread `id`. */
static void begin_qemu(pid_t pid, pid_t id)
{
	struct lab_child child = { .process.pid = pid };
	char answers[128];
	int sockets[2], n;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	n = snprintf(answers, sizeof(answers),
		     "{\"return\": {}}\r\n{\"return\": [{\"thread-id\": %d}]}\r\n", id);
	cr_assert_eq(write(sockets[1], answers, (size_t)n), n);
	child.control = sockets[0];
	cr_expect_eq(lab_qemu.begin(&child), 0);
	close(sockets[0]);
	close(sockets[1]);
}

/* As root, the affinity of any process could be changed. */
Test(clone, qemu_names_only_threads_of_its_own)
{
	pid_t qemu = start_sleeper(), other = start_sleeper();
	const int all = cpus_of(other);

	if (all < 2)
		cr_skip("one CPU");
	begin_qemu(qemu, other);
	cr_expect_eq(cpus_of(other), all);
	begin_qemu(qemu, qemu);
	cr_expect_eq(cpus_of(qemu), 1);
	kill(qemu, SIGKILL);
	kill(other, SIGKILL);
}

/* A request to the fork server of Bochs at the other end of `control`. */
static int clone_bochs(struct lab_base *base)
{
	const struct lab_boot boot = { .trace_fd = -1 };
	static const uint8_t job[JOB_BYTES];
	struct lab_child child;
	int ret = lab_bochs.clone(base, &boot, &shared, job, &child, &err);

	child.end = NULL; /* no such process */
	child.process.pid = 0;
	lab_child_stop(&child);
	return ret;
}

Test(clone, a_late_reply_of_bochs_is_not_that_of_the_next_request)
{
	struct lab_base base = { .label = "lab:test", .snapshot = -1 };
	const struct clone_reply late = { .value = getpid() };
	int sockets[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	pthread_mutex_init(&base.lock, NULL);
	base.child.control = sockets[0];
	base.child.server = -1;
	interrupted = SIGINT; /* waits for 5 s only */
	cr_expect_eq(clone_bochs(&base), -ETIMEDOUT, "%s", err.text);
	interrupted = 0;
	(void)!send(sockets[1], &late, sizeof(late), MSG_NOSIGNAL);
	cr_expect_eq(clone_bochs(&base), -EPIPE, "%s", err.text);
	close(sockets[0]);
	close(sockets[1]);
}

/* The descriptors of a request come out in their slots, whichever are left out. */
Test(clone, a_request_to_a_fork_server_has_the_descriptors_that_it_says)
{
	struct lab_base base = { .label = "lab:test", .snapshot = -1 };
	const struct clone_request request = { .op = CLONE_FORK };
	const struct clone_reply reply = { .value = 7 };
	static struct clone_request got;
	struct iovec iov = { &got, sizeof(got) };
	int sockets[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	pthread_mutex_init(&base.lock, NULL);
	base.child.control = sockets[0];
	base.child.server = -1;
	for (unsigned int sent = 0; sent < 1u << CLONE_FDS; sent++) {
		char rights[CMSG_SPACE(sizeof(int) * CLONE_FDS)];
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = rights,
				      .msg_controllen = sizeof(rights) };
		struct stat was, is;
		int fds[CLONE_FDS], taken[CLONE_FDS];
		int32_t value = 0;

		for (int i = 0; i < CLONE_FDS; i++)
			fds[i] = sent >> i & 1 ? memfd_create("slot", 0) : -1;
		(void)!send(sockets[1], &reply, sizeof(reply), MSG_NOSIGNAL);
		cr_assert_eq(lab_clone_request(&base, &request, fds, 5, &value), 0);
		cr_expect_eq(value, reply.value);
		cr_assert_eq(recvmsg(sockets[1], &msg, 0), (ssize_t)sizeof(got));
		cr_assert(clone_take_fds(&got, &msg, taken), "%x", sent);
		for (int i = 0; i < CLONE_FDS; i++) {
			cr_assert_eq(taken[i] >= 0, fds[i] >= 0, "%x: slot %d", sent, i);
			if (fds[i] < 0)
				continue;
			cr_expect(!fstat(fds[i], &was) && !fstat(taken[i], &is) &&
					  was.st_ino == is.st_ino,
				  "%x: slot %d", sent, i);
			close(fds[i]);
			close(taken[i]);
		}
		/* One more than there are. */
		got.fds = (1u << CLONE_FDS) - 1;
		cr_expect(sent == got.fds || !clone_take_fds(&got, &msg, taken));
	}
	close(sockets[0]);
	close(sockets[1]);
}

static void port(int (*out)(int c, FILE *f), const char *text, FILE *f)
{
	for (; *text; text++)
		out((uint8_t)*text, f);
}

/*
 * As Bochs does, with the library of its fork server: a machine with a parallel port and
 * a page for the job, which forks at LAB_PORT_READY. Exits with 7 if it goes on behind
 * LAB_PORT_END.
 */
static void be_bochs(int control, const char *wire)
{
	static const char mark[] = LAB_PORT_PAGE_MARK;
	int (*out)(int c, FILE *f);
	void *library;
	FILE *f;
	uint8_t *page = mmap(NULL, LAB_PORT_PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	control = fcntl(control, F_DUPFD, LAB_FD_FIRST_OTHER);
	for (int fd = STDERR_FILENO + 1; fd < LAB_FD_FIRST_OTHER; fd++)
		close(fd);
	dup2(control, LAB_FD_CONTROL);
	close(control);
	library = dlopen("build/libwsbench-clone.so", RTLD_NOW);
	out = library ? (int (*)(int, FILE *))dlsym(library, "fputc") : NULL;
	f = fopen(wire, "w");
	if (!out || !f || page == MAP_FAILED)
		_exit(8);
	alarm(30);
	for (size_t i = 0; i < LAB_PORT_PAGE_BYTES; i++)
		page[i] = (uint8_t)mark[i % sizeof(mark)];
	/* Of a machine that is not a clone. */
	port(out, LAB_PORT_END, f);
	port(out, LAB_PORT_READY, f);
	port(out, "answer", f);
	port(out, LAB_PORT_END, f);
	port(out, "more", f);
	fclose(f);
	_exit(7);
}

Test(clone, of_bochs_ends_with_its_answer)
{
	struct clone_request request = { .op = CLONE_FORK };
	struct clone_reply reply = { .value = -1 };
	char wire[] = "/tmp/unit_lab_clone.XXXXXX", text[256] = "";
	int sockets[2], fd = mkstemp(wire);
	siginfo_t how = { .si_pid = 0 };
	pid_t server;

#ifdef __SANITIZE_ADDRESS__
	unlink(wire);
	cr_skip("the server searches all memory for the page: terabytes with a sanitizer");
#endif
	cr_assert_geq(fd, 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	server = fork();
	if (!server)
		be_bochs(sockets[1], wire);
	close(sockets[1]);
	cr_assert_eq(recv(sockets[0], &reply, sizeof(reply), 0), (ssize_t)sizeof(reply));
	cr_assert_eq(reply.value, 0, "no page for the job");
	cr_assert_eq(send(sockets[0], &request, sizeof(request), 0),
		     (ssize_t)sizeof(request));
	cr_assert_eq(recv(sockets[0], &reply, sizeof(reply), 0), (ssize_t)sizeof(reply));
	cr_assert_gt(reply.value, 0);
	request = (struct clone_request){ .op = CLONE_END, .pid = reply.value };
	/* It ends by itself. */
	for (int tries = 0; tries < 3000 && !strstr(text, "answer"); tries++) {
		usleep(10000);
		cr_assert_geq(pread(fd, text, sizeof(text) - 1, 0), 0);
	}
	usleep(100000);
	cr_assert_eq(send(sockets[0], &request, sizeof(request), 0),
		     (ssize_t)sizeof(request));
	cr_assert_eq(recv(sockets[0], &reply, sizeof(reply), 0), (ssize_t)sizeof(reply));
	cr_expect(WIFEXITED(reply.value) && !WEXITSTATUS(reply.value), "%x", reply.value);
	cr_assert_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
	cr_expect_not_null(strstr(text, "answer" LAB_PORT_END));
	cr_expect_null(strstr(text, "more"));
	close(sockets[0]); /* ends the server */
	cr_expect_eq(waitid(P_PID, (id_t)server, &how, WEXITED), 0);
	cr_expect_eq(how.si_status, EXIT_SUCCESS);
	close(fd);
	unlink(wire);
}
