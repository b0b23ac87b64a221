/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill_at: runs a command, and kills it before its N-th change of a file, or after a
 * time.
 *
 * Usage: kill_at [--half] [--one] [--report FILE] N|MILLISECONDSms COMMAND...
 *
 * Changes are the system calls below, of COMMAND and all its descendants: writes to
 * regular files, and calls that create, cut, sync, rename, link or remove files. SIGKILL
 * goes to all processes at once; with --one only to the process of the call, or after a
 * time to COMMAND. --half: only calls of write() count, and half of the last one is made.
 *
 * FILE gets one line: the number of changes, and the call that was not made. Exit code:
 * 137 after the kill; COMMAND's, or 128 + n after signal n, if it made fewer changes;
 * 125 if kill_at failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CODE_FAILED 125

/* The argument that shows what a call changes. */
enum subject {
	PATH_0, /* argument n is a path */
	PATH_1,
	FILE_0, /* argument n is a descriptor; only of a regular file */
	FILE_2,
	CREATE_1, /* a path if the flags, argument 2, create or cut a file */
};

static const struct change {
	const char *name;
	int number;
	enum subject subject;
} changes[] = {
#ifdef SYS_rename
	{ "creat", SYS_creat, PATH_0 },
	{ "link", SYS_link, PATH_1 },
	{ "mkdir", SYS_mkdir, PATH_0 },
	{ "rename", SYS_rename, PATH_0 },
	{ "rmdir", SYS_rmdir, PATH_0 },
	{ "symlink", SYS_symlink, PATH_1 },
	{ "unlink", SYS_unlink, PATH_0 },
#endif
#ifdef SYS_renameat
	{ "renameat", SYS_renameat, PATH_1 },
#endif
	{ "copy_file_range", SYS_copy_file_range, FILE_2 },
	{ "fdatasync", SYS_fdatasync, FILE_0 },
	{ "fsync", SYS_fsync, FILE_0 },
	{ "ftruncate", SYS_ftruncate, FILE_0 },
	{ "linkat", SYS_linkat, PATH_1 },
	{ "mkdirat", SYS_mkdirat, PATH_1 },
	{ "openat", SYS_openat, CREATE_1 },
	{ "pwrite64", SYS_pwrite64, FILE_0 },
	{ "pwritev", SYS_pwritev, FILE_0 },
	{ "renameat2", SYS_renameat2, PATH_1 },
	{ "sendfile", SYS_sendfile, FILE_0 },
	{ "symlinkat", SYS_symlinkat, PATH_1 },
	{ "truncate", SYS_truncate, PATH_0 },
	{ "unlinkat", SYS_unlinkat, PATH_1 },
	{ "write", SYS_write, FILE_0 },
	{ "writev", SYS_writev, FILE_0 },
};
#define CHANGES (sizeof(changes) / sizeof(changes[0]))

struct watch {
	pid_t child;
	long n, seen;	 /* the change to kill at; changes so far */
	double after_ms; /* instead of a change */
	bool half, one;
	const char *report;
	char last[512]; /* the change that was not made */
	bool killed;
};

static int fail(const char *what)
{
	fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
	return CODE_FAILED;
}

/* The listed calls stop for the tracer; all others run at full speed. */
static int set_filter(void)
{
	struct sock_filter code[CHANGES + 3], *p = code;
	struct sock_fprog program = { .filter = code };

	*p++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CHANGES; i++)
		*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						    (uint32_t)changes[i].number,
						    (uint8_t)(CHANGES - i), 0);
	*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)(p - code);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void start(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP) || set_filter())
		_exit(fail("tracing"));
	execvp(command[0], command);
	_exit(fail(command[0]));
}

static void read_text(pid_t pid, uint64_t address, char *text, size_t bytes)
{
	struct iovec to = { text, bytes - 1 };
	struct iovec from = { (void *)(uintptr_t)address, bytes - 1 };
	ssize_t n;

	/* The text may end just before a page that is not mapped. */
	do
		n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	while (n < 0 && (to.iov_len /= 2) && (from.iov_len = to.iov_len));
	text[n > 0 ? n : 0] = '\0';
}

