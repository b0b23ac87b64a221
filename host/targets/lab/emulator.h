/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface of a lab's emulator: how a machine is booted, stopped when it is ready,
 * and cloned; the emulator's process; and the table of machines.
 *
 * A lab boots its machine once, until /init waits for a job (lab_shared_wait()). Each job
 * runs in a clone of that machine, so that all jobs start from one state of memory,
 * registers and clocks. QEMU saves the machine as a migration stream in a file, from
 * which any number of processes start; the process of Bochs forks.
 */
#ifndef WS_TARGETS_LAB_EMULATOR_H
#define WS_TARGETS_LAB_EMULATOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/lab/wire.h"

struct lab_machine; /* below */
struct lab_base;    /* session.h */

/* The descriptors of an emulator. */
enum lab_fd {
	LAB_FD_INITRD = 3,
	LAB_FD_WIRE,	/* a file, see lab_shared_create() */
	LAB_FD_CONSOLE, /* write */
	LAB_FD_PLUGIN,	/* QEMU's plugin: the file of the records */
	LAB_FD_MEMORY,	/* the machine's memory; of Bochs: its initial content */
	LAB_FD_FIRMWARE,
	LAB_FD_CONFIG,
	LAB_FD_COMMANDS, /* for the emulator's own debugger */
	LAB_FD_CONTROL,	 /* a socket to wsbench */
	LAB_FD_KERNEL,	 /* of QEMU */
	LAB_FD_SNAPSHOT, /* Bochs: the machine to continue */
	LAB_FD_LIBRARY,	 /* of the fork servers */
	LAB_FD_SERVER,	 /* QEMU: a socket to its fork server */
	LAB_FD_TRACER,	 /* QEMU's plugin itself */
	LAB_FD_FIRST_OTHER,
};

/* Descriptors, because the user that the emulator becomes may not reach the files. */
#define LAB_CONSOLE_PATH "/proc/self/fd/5"
#define LAB_KERNEL_PATH	 "/proc/self/fd/12"
#define LAB_LIBRARY_PATH "/proc/self/fd/14"
#define LAB_TRACER_PATH	 "/proc/self/fd/16"
_Static_assert(LAB_FD_CONSOLE == 5 && LAB_FD_KERNEL == 12 && LAB_FD_LIBRARY == 14 &&
		       LAB_FD_TRACER == 16,
	       "they are spelled out above");

/* How an emulator is started. */
struct lab_command {
	char **argv;		       /* argv[0]: a path; one allocation */
	const char *environment[6];    /* "NAME=value", beside ours; NULL at the end */
	const struct confine *confine; /* NULL: not confined */
	int fds[LAB_FD_FIRST_OTHER];   /* owned; -1: none, or the session's */
	int server;		     /* wsbench's end of LAB_FD_SERVER; owned; -1: none */
	time_t answer_s, deadline_s; /* of the child */
	bool fixed_addresses;	     /* process.h */
};

/* A machine to boot, or to continue. */
struct lab_boot {
	const char *program; /* the emulator's path */
	const char *kernel;  /* an image that passed lab_kernel_check() */
	const char *append;  /* kernel parameters after the machine's own; NULL */
	const char *plugin;  /* path of QEMU's plugin, which records; NULL */
	int trace_fd;	     /* a file of the caller's for records; -1: do not record */
	/* Of a fork server that loads the plugin, whose clones can record; NULL, -1. */
	const char *server_plugin;
	int server_trace_fd;
	int initramfs;		/* a file of the caller's */
	int snapshot;		/* a file of the caller's: freeze(); -1: none */
	bool clone;		/* continue from `snapshot`, do not boot */
	bool serve;		/* and make clones by forks: needs `library` */
	bool keep;		/* and change the memory in `snapshot` */
	bool traces;		/* a module of the machine needs ftrace */
	const char *library;	/* of the fork server; NULL: none */
	const uint8_t *warm_up; /* a job before the first clone is made; NULL: none */
	struct timing *timing;	/* NULL: not wanted */
	const struct confine *confine; /* of the emulator; NULL */
	bool sandbox;		       /* QEMU can confine itself */
	unsigned int silence_s; /* limit of a machine's silence; 0: LAB_SILENCE_S */
	unsigned int total_s;	/* of a boot or a job; 0: LAB_TOTAL_S */
	time_t deadline_s;	/* of CLOCK_MONOTONIC; 0: none */
};

#define LAB_VERSION_BYTES 192

