/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of confinement: what a guest that has broken out could still do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/process.h"

/* Attempts that succeeded, and the last bit: confine_enter() lacks something. */
enum escape {
	WROTE_FILE = 1 << 0,
	READ_FILE = 1 << 1,
	OPENED_SOCKET = 1 << 2,
	EXECUTED = 1 << 3,
	TRACED = 1 << 4,
	SENT_SIGNAL = 1 << 5,
	BECAME_ROOT = 1 << 6,
};

static pid_t victim(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* What the process can do that called this function. */
static int escapes(pid_t other)
{
	char path[] = "/tmp/worldswitch-escape-XXXXXX";
	int done = 0, fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		done |= READ_FILE;
	fd = mkstemp(path);
	if (fd >= 0) {
		unlink(path);
		done |= WROTE_FILE;
	}
	if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		done |= OPENED_SOCKET;
	if (!ptrace(PTRACE_ATTACH, other, 0, 0))
		done |= TRACED;
	if (!kill(other, 0))
		done |= SENT_SIGNAL;
	if (!setresuid(0, 0, 0))
		done |= BECAME_ROOT;
	/* A program that exits with this status. */
	execl("/bin/sh", "sh", "-c", "exit 127", NULL);
	return done;
}

/* The exit status of a child that calls escapes(), after confinement as a VMM if `c`. */
static int escapes_of_child(const struct confine *c, pid_t other)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		struct confine own;

		if (c) {
			/* The filter is for the process that builds it. */
			if (confine_vmm(&own))
				_exit(126);
			confine_enter(&own, NULL, 0);
		}
		_exit(escapes(other));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status 0x%x", status);
	return WEXITSTATUS(status);
}

/* A kernel or a build without a filter is described by `wsbench env check`. */
static bool is_complete(void)
{
	char lacks[256];

	confine_lacks(lacks, sizeof(lacks));
	if (*lacks)
		fprintf(stderr, "not tested: this machine lacks %s\n", lacks);
	return !*lacks;
}

Test(confine, a_vmm_cannot_escape)
{
	struct confine c = { .role = CONFINE_VMM };
	pid_t other = victim();
	int with = is_complete() ? escapes_of_child(&c, other) : 0;
	/* The attempts work without confinement: the last of them is the program. */
	int without = escapes_of_child(NULL, other);

	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	cr_expect_eq(with, 0, "0x%x", with);
	cr_expect_eq(without, 127, "0x%x", without);
}

Test(confine, a_vmm_signals_itself_only)
{
	struct confine c;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (confine_vmm(&c))
			_exit(1);
		confine_enter(&c, NULL, 0);
		if (kill(getpid(), 0) || (kill(getppid(), 0) == 0 && is_complete()))
			_exit(2);
		/* What the run loop needs. */
		_exit(open("/proc/interrupts", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
}

/* Starts bash in the place of an emulator. Returns its status, and its output. */
static int run_emulator(const char *script, char *text, size_t bytes)
{
	const char *const argv[] = { "emulator", "-c", script, NULL };
	struct process process;
	struct confine c;
	int out[2], status = -1;
	ssize_t n;

	cr_assert_eq(confine_emulator(&c, "/bin/bash", NULL), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(process_start(&process,
				   &(struct process_start){
					   .argv = argv,
					   .fds = (int[]){ -1, out[1], out[1] },
					   .n_fds = 3,
					   .confine = &c,
				   }),
		     0);
	close(out[1]);
	cr_assert_eq(process_wait(&process, 10000000000ull, &status), 0);
	n = read(out[0], text, bytes - 1);
	text[n > 0 ? n : 0] = '\0';
	close(out[0]);
	confine_free(&c);
	return status;
}

Test(confine, an_emulator_executes_one_program)
{
	char text[512];
	int status;

	if (!is_complete())
		return;
	status = run_emulator("echo started; exec /bin/echo twice", text, sizeof(text));
	cr_expect_str_eq(text, "started\n");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x",
		  status);
}

Test(confine, an_emulator_writes_no_file_and_reaches_no_process)
{
	char text[512];
	int status;

	if (!is_complete())
		return;
	status = run_emulator(
		"read -r line </etc/passwd && echo reads\n"
		"{ echo x >/tmp/worldswitch-escape; } 2>/dev/null && echo wrote\n"
		"kill -0 $PPID 2>/dev/null && echo signals\n"
		"ulimit -c\n"
		"[ $EUID = 0 ] && echo root\n"
		"exit 0",
		text, sizeof(text));
	/* It reads its firmware. */
	cr_expect_str_eq(text, "reads\n0\n", "%s", text);
	cr_expect_eq(status, 0);
	unlink("/tmp/worldswitch-escape");
}

Test(confine, an_emulator_opens_no_socket)
{
	char text[512];

	if (!is_complete())
		return;
	run_emulator("exec 5<>/dev/tcp/127.0.0.1/9", text, sizeof(text));
	cr_expect_not_null(strstr(text, "not permitted"), "%s", text);
}

Test(confine, limits_of_an_emulator)
{
	char text[512];

	if (!is_complete())
		return;
	run_emulator("ulimit -v; ulimit -f", text, sizeof(text));
	cr_expect_null(strstr(text, "unlimited"), "%s", text);
}

Test(confine, a_user_that_cannot_read_what_is_needed_is_not_used)
{
	const char *const needs[CONFINE_NEEDS_MAX] = { "/etc/shadow" };
	struct confine c;
	int status = -1;
	pid_t pid;

	if (geteuid() || access("/etc/shadow", F_OK))
		return;
	cr_assert_eq(confine_emulator(&c, "/bin/true", needs), 0);
	pid = fork();
	if (!pid)
		_exit(confine_enter(&c, NULL, 0) & CONFINE_USER ? 1 : geteuid() ? 2 : 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
	confine_free(&c);
}

Test(confine, the_caller_of_sudo)
{
	uid_t uid = 0;
	gid_t gid = 0;

	setenv("SUDO_UID", "1000", 1);
	setenv("SUDO_GID", "1001", 1);
	cr_expect_eq(confine_caller(&uid, &gid), !geteuid());
	cr_expect(geteuid() || (uid == 1000 && gid == 1001));
	for (const char *const *bad =
		     (const char *const[]){ "", "0", "-1", "1000x", "4294967295", NULL };
	     *bad; bad++) {
		setenv("SUDO_UID", *bad, 1);
		cr_expect_not(confine_caller(&uid, &gid), "%s", *bad);
	}
}
