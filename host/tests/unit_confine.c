/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of confinement: what a guest that has broken out could still do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/process.h"

/* Attempts that succeeded. */
enum escape {
	WROTE_FILE = 1 << 0,
	READ_FILE = 1 << 1,
	OPENED_SOCKET = 1 << 2,
	EXECUTED = 1 << 3,
	TRACED = 1 << 4,
	SENT_SIGNAL = 1 << 5,
	BECAME_ROOT = 1 << 6,
	TYPED = 1 << 7,
	OPENED_TERMINAL = 1 << 8,
	CHANGED_MODE = 1 << 9,
	CHANGED_OWNER = 1 << 10,
	CHANGED_TIMES = 1 << 11,
	CHANGED_ATTRIBUTE = 1 << 12,
	TRUNCATED = 1 << 13,
	OPENED_TRUNCATED = 1 << 14,
	MADE_NAMESPACE = 1 << 15,
	/* A call reached the kernel, which may deny it, but another may not. */
	PASSED_TYPING = 1 << 16,
	PASSED_TRUNCATION = 1 << 17,
};

/* What a kernel with Landlock denies, and what it denies since ABI 6. */
#define BY_LANDLOCK (WROTE_FILE | READ_FILE)
#define BY_SCOPE    SENT_SIGNAL
/* What only root, or only some machines, can do without confinement. */
#define NOT_ALWAYS                                                                       \
	(BECAME_ROOT | TRACED | SENT_SIGNAL | CHANGED_ATTRIBUTE | TYPED | MADE_NAMESPACE)

/* What the parent of an experiment prepares. */
struct world {
	char file[64]; /* of the user that the process becomes */
	int terminal;  /* which controls the processes of the experiment */
	pid_t other;
	/* Shared with the processes. */
	struct {
		int escapes;
		unsigned int parts;
	} * found;
};

static pid_t victim(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* clone() as a thread of glibc or of a guest's code would make it. */
static bool makes_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	if (pid < 0)
		return false;
	waitpid((pid_t)pid, NULL, 0);
	return true;
}

static int note(bool done, enum escape what)
{
	return done ? (int)what : 0;
}

/* What the process can do that called this function. */
static int escapes(const struct world *w)
{
	char path[] = "/tmp/worldswitch-escape-XXXXXX", key = '\n';
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int done = 0, fd = mkstemp(path);

	if (fd >= 0)
		unlink(path);
	done |= note(fd >= 0, WROTE_FILE);
	done |= note(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0, READ_FILE);
	done |= note(socket(AF_INET, SOCK_DGRAM, 0) >= 0 ||
			     socket(AF_UNIX, SOCK_STREAM, 0) >= 0,
		     OPENED_SOCKET);
	done |= note(!ptrace(PTRACE_ATTACH, w->other, 0, 0), TRACED);
	done |= note(!kill(w->other, 0), SENT_SIGNAL);
	done |= note(!ioctl(w->terminal, TIOCSTI, &key), TYPED);
	/* The kernel reads 32 bits of the request. */
	done |= note(!syscall(SYS_ioctl, w->terminal, 1ul << 32 | TIOCSTI, &key), TYPED);
	done |= note(ioctl(-1, TIOCSTI, &key) && errno == EBADF, PASSED_TYPING);
	done |= note(ioctl(-1, TIOCLINUX, &key) && errno == EBADF, PASSED_TYPING);
	done |= note(open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0, OPENED_TERMINAL);
	done |= note(!chmod(w->file, 04755) || !fchmodat(AT_FDCWD, w->file, 0700, 0),
		     CHANGED_MODE);
	done |= note(!chown(w->file, geteuid(), getegid()), CHANGED_OWNER);
	done |= note(!utimensat(AT_FDCWD, w->file, times, 0), CHANGED_TIMES);
	done |= note(!setxattr(w->file, "user.worldswitch", "x", 1, 0),
		     CHANGED_ATTRIBUTE);
	done |= note(!truncate(w->file, 0), TRUNCATED);
	done |= note(open(w->file, O_RDONLY | O_TRUNC | O_CLOEXEC) >= 0 ||
			     open(w->file, O_ACCMODE | O_TRUNC | O_CLOEXEC) >= 0,
		     OPENED_TRUNCATED);
	done |= note((open("/worldswitch-none", O_RDONLY | O_TRUNC) && errno == ENOENT) ||
			     (open("/worldswitch-none", O_ACCMODE | O_TRUNC) &&
			      errno == ENOENT),
		     PASSED_TRUNCATION);
	done |= note(makes_namespace(), MADE_NAMESPACE);
	done |= note(!setresuid(0, 0, 0), BECAME_ROOT);
	return done;
}

