/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contain: runs a command, and kills all processes of the command that survive it.
 *
 * Usage: contain [--limit SECONDS] [--left FILE] [--cpu FILE] COMMAND...
 *
 * contain is a child subreaper, and inherits every orphan of COMMAND in any session and
 * process group. After COMMAND has ended, remaining processes have 10 s to end (a death
 * signal may be pending); then they are listed in FILE (`PID COMMAND LINE`; default:
 * stderr) and killed. SIGINT, SIGTERM, SIGHUP and the death of the parent kill all
 * processes at once. --cpu: at the end FILE has the seconds of CPU of all processes.
 *
 * Exit code: COMMAND's; 128 + n if signal n ended COMMAND or contain; 124 after the
 * limit; 125 if contain failed; 126 if COMMAND cannot be started.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CODE_LIMIT   124
#define CODE_CONTAIN 125
#define CODE_START   126
#define GRACE_MS     10000
#define POLL_MS	     20

static int fail(const char *what)
{
	fprintf(stderr, "contain: %s: %s\n", what, strerror(errno));
	return CODE_CONTAIN;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static bool read_proc(long pid, const char *name, char *text, size_t bytes)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, bytes - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = ' ';
	return n > 0;
}

/* Field 4 of /proc/PID/stat, after the name in parentheses. */
static bool is_child(long pid)
{
	char text[512], state;
	const char *end;
	long parent;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %c %ld", &state, &parent) == 2 &&
	       parent == getpid();
}

/* Kills all children; contain inherits their children. With `f`, lists them first. */
static void kill_children(FILE *f)
{
	DIR *dir = opendir("/proc");
	char line[1024];

	for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid <= 0 || !is_child(pid))
			continue;
		if (f)
			fprintf(f, "%ld %s\n", pid,
				read_proc(pid, "cmdline", line, sizeof(line)) ? line
									      : "?");
		kill((pid_t)pid, SIGKILL);
	}
	if (dir)
		closedir(dir);
}

/*
 * Reaps ended children, and stores the status of `child` when it has ended. Returns false
 * if no child is left.
 */
static bool reap(pid_t child, int *status, bool *ended)
{
	int s;

	for (;;) {
		pid_t pid = waitpid(-1, &s, WNOHANG);

		if (pid < 0)
			return false;
		if (!pid)
			return true;
		if (pid == child) {
			*status = s;
			*ended = true;
		}
	}
}

/* Returns a termination signal, or 0 after a short timeout. */
static int next_signal(const sigset_t *signals, long long wait_ms)
{
	struct timespec wait = { .tv_sec = wait_ms / 1000,
				 .tv_nsec = wait_ms % 1000 * 1000000 };
	int sig = wait_ms < 0 ? sigwaitinfo(signals, NULL)
			      : sigtimedwait(signals, NULL, &wait);

	return sig > 0 && sig != SIGCHLD ? sig : 0;
}

static void kill_all(pid_t child)
{
	int status;
	bool ended;

	while (reap(child, &status, &ended)) {
		kill_children(NULL);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
}

/* Waits for orphans, then lists and kills them. Returns 0 or an exit code. */
static int end_orphans(pid_t child, const sigset_t *signals, const char *left)
{
	long long end = now_ms() + GRACE_MS;
	bool ended;
	int status;
	FILE *f;

	while (reap(child, &status, &ended)) {
		int sig = next_signal(signals, POLL_MS);

		if (sig) {
			kill_all(child);
			return 128 + sig;
		}
		if (now_ms() < end)
			continue;
		f = left ? fopen(left, "a") : stderr;
		if (!f)
			return fail(left);
		kill_children(f);
		fflush(f);
		if (left)
			fclose(f);
		kill_all(child);
	}
	return 0;
}

static void start(char **command, const sigset_t *mask)
{
	/* In a background job of a shell these signals are ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	/* The parent of contain handles Ctrl-C of the terminal. */
	setpgid(0, 0);
	execvp(command[0], command);
	fail(command[0]);
	_exit(CODE_START);
}

/* Waits for the command (and returns its exit code), a signal, or the limit. */
static int watch(pid_t child, const sigset_t *signals, double limit_s, const char *left)
{
	long long end = now_ms() + (long long)(limit_s * 1000);
	int status = 0, code;
	bool ended = false;

	for (;;) {
		long long rest_ms = end - now_ms();
		int sig;

		reap(child, &status, &ended);
		if (ended)
			break;
		if (limit_s && rest_ms <= 0) {
			kill_all(child);
			return CODE_LIMIT;
		}
		sig = next_signal(signals, limit_s ? rest_ms : -1);
		if (sig) {
			kill_all(child);
			return 128 + sig;
		}
	}
	code = end_orphans(child, signals, left);
	if (code)
		return code;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The time of processes that were waited for, by contain or by their parents. */
static void write_cpu(const char *path)
{
	FILE *f = fopen(path, "w");
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	if (f)
		fprintf(f, "%.1f\n",
			(double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
				(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	if (!f || fclose(f))
		fail(path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "limit", required_argument, NULL, 'l' },
		{ "left", required_argument, NULL, 'f' },
		{ "cpu", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *left = NULL, *cpu = NULL;
	pid_t parent = getppid(), child;
	sigset_t signals, before;
	double limit_s = 0;
	int option, code;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'l')
			limit_s = strtod(optarg, NULL);
		else if (option == 'f')
			left = optarg;
		else if (option == 'c')
			cpu = optarg;
		else
			return CODE_CONTAIN;
	}
	if (optind == argc) {
		fprintf(stderr,
			"usage: contain [--limit SECONDS] [--left FILE] [--cpu FILE] COMMAND...\n");
		return CODE_CONTAIN;
	}

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	/* sigwaitinfo() does not return ignored signals. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_SET_PDEATHSIG, SIGTERM))
		return fail("prctl");
	if (getppid() != parent)
		return 128 + SIGTERM;
	child = fork();
	if (child < 0)
		return fail("fork");
	if (!child)
		start(argv + optind, &before);
	code = watch(child, &signals, limit_s, left);
	if (cpu)
		write_cpu(cpu);
	return code;
}