/* The emulator as a process, with the read ends of its pipes: non-blocking, -1: none. */
struct lab_child {
	struct process process;
	int console;
	int messages; /* standard output and standard error of the emulator */
	int control;  /* wsbench's end of LAB_FD_CONTROL; blocking */
	int server;   /* of LAB_FD_SERVER; -1: none, or `control` is it */
	/* Limits of an answer on `control`: its time, and the end of the run (0: none).
	 */
	time_t answer_s, deadline_s;
	/* A clone that is not a child of wsbench: kills clone `pid` of `base`. */
	int (*end)(struct lab_base *base, pid_t pid);
	struct lab_base *base; /* argument of end() */
	/* As the emulator's program prints its version; "": not known. */
	char version[LAB_VERSION_BYTES];
};

/*
 * The limit of one answer of an emulator, which lab_limit_check() looks at in every loop
 * that waits for it: 0; -EINTR; -ETIMEDOUT, the time that the emulator waits for a
 * processor not counted; or -ETIME, the run has ended.
 */
struct lab_limit {
	const struct lab_child *child;
	time_t begin_s;
	struct process_waits waits;
};
struct lab_limit lab_limit_begin(const struct lab_child *c);
int lab_limit_check(const struct lab_limit *l);

/*
 * Seconds of CLOCK_MONOTONIC, and whether more than `limit_s` have passed since
 * `begin_s`, the time that the emulator has waited for a processor since `waits` not
 * counted.
 */
time_t lab_now_s(void);
bool lab_is_over(pid_t pid, time_t begin_s, const struct process_waits *waits,
		 time_t limit_s);

/* Whether a process waited for a processor all the time between two readings. */
bool lab_waits_for_cpu(const struct process_waits *now,
		       const struct process_waits *later);

/* What records the instructions of a machine. */
enum lab_tracer { LAB_TRACER_NONE, LAB_TRACER_PLUGIN, LAB_TRACER_BUILT_IN };

struct lab_emulator {
	/* A file of emulator.sh's (lab_find_emulator()); NULL: the machine's program in
	 * PATH. */
	const char *built;
	const char *version;	    /* of `built` */
	const char *version_option; /* of a program in PATH: prints the emulator's name */
	/* Prefixes of the emulator's error messages, best first; NULL at the end. */
	const char *const *error_marks;
	enum lab_shared_kind wire;
	int control_type; /* of LAB_FD_CONTROL: SOCK_STREAM, SOCK_SEQPACKET */
	bool can_save;	  /* freeze() leaves a snapshot: session.h */
	bool stays;	  /* and clones are made by the process of the base machine */
	enum lab_tracer tracer;
	/* 0 or a negative errno; lab_command_free() in any case. */
	int (*command)(const struct lab_machine *m, const struct lab_boot *boot,
		       struct lab_command *cmd, struct error *err);
	/* Called once after the start. 0 or a negative errno. */
	int (*begin)(struct lab_child *child);
	/*
	 * Called when child->control is readable. 1: the machine has stopped and is
	 * ready; 0: not yet; -EPIPE: the emulator has closed its end; another negative
	 * errno.
	 */
	int (*is_ready)(const struct lab_child *child);
	/*
	 * Asks the emulator of a running machine for a sign of life: 0 or a negative
	 * errno. has_answered(): whether it has come. NULL: cannot be asked.
	 */
	int (*ask)(int control);
	bool (*has_answered)(int control);
	/* The place of CPU 0 of a running machine, in words. False: unknown. NULL: it
	 * cannot be asked. */
	bool (*where)(const struct lab_child *child, char *text, size_t room);
	/* Prepares `base` for clones; the emulator may end or stay. */
	int (*freeze)(struct lab_base *base);
	/*
	 * Starts a clone with this wire and this job. 0 or a negative errno; the
	 * child's messages may have the emulator's reason.
	 */
	int (*clone)(struct lab_base *base, const struct lab_boot *boot,
		     struct lab_shared *wire, const uint8_t job[JOB_BYTES],
		     struct lab_child *child, struct error *err);
};

/* No arguments, no descriptors. */
void lab_command_init(struct lab_command *cmd);
void lab_command_free(struct lab_command *cmd);

/* No process and no descriptors: lab_child_stop() is allowed. */
void lab_child_init(struct lab_child *c);

/*
 * Starts the emulator with the descriptors of enum lab_fd. The emulator is killed when
 * the calling thread ends. LAB_FD_CONTROL is one end of a socket pair of type
 * `control_type`. 0 or a negative errno.
 */
int lab_child_start(struct lab_child *c, const struct lab_command *cmd, int wire_fd,
		    int control_type, struct error *err);

/* Opens the pipes: the write ends go to `console` and `messages`. */
int lab_child_pipes(struct lab_child *c, int *console, int *messages);

/* Kills the emulator if it runs, and closes the descriptors. Returns the status of
 * waitpid(), or 0. */
int lab_child_stop(struct lab_child *c);

/* Waits up to a second for an emulator that has closed its descriptors, then
 * lab_child_stop(). */
int lab_child_finish(struct lab_child *c);