/* The path of a descriptor. False if it is not of a regular file with a name. */
static bool describe_file(pid_t pid, uint64_t fd, char *text, size_t bytes)
{
	char link[64];
	struct stat st;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)fd);
	n = readlink(link, text, bytes - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 && *text == '/' && strncmp(text, "/memfd:", 7) != 0 &&
	       !stat(link, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

static bool describe(pid_t pid, const struct change *c, const uint64_t args[6],
		     char *text, size_t bytes)
{
	switch (c->subject) {
	case FILE_0:
		return describe_file(pid, args[0], text, bytes);
	case FILE_2:
		return describe_file(pid, args[2], text, bytes);
	case CREATE_1:
		if (!(args[2] & (O_CREAT | O_TRUNC)))
			return false;
		read_text(pid, args[1], text, bytes);
		/* /dev/null and its like. */
		return strncmp(text, "/dev/", 5) != 0;
	default:
		read_text(pid, args[c->subject == PATH_1], text, bytes);
		return true;
	}
}

/* Writes the first half of a write() to the descriptor of the process. */
static void write_half(pid_t pid, const uint64_t args[6])
{
	size_t bytes = args[2] / 2;
	char *data = malloc(bytes ? bytes : 1);
	struct iovec to = { data, bytes };
	struct iovec from = { (void *)(uintptr_t)args[1], bytes };
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = process < 0 ? -1
			     : (int)syscall(SYS_pidfd_getfd, process, (int)args[0], 0);

	if (data && fd >= 0 &&
	    process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)bytes &&
	    write(fd, data, bytes) != (ssize_t)bytes)
		fail("half a write");
	if (fd >= 0)
		close(fd);
	if (process >= 0)
		close(process);
	free(data);
}

/* A stop of the filter. Returns whether this was the change to kill at. */
static bool on_call(struct watch *w, pid_t pid)
{
	struct __ptrace_syscall_info call = { .op = 0 };
	char subject[400];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) <= 0 ||
	    call.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return false;
	for (size_t i = 0; i < CHANGES; i++) {
		uint64_t args[6];

		if ((uint64_t)changes[i].number != call.seccomp.nr)
			continue;
		for (int k = 0; k < 6; k++)
			args[k] = call.seccomp.args[k];
		if ((w->half && changes[i].number != SYS_write) ||
		    !describe(pid, &changes[i], args, subject, sizeof(subject)) ||
		    ++w->seen != w->n)
			return false;
		snprintf(w->last, sizeof(w->last), "%s %s", changes[i].name, subject);
		if (w->half)
			write_half(pid, args);
		return true;
	}
	return false;
}

static int write_report(const struct watch *w)
{
	FILE *f = w->report ? fopen(w->report, "w") : NULL;

	if (f)
		fprintf(f, "%ld %s\n", w->seen, w->last);
	if (w->report && (!f || fclose(f)))
		return fail(w->report);
	return 0;
}

/* The traced processes, to kill them all: few at a time. */
struct pids {
	pid_t pid[512];
	size_t n;
};

static void remember(struct pids *all, pid_t pid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->pid[i] == pid)
			return;
	if (all->n < sizeof(all->pid) / sizeof(all->pid[0]))
		all->pid[all->n++] = pid;
}

static void forget(struct pids *all, pid_t pid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->pid[i] == pid)
			all->pid[i--] = all->pid[--all->n];
}

static void kill_all(struct watch *w, const struct pids *all)
{
	w->killed = true;
	for (size_t i = 0; i < all->n; i++)
		kill(all->pid[i], SIGKILL);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Interrupts waitpid(). */
static void on_alarm(int sig)
{
	(void)sig;
}

static void start_clock(const struct watch *w)
{
	const struct itimerval tick = { { 0, 1000 }, { 0, 1000 } };
	const struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	if (w->after_ms > 0)
		setitimer(ITIMER_REAL, &tick, NULL);
}

/* Follows all processes until the last has ended. Returns the exit code. */
static int follow(struct watch *w)
{
	struct pids all = { .pid = { w->child }, .n = 1 };
	int status, code = CODE_FAILED;
	double end = now_ms() + w->after_ms;
	pid_t pid;

	start_clock(w);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		int sig = 0;

		if (w->after_ms > 0 && !w->killed && now_ms() >= end) {
			const struct pids one = { .pid = { w->child }, .n = 1 };

			kill_all(w, w->one ? &one : &all);
		}
		if (pid <= 0)
			continue;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			forget(&all, pid);
			if (pid == w->child)
				code = WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
			continue;
		}
		remember(&all, pid);
		/* Created meanwhile. */
		if (w->killed && !w->one) {
			kill(pid, SIGKILL);
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			if (!w->killed && on_call(w, pid)) {
				struct pids one = { .pid = { pid }, .n = 1 };

				kill_all(w, w->one ? &one : &all);
				continue;
			}
		} else if (!(status >> 16)) {
			sig = WSTOPSIG(status);
			/* The first stop of a new process. */
			if (sig == SIGSTOP)
				sig = 0;
		}
		ptrace(PTRACE_CONT, pid, 0, sig);
	}
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "half", no_argument, NULL, 'h' },
		{ "one", no_argument, NULL, 'o' },
		{ "report", required_argument, NULL, 'r' },
		{ 0 },
	};
	struct watch w = { .n = 0 };
	int option, status, code;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'h')
			w.half = true;
		else if (option == 'o')
			w.one = true;
		else if (option == 'r')
			w.report = optarg;
		else
			return CODE_FAILED;
	}
	if (argc - optind >= 2) {
		char *unit;

		w.n = strtol(argv[optind], &unit, 10);
		if (*unit) {
			w.after_ms = strtod(argv[optind], NULL);
			w.n = 0;
		}
	}
	if (w.n < 1 && w.after_ms <= 0) {
		fprintf(stderr,
			"usage: kill_at [--half] [--one] [--report FILE] N|MILLISECONDSms COMMAND...\n");
		return CODE_FAILED;
	}
	w.child = fork();
	if (w.child < 0)
		return fail("fork");
	if (!w.child)
		start(argv + optind + 1);
	if (waitpid(w.child, &status, 0) != w.child || !WIFSTOPPED(status))
		return fail("the command did not stop");
	if (ptrace(PTRACE_SETOPTIONS, w.child, 0,
		   PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
			   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEEXEC))
		return fail("ptrace");
	ptrace(PTRACE_CONT, w.child, 0, 0);
	code = follow(&w);
	if (write_report(&w))
		return CODE_FAILED;
	return w.killed ? 137 : code;
}