/* In a session of its own, with the terminal: confines itself, unless `c` is NULL. */
static void experiment(struct world *w, const struct confine *c)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct confine own;
	int status;
	pid_t pid;

	if (setsid() < 0 || terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		_exit(1);
	w->terminal = open(ptsname(terminal), O_RDWR | O_CLOEXEC);
	if (w->terminal < 0)
		_exit(1);
	pid = fork();
	if (!pid) {
		/* The filter is for the process that builds it. */
		if (c && c->role == CONFINE_VMM && confine_vmm(&own, c->keep_admin))
			_exit(1);
		if (c && c->role == CONFINE_EMULATOR &&
		    confine_emulator(&own, "/bin/sh", false, NULL))
			_exit(1);
		if (c)
			w->found->parts = confine_enter(&own, NULL, 0);
		/* As the user that owns the file, so that only confinement denies. */
		w->found->escapes = escapes(w);
		/* An emulator may execute one program. */
		if (!c || c->role == CONFINE_VMM)
			execl("/bin/sh", "sh", "-c", "exit 77", NULL);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		_exit(1);
	if (WEXITSTATUS(status) == 77)
		w->found->escapes |= EXECUTED;
	_exit(WEXITSTATUS(status) == 1);
}

/* The escapes of a process in the confinement of `c`; NULL: without. */
static int escapes_of_child(const struct confine *c, unsigned int *parts)
{
	struct world w = { .file = "/tmp/worldswitch-own-XXXXXX", .other = victim() };
	int fd = mkstemp(w.file), status = -1, found;
	pid_t pid;

	cr_assert_geq(fd, 0);
	/* A VMM with CAP_SYS_ADMIN stays root. */
	if (!geteuid() && c && !c->keep_admin)
		cr_assert_eq(fchown(fd, 65534, 65534), 0);
	close(fd);
	w.found = mmap(NULL, sizeof(*w.found), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(w.found, MAP_FAILED);
	pid = fork();
	if (!pid)
		experiment(&w, c);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	kill(w.other, SIGKILL);
	waitpid(w.other, NULL, 0);
	unlink(w.file);
	cr_assert_eq(status, 0, "status 0x%x", status);
	found = w.found->escapes;
	*parts = w.found->parts;
	munmap(w.found, sizeof(*w.found));
	return found;
}

/* Skips the test of what this kernel or this build lacks. */
static void need(unsigned int parts)
{
	char lacks[256];

	confine_lacks(lacks, sizeof(lacks));
	if ((parts & CONFINE_CALLS && strstr(lacks, "system calls")) ||
	    (parts & CONFINE_FILES && strstr(lacks, "files")) ||
	    (parts & CONFINE_SIGNALS && strstr(lacks, "signals")))
		cr_skip_test("this machine lacks %s", lacks);
}

static int not_denied(unsigned int parts)
{
	return (parts & CONFINE_FILES ? 0 : BY_LANDLOCK) |
	       (parts & CONFINE_SIGNALS ? 0 : BY_SCOPE);
}

Test(confine, the_escapes_work_without_confinement)
{
	const int all = PASSED_TRUNCATION * 2 - 1;
	unsigned int parts;
	int found = escapes_of_child(NULL, &parts);

	cr_expect_eq(found | NOT_ALWAYS, all, "0x%x", found);
	if (!geteuid())
		cr_expect(found & BECAME_ROOT && found & SENT_SIGNAL, "0x%x", found);
}

Test(confine, a_vmm_cannot_escape)
{
	const struct confine c = { .role = CONFINE_VMM };
	unsigned int parts;
	int found;

	need(CONFINE_CALLS);
	found = escapes_of_child(&c, &parts);
	/* By its filter, a VMM signals itself only, and only one with CAP_SYS_ADMIN is
	 * not denied a terminal by the kernel. */
	found &= ~(not_denied(parts) & ~SENT_SIGNAL) & ~PASSED_TYPING;
	cr_expect_eq(found, 0, "0x%x", found);
}

Test(confine, a_vmm_with_the_device_of_the_module_cannot_type)
{
	const struct confine c = { .role = CONFINE_VMM, .keep_admin = true };
	unsigned int parts;
	int found;

	need(CONFINE_CALLS);
	if (geteuid())
		cr_skip_test("not root");
	found = escapes_of_child(&c, &parts);
	cr_expect_eq(found & (PASSED_TYPING | TYPED | OPENED_TERMINAL | MADE_NAMESPACE |
			      CHANGED_MODE),
		     0, "0x%x", found);
}

Test(confine, an_emulator_cannot_escape)
{
	const struct confine c = { .role = CONFINE_EMULATOR };
	unsigned int parts;
	int found;

	need(CONFINE_CALLS);
	found = escapes_of_child(&c, &parts);
	cr_expect(found & READ_FILE, "an emulator reads its firmware");
	found &= ~not_denied(parts) & ~READ_FILE;
	cr_expect_eq(found, 0, "0x%x", found);
}

Test(confine, a_vmm_signals_itself_only)
{
	struct confine c;
	int status = -1;
	pid_t pid;

	need(CONFINE_CALLS);
	pid = fork();
	if (!pid) {
		if (confine_vmm(&c, false))
			_exit(1);
		confine_enter(&c, NULL, 0);
		if (kill(getpid(), 0) || kill(getppid(), 0) == 0)
			_exit(2);
		/* What the run loop needs. */
		_exit(open("/proc/interrupts", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
}

static void *return_argument(void *argument)
{
	return argument;
}

/* glibc makes threads by clone3(), or by clone() where it lacks. */
Test(confine, a_vmm_makes_threads)
{
	struct confine c;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		pthread_t thread;
		void *got = NULL;

		if (confine_vmm(&c, false))
			_exit(1);
		confine_enter(&c, NULL, 0);
		if (pthread_create(&thread, NULL, return_argument, &c) ||
		    pthread_join(thread, &got))
			_exit(2);
		_exit(got != &c);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
}

/* As a kernel without Landlock. */
static void deny_landlock(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(100);
}

/* Whether a VMM has CAP_SYS_PTRACE; 100 and more: the experiment failed. */
static int vmm_traces(bool landlock)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	unsigned int parts;
	struct confine c;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (!landlock)
			deny_landlock();
		if (confine_vmm(&c, false))
			_exit(101);
		/* The filter of system calls denies capget(). */
		free(c.filter.code);
		c.filter.code = NULL;
		parts = confine_enter(&c, NULL, 0);
		if (parts & CONFINE_FILES || syscall(SYS_capget, &header, data))
			_exit(102);
		_exit(!!(data[0].effective & 1u << CAP_SYS_PTRACE));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* By that capability, a VMM could read other processes, which Landlock denies. */
Test(confine, a_vmm_has_no_right_to_trace_without_landlock)
{
	if (geteuid() || prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) != 1)
		cr_skip_test("not root, or without CAP_SYS_PTRACE");
	cr_expect_eq(vmm_traces(false), 0);
	need(CONFINE_FILES);
	cr_expect_eq(vmm_traces(true), 1);
}

/* Landlock alone does not deny chmod(), nor seccomp alone a write. */
Test(confine, files_are_restricted_by_two_means)
{
	struct confine c;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		deny_landlock();
		if (confine_emulator(&c, "/bin/true", false, NULL))
			_exit(101);
		_exit(!!(confine_enter(&c, NULL, 0) & CONFINE_FILES));
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

	cr_assert_eq(confine_emulator(&c, "/bin/bash", false, NULL), 0);
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

	need(CONFINE_CALLS);
	status = run_emulator("echo started; exec /bin/echo twice", text, sizeof(text));
	cr_expect_str_eq(text, "started\n");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x",
		  status);
}

Test(confine, an_emulator_writes_no_file_and_reaches_no_process)
{
	char text[512];
	int status;

	need(CONFINE_FILES | CONFINE_SIGNALS);
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

	need(CONFINE_CALLS);
	run_emulator("exec 5<>/dev/tcp/127.0.0.1/9", text, sizeof(text));
	cr_expect_not_null(strstr(text, "not permitted"), "%s", text);
}

Test(confine, limits_of_an_emulator)
{
	char text[512];

	run_emulator("ulimit -v; ulimit -f", text, sizeof(text));
	cr_expect_null(strstr(text, "unlimited"), "%s", text);
}

Test(confine, lower_limits_of_the_user_stay)
{
	struct rlimit own;
	char text[512];

	if (getrlimit(RLIMIT_FSIZE, &own) || own.rlim_max != RLIM_INFINITY)
		cr_skip_test("the size of files is limited already");
	own.rlim_cur = 1 << 30;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &own), 0);
	run_emulator("ulimit -Sf; ulimit -Hf", text, sizeof(text));
	/* In units of 1024 bytes. */
	cr_expect_str_eq(text, "1048576\n67108864\n", "%s", text);
}

Test(confine, an_emulator_is_alone_in_its_session)
{
	char text[512];

	run_emulator("read -r pid name state parent group session rest </proc/self/stat\n"
		     "[ $pid = $group ] && [ $pid = $session ] && echo own",
		     text, sizeof(text));
	cr_expect_str_eq(text, "own\n");
}

/* Of wsbench, of its caller, and of other targets, such as the memory of a guest. */
Test(confine, an_emulator_inherits_what_it_is_given)
{
	char text[512], command[128];
	int low = open("/etc/passwd", O_RDONLY), high = fcntl(low, F_DUPFD, 900);

	cr_assert(low > 2 && high >= 900);
	snprintf(command, sizeof(command),
		 "for fd in %d %d; do [ -e /proc/self/fd/$fd ] && echo $fd; done\n"
		 "echo end",
		 low, high);
	run_emulator(command, text, sizeof(text));
	cr_expect_str_eq(text, "end\n");
}

Test(confine, a_user_that_cannot_read_what_is_needed_is_not_used)
{
	const char *const needs[CONFINE_NEEDS_MAX] = { "/etc/shadow" };
	struct confine_state state;
	struct confine c;
	int status = -1;
	pid_t pid;

	if (geteuid() || access("/etc/shadow", F_OK))
		cr_skip_test("not root, or no /etc/shadow");
	cr_assert_eq(confine_emulator(&c, "/bin/true", false, needs), 0);
	pid = fork();
	if (!pid)
		_exit(confine_enter(&c, NULL, 0) & CONFINE_USER ? 1 : geteuid() ? 2 : 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
	cr_assert_eq(confine_try(&c, NULL, 0, &state), 0);
	cr_expect(confine_stays_root(&state));
	confine_free(&c);
	/* A file that is opened before, like the kernel of a lab. */
	cr_assert_eq(confine_emulator(&c, "/bin/true", false,
				      (const char *const[CONFINE_NEEDS_MAX]){
					      "/proc/self/fd/50" }),
		     0);
	cr_assert_eq(
		confine_try(&c, &(struct confine_file){ 50, "/etc/shadow" }, 1, &state),
		0);
	cr_expect(confine_stays_root(&state));
	cr_assert_eq(
		confine_try(&c, &(struct confine_file){ 50, "/etc/passwd" }, 1, &state),
		0);
	cr_expect_not(confine_stays_root(&state));
	cr_expect_eq(state.uid, c.uid);
	cr_expect_eq(state.capabilities, 0);
	cr_expect_eq(state.core_bytes, 0);
	confine_free(&c);
}

/* A target that was not opened is closed, too. */
Test(confine, nothing_is_freed_of_what_was_not_prepared)
{
	struct confine c = { .program = NULL };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(dup2(fd, 0), 0);
	confine_free(&c);
	cr_expect_geq(fcntl(0, F_GETFD), 0);
	close(fd);
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
