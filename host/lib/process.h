/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes: signals to this one, children that end with their parent, and programs in
 * PATH.
 */
#ifndef WS_LIB_PROCESS_H
#define WS_LIB_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The number of the signal that arrived, or 0. The handlers are installed without
 * SA_RESTART: a blocking call returns -EINTR, and its caller checks this variable.
 */
extern volatile int interrupted;

/*
 * SIGINT, SIGTERM and, unless the process began with it ignored, SIGHUP set
 * `interrupted`. SIGPIPE is ignored: a reader that ended is an error of the write, and
 * does not end a run before its document is written. `hook`: called by the handler,
 * async-signal-safe; NULL: nothing.
 */
void interrupt_catch(void (*hook)(void));

/*
 * After all documents are written and all emulators have ended: ends the process by the
 * signal that arrived, so that the shell sees the cause. Without a signal, returns.
 */
void interrupt_pass_on(void);

struct confine; /* confine.h */

struct process {
	pid_t pid;	 /* 0: not running */
	uint64_t cpu_ns; /* of a child that has ended and its children */
};

struct process_start {
	const char *const *argv; /* argv[0] is searched in PATH unless it has a slash */
	/* "NAME=value" strings that are added to the environment; NULL: none. */
	const char *const *environment;
	/*
	 * Descriptor i of the child is fds[i]. -1: /dev/null for 0, 1 and 2, otherwise
	 * closed. The child has no others.
	 */
	const int *fds;
	size_t n_fds;
	/* Confines the child, which executes confine->program in place of argv[0]. */
	const struct confine *confine; /* NULL: the child has the rights of the parent */
	bool fixed_addresses; /* of code, stack and mappings, where that is allowed */
};

/*
 * Closes the descriptors from `first` to `last`, at once or when the process executes
 * another program. Async-signal-safe.
 */
void process_close(unsigned int first, unsigned int last, bool at_exec);

/*
 * Starts a child in a process group of its own, so that a terminal's Ctrl-C reaches only
 * the parent. The child is killed when the calling thread ends. 0, or a negative errno:
 * -ENOENT if the program does not exist.
 */
int process_start(struct process *p, const struct process_start *how);

/*
 * Waits until the child ends. 0 with its status as waitpid() returns it, -ETIMEDOUT, or
 * -EINTR if `interrupted` is set. The time in which the child waits for a processor does
 * not count, up to PROCESS_WALL times the limit.
 */
#define PROCESS_WALL 60u
int process_wait(struct process *p, uint64_t timeout_ns, int *status);

/* Kills the process group if the child runs. Returns the status of waitpid(), or 0. */
int process_stop(struct process *p);

/*
 * How long each thread of a process has waited for a processor while it could run:
 * Documentation/scheduler/sched-stats.rst. 0 where the kernel does not count it, and for
 * threads beyond the room here.
 */
#define PROCESS_THREADS_MAX 64

struct process_waits {
	size_t n;
	struct {
		pid_t tid;
		uint64_t ns;
	} threads[PROCESS_THREADS_MAX];
	/* Of all threads: how long they have run; whether one could run now. The kernel
	 * counts a wait when it is over. */
	uint64_t run_ns;
	bool runnable;
};
struct process_waits process_waits(pid_t pid);

/* Of the threads of `now`, the longest wait since `then`. Waits of several threads do not
 * add up: they are at the same time, too. */
uint64_t process_waited_ns(const struct process_waits *then,
			   const struct process_waits *now);

/* The path of an executable program in PATH. 0 or -ENOENT. */
int process_find(const char *program, char path[PATH_MAX]);

/*
 * Whether a program is as long as its ELF header says, which ends with the table of
 * sections. True for a script, and for a file that cannot be read.
 */
bool process_is_whole(const char *path);
#define PROCESS_TRUNCATED "%s is truncated (install its package again)"

/* The folder of this program; "." if it is unknown. */
void process_own_folder(char path[PATH_MAX]);

/* scripts/NAME of this project, for messages: the installed one, else the tree's. */
void process_own_script(const char *name, char path[PATH_MAX]);

/* The path of scripts/NAME of this project: the installed one, else that of the tree that
 * this program was built in. 0 or -ENOENT. */
int process_find_script(const char *name, char path[PATH_MAX]);

/*
 * What a program writes to its standard output; free() it. NULL: the program failed,
 * wrote `max` bytes or more, did not end in time, or `interrupted` is set.
 */
char *process_output(const char *const *argv, size_t max, uint64_t timeout_ns);

/*
 * The line of the output of `program option` that contains "emulator", else the first
 * line; "" if the program fails. Reads at most `bytes` of the output.
 */
void process_version(const char *program, const char *option, char *text, size_t bytes);

#endif