#define LAB_TAIL_BYTES 8192u

/* The end of a stream of text, the console or the emulator's messages: console.c. */
struct lab_tail { /* zeroed memory to begin with */
	char text[LAB_TAIL_BYTES];
	size_t bytes;
};

void lab_tail_add(struct lab_tail *t, const char *text, size_t bytes);

/*
 * Copies line number `back` from the end (0: the last line), not counting blank lines,
 * without control characters, truncated to `room`. Returns `line`, or NULL if the tail
 * has fewer lines.
 */
const char *lab_tail_line(const struct lab_tail *t, unsigned int back, char *line,
			  size_t room);

/*
 * Copies the last line that contains `word`, from `word` on. `l1`, or NULL: whether it is
 * of L1's console (l1.h).
 */
const char *lab_tail_find(const struct lab_tail *t, const char *word, bool *l1,
			  char *line, size_t room);

/*
 * Of a console: what a kernel printed of its first oops, where it was, and the functions
 * that called that, in one line. Returns `line`, or NULL before the end of the call
 * trace; with `ended`, when no more will come, as much as there is. `l1`: whether it is
 * L1's kernel.
 */
const char *lab_tail_crash(const struct lab_tail *t, bool ended, bool *l1, char *line,
			   size_t room);

/*
 * lab_bochs: with the project's patches; lab_bochs_smp: for machines of more than one
 * CPU, too; lab_bochs_plain: of a distribution.
 */
extern const struct lab_emulator lab_qemu, lab_bochs, lab_bochs_smp, lab_bochs_plain;

/* bochs_rom.S, assembled: the end of the first 4 GiB. */
extern const uint8_t lab_bochs_rom[], lab_bochs_rom_end[];

/* ------------------------------ machines ------------------------------ */

/* The emulated machines of the labs, and the emulator's command line. */

/* Memory in MiB; strings because command lines and configurations need them. */
#define LAB_MEMORY_MIB "256"

/* Of L0 (l1.h): the memory of L1, and the files from which that is filled. */
#define L0_MEMORY_MIB	      "512"
#define L0_AARCH64_MEMORY_MIB "768" /* an Image is not compressed */

/* The models whose PMUs bochs/overlay emulates. */
#define BOCHS_CPU     "corei7_icelake_u"
#define BOCHS_CPU_AMD "ryzen"

struct lab_machine {
	const char *name; /* "aarch64-vhe": what follows "lab:" */
	enum arch arch;
	const struct lab_emulator *emulator;
	const char *program;	  /* the emulator's, to be found in PATH */
	const char *const *flags; /* its arguments, NULL at the end */
	const char *append;	  /* the kernel's command line */
	const char *module;	  /* to load, with all it depends on; NULL: built in */
	unsigned int least_qemu;  /* QEMU's major version; 0: any */
	const char *least_kernel; /* "6.16"; NULL: any */
	bool l1;		  /* wsbench runs in a guest: l1.h */
	unsigned int boots_max;	  /* of a clone; 0: as many as are wanted */
	unsigned int cpus;	  /* of a machine of Bochs, vCPU 0's first; 0: one */
	/* The machine without `emulator`, which is not installed; NULL: none. */
	const struct lab_machine *fallback;
	const char *lacks; /* what a fallback lacks */
};

/* Ends with a row whose name is NULL. */
extern const struct lab_machine lab_machine_table[];

const struct lab_machine *lab_machine_find(const char *name); /* NULL: none */

const char *lab_machine_memory_mib(const struct lab_machine *m);

/* What separates the machine's kernel parameters from `append` (NULL: none). */
const char *lab_append_begin(const struct lab_machine *m, const char *append);

/* From a kernel command line that lab_is_whole(), removes the blacklist of initcalls. */
void lab_keep_initcalls(char *line);

const char *lab_arch_name(enum arch arch); /* "x86_64", "aarch64" */

/*
 * The argument vector that boots `kernel`, in one allocation that the caller
 * frees. `append` (or NULL) is added to the machine's own kernel command line.
 * `emulator` is a path; `plugin` is the path of a plugin for it, or NULL; `how`: bits of
 * enum lab_argv; LAB_ARGV_CLONE: it waits for the machine that it continues. NULL: out of
 * memory.
 */
enum lab_argv {
	LAB_ARGV_SANDBOX = 1 << 0, /* QEMU confines itself */
	LAB_ARGV_CLONE = 1 << 1,
	LAB_ARGV_FORKS = 1 << 2, /* QEMU's sandbox allows forks */
	LAB_ARGV_KEEP = 1 << 3,	 /* a clone that changes the memory in the snapshot */
};
char **lab_machine_argv(const struct lab_machine *m, const char *emulator,
			const char *kernel, const char *append, const char *plugin,
			unsigned int how);

#endif
