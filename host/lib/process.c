/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals; child processes that end with their parent; programs in PATH. */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/process.h"

volatile int interrupted;

static void (*volatile interrupt_hook)(void);

static void on_signal(int sig)
{
	interrupted = sig;
	if (interrupt_hook)
		interrupt_hook();
}

void interrupt_catch(void (*hook)(void))
{
	struct sigaction action = { .sa_handler = on_signal }, before;

	interrupt_hook = hook;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup: the run goes on when its terminal closes. */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void interrupt_pass_on(void)
{
	if (!interrupted)
		return;
	fflush(NULL);
	signal(interrupted, SIG_DFL);
	raise(interrupted);
}

#define FDS_MAX 32
_Static_assert(CONFINE_FD_FOLDER == FDS_MAX - 1, "beyond the descriptors of a child");

/* Since Linux 5.11 and glibc 2.34. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif
#define CLOSE_RANGE 436 /* of all architectures */

/* Without close_range(): most systems limit a process to fewer descriptors. */
#define FDS_SEARCHED 65536

void process_close(unsigned int first, unsigned int last, bool at_exec)
{
	if (first > last ||
	    !syscall(CLOSE_RANGE, first, last, at_exec ? CLOSE_RANGE_CLOEXEC : 0))
		return;
	for (unsigned int fd = first; fd <= last && fd < FDS_SEARCHED; fd++) {
		if (at_exec)
			(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		else
			close((int)fd);
	}
}

#define VERSION_TIMEOUT_NS 10000000000ull

static bool is_among(const char *const *list, const char *variable)
{
	size_t name_bytes = strcspn(variable, "=") + 1;

	for (; list && *list; list++)
		if (!strncmp(*list, variable, name_bytes))
			return true;
	return false;
}

/* The environment with variables added or replaced; NULL: out of memory. */
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

static int move_descriptors(const struct process_start *how)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), high[FDS_MAX];

	if (null < 0)
		return -errno;
	/* dup2() in place could overwrite a descriptor that a later entry needs. */
	for (size_t i = 0; i < how->n_fds; i++) {
		int fd = i <= STDERR_FILENO && how->fds[i] < 0 ? null : how->fds[i];

		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FDS_MAX);
		if (fd >= 0 && high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < how->n_fds; i++) {
		if (high[i] < 0)
			process_close((unsigned int)i, (unsigned int)i, true);
		else if (dup2(high[i], (int)i) < 0)
			return -errno;
	}
	process_close((unsigned int)how->n_fds, UINT_MAX, true);
	return 0;
}

/* In the child: async-signal-safe calls only. Writes the errno of a failure. */
static void exec_child(const struct process_start *how, char *const *environment,
		       int failure_fd, pid_t parent)
{
	sigset_t none;
	int err, folder = -1;

	/* A session, which confine_enter() makes, is a group, too. */
	if (!how->confine || how->confine->off)
		setpgid(0, 0);
	failure_fd = fcntl(failure_fd, F_DUPFD_CLOEXEC, FDS_MAX);
	if (how->confine && how->confine->by_folder)
		folder = fcntl(how->confine->folder, F_DUPFD_CLOEXEC, FDS_MAX);
	err = -move_descriptors(how);
	if (!err && how->confine)
		confine_place_folder(how->confine, folder);
	if (how->fixed_addresses)
		(void)personality(ADDR_NO_RANDOMIZE);
	if (!err && how->confine)
		confine_enter(how->confine, how->fds, how->n_fds);
	/*
	 * A parent that died before prctl() sends no signal. After a change of the user,
	 * which clears the request.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(127);
	if (!err) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		if (how->confine)
			execve(how->confine->program, (char *const *)how->argv,
			       environment);
		else
			execvpe(how->argv[0], (char *const *)how->argv, environment);
		err = errno;
	}
	if (write(failure_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int process_start(struct process *p, const struct process_start *how)
{
	char **environment = environment_with(how->environment);
	int failure[2], err = 0;
	pid_t parent = getpid();
	ssize_t got;

	*p = (struct process){ .pid = 0 };
	if (!environment)
		return -ENOMEM;
	if (how->n_fds >= FDS_MAX || pipe2(failure, O_CLOEXEC)) {
		err = how->n_fds >= FDS_MAX ? E2BIG : errno;
		free(environment);
		return -err;
	}
	p->pid = fork();
	if (!p->pid)
		exec_child(how, environment, failure[1], parent);
	if (p->pid < 0) {
		err = errno;
		p->pid = 0;
	}
	close(failure[1]);
	free(environment);
	/* A successful exec closes the write end. */
	do
		got = read(failure[0], &err, sizeof(err));
	while (got < 0 && errno == EINTR);
	close(failure[0]);
	if (err)
		process_stop(p);
	return -err;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* waitpid() of a child that is awaited once. */
static pid_t reap(struct process *p, int *status)
{
	struct rusage used;
	pid_t pid = wait4(p->pid, status, 0, &used);

	if (pid > 0)
		p->cpu_ns =
			(uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) *
				1000000000u +
			(uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
	return pid;
}

/* Longer than a tick. */
#define WAIT_CHECK_NS 20000000u

/*
 * Sets the limit of a process later by the time in which it has waited for a processor.
 * False: it has had its time. `last`: of the last call.
 */
static bool extend(const struct process *p, struct process_waits *last,
		   uint64_t timeout_ns, uint64_t begin, uint64_t *end)
{
	const struct process_waits none = { .n = 0 }, now = process_waits(p->pid);
	uint64_t waited = process_waited_ns(&none, &now), passed = now_ns() - begin;
	bool waits = now.runnable && now.run_ns == last->run_ns;

	/* The run time is that of the last tick. */
	if (!last->n)
		waits = now.runnable;
	*last = now;
	if (passed >= PROCESS_WALL * timeout_ns)
		return false;
	*end = begin + timeout_ns + waited;
	if (begin + passed < *end)
		return true;
	*end = begin + passed + WAIT_CHECK_NS;
	return waits;
}

int process_wait(struct process *p, uint64_t timeout_ns, int *status)
{
	struct pollfd fd = { .fd = (int)syscall(SYS_pidfd_open, p->pid, 0),
			     .events = POLLIN };
	const uint64_t begin = now_ns();
	uint64_t end = begin + timeout_ns;
	struct process_waits last = { .n = 0 };
	int ret = fd.fd < 0 ? -errno : -EAGAIN;

	while (ret == -EAGAIN) {
		uint64_t now = now_ns();

		if (interrupted) {
			ret = -EINTR;
		} else if (now >= end) {
			if (!extend(p, &last, timeout_ns, begin, &end))
				ret = -ETIMEDOUT;
		} else if (poll(&fd, 1,
				/* Slices: a signal just before poll() is noticed. */
				(int)((end - now) / 1000000 < 100
					      ? (end - now) / 1000000 + 1
					      : 100)) > 0) {
			ret = reap(p, status) == p->pid ? 0 : -errno;
			p->pid = 0;
		}
	}
	if (fd.fd >= 0)
		close(fd.fd);
	return ret;
}

int process_stop(struct process *p)
{
	int status = 0;

	if (p->pid <= 0)
		return 0;
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL); /* before its group exists */
	while (reap(p, &status) < 0 && errno == EINTR)
		;
	p->pid = 0;
	return status;
}

/* The state follows the name, which is in parentheses and may contain some. */
static bool is_runnable(pid_t pid, const char *thread)
{
	char path[64], text[256] = "";
	const char *name_end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.10s/stat", (int)pid, thread);
	f = fopen(path, "re");
	if (!f)
		return false;
	name_end = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	return name_end && !strncmp(name_end, ") R", 3);
}

struct process_waits process_waits(pid_t pid)
{
	struct process_waits waits = { .n = 0 };
	uint64_t run_ns, wait_ns;
	char path[64];
	struct dirent *d;
	DIR *tasks;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = pid > 0 ? opendir(path) : NULL;
	while (tasks && waits.n < PROCESS_THREADS_MAX && (d = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.10s/schedstat", (int)pid,
			 d->d_name);
		f = *d->d_name == '.' ? NULL : fopen(path, "re");
		if (f && fscanf(f, "%" SCNu64 " %" SCNu64, &run_ns, &wait_ns) == 2) {
			waits.threads[waits.n].tid = (pid_t)atoi(d->d_name);
			waits.threads[waits.n++].ns = wait_ns;
			waits.run_ns += run_ns;
			waits.runnable |= is_runnable(pid, d->d_name);
		}
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return waits;
}

uint64_t process_waited_ns(const struct process_waits *then,
			   const struct process_waits *now)
{
	uint64_t most = 0;

	for (size_t i = 0; i < now->n; i++) {
		uint64_t ns = now->threads[i].ns;

		for (size_t k = 0; k < then->n; k++)
			if (then->threads[k].tid == now->threads[i].tid)
				ns -= ns < then->threads[k].ns ? ns : then->threads[k].ns;
		most = ns > most ? ns : most;
	}
	return most;
}

int process_find(const char *program, char path[PATH_MAX])
{
	const char *p = getenv("PATH");

	if (!p)
		p = "/usr/local/bin:/usr/bin:/bin";
	while (*p) {
		size_t n = strcspn(p, ":");

		if (n &&
		    snprintf(path, PATH_MAX, "%.*s/%s", (int)n, p, program) < PATH_MAX &&
		    !access(path, X_OK))
			return 0;
		p += n + (p[n] == ':');
	}
	path[0] = '\0';
	return -ENOENT;
}

#define OUTPUT_POLL_MS 50

static uint64_t passed_ns(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - begin->tv_sec) * 1000000000u +
	       (uint64_t)now.tv_nsec - (uint64_t)begin->tv_nsec;
}

char *process_output(const char *const *argv, size_t max, uint64_t timeout_ns)
{
	struct process process = { .pid = 0 };
	int ends[2], status = -1;
	char *text = malloc(max + 1);
	size_t used = 0;
	struct timespec begin;
	ssize_t n = 1;

	if (!text || pipe2(ends, O_CLOEXEC)) {
		free(text);
		return NULL;
	}
	if (process_start(&process, &(struct process_start){
					    .argv = argv,
					    .fds = (int[]){ -1, ends[1], -1 },
					    .n_fds = 3,
				    }))
		n = 0;
	close(ends[1]);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (n > 0 && used < max && !interrupted && passed_ns(&begin) < timeout_ns) {
		if (poll(&(struct pollfd){ ends[0], POLLIN, 0 }, 1, OUTPUT_POLL_MS) <= 0)
			continue;
		n = read(ends[0], text + used, max - used);
		if (n > 0)
			used += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	text[used] = '\0';
	close(ends[0]);
	if (process.pid && n == 0 && !process_wait(&process, timeout_ns, &status) &&
	    !status)
		return text;
	process_stop(&process);
	free(text);
	return NULL;
}

void process_version(const char *program, const char *option, char *text, size_t bytes)
{
	const char *argv[] = { program, option, NULL };
	struct process process;
	int out[2], status;
	char *line;
	ssize_t got;

	text[0] = '\0';
	if (pipe2(out, O_CLOEXEC))
		return;
	if (!process_start(&process, &(struct process_start){
					     .argv = argv,
					     .fds = (int[]){ -1, out[1], out[1] },
					     .n_fds = 3,
				     })) {
		/* The output is smaller than a pipe: the program ends before the read. */
		if (!process_wait(&process, VERSION_TIMEOUT_NS, &status)) {
			got = read(out[0], text, bytes - 1);
			text[got > 0 ? got : 0] = '\0';
		}
		process_stop(&process);
	}
	close(out[0]);
	close(out[1]);
	/* Bochs prints rulers and file names around its name. */
	line = strcasestr(text, "emulator");
	if (!line)
		line = text;
	while (line > text && line[-1] != '\n')
		line--;
	line += strspn(line, " \t");
	line[strcspn(line, "\n")] = '\0';
	memmove(text, line, strlen(line) + 1);
}

bool process_is_whole(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr h = { .e_shoff = 0 };
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return true;
	n = read(fd, &h, sizeof(h));
	if (fstat(fd, &st))
		n = -1;
	close(fd);
	if (n < SELFMAG)
		return n < 0;
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return true;
	return n == sizeof(h) &&
	       h.e_shoff <= (uint64_t)st.st_size && /* the sum does not overflow */
	       h.e_shoff + (uint64_t)h.e_shentsize * h.e_shnum <= (uint64_t)st.st_size;
}

void process_own_folder(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	else
		strcpy(path, ".");
}

void process_own_script(const char *name, char path[PATH_MAX])
{
	char folder[PATH_MAX];
	int bytes;

	process_own_folder(folder);
	bytes = snprintf(path, PATH_MAX, "%s/../libexec/worldswitch/%s", folder, name);
	if (bytes < 0 || bytes >= PATH_MAX || access(path, X_OK))
		snprintf(path, PATH_MAX, "scripts/%s", name);
}

int process_find_script(const char *name, char path[PATH_MAX])
{
	/* Of `make native`, the program is one folder deeper. */
	static const char *const trees[] = { "..", "../.." };
	char folder[PATH_MAX], mark[PATH_MAX];

	process_own_folder(folder);
	if (snprintf(path, PATH_MAX, "%s/../libexec/worldswitch/%s", folder, name) <
		    PATH_MAX &&
	    !access(path, X_OK))
		return 0;
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		if (snprintf(mark, PATH_MAX, "%s/%s/bench/catalogue.def", folder,
			     trees[i]) < PATH_MAX &&
		    !access(mark, F_OK) &&
		    snprintf(path, PATH_MAX, "%s/%s/scripts/%s", folder, trees[i], name) <
			    PATH_MAX &&
		    !access(path, X_OK))
			return 0;
	path[0] = '\0';
	return -ENOENT;
}
