/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab's base machine, booted once or loaded from disk, and the jobs that run on clones
 * of it.
 */
#ifndef WS_TARGETS_LAB_SESSION_H
#define WS_TARGETS_LAB_SESSION_H

#include <pthread.h>

#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/target.h"

/* Receives the answer to a job; NULL members: the job has no such answer. */
struct lab_sink {
	void *ctx;
	/* A document without benchmarks, as JSON text. */
	int (*header)(void *ctx, const char *json, size_t bytes);
	/* For boot_report_decode(). */
	int (*report)(void *ctx, const uint8_t *report, size_t bytes);
	void (*line)(void *ctx, const char *text);
	/*
	 * Functions of the kernel: lines of kallsyms; in L1, then the line
	 * TARGET_SYMBOLS_OF_L0 and those of L0's kernel.
	 */
	int (*symbols)(void *ctx, const char *text, size_t bytes);
	uint64_t raw_max; /* bytes of the answer; 0: LAB_WIRE_RAW_MAX */
};

/* What a machine has said so far (frames.c). */
struct lab_frames {
	const char *label;
	const struct lab_sink *sink; /* NULL: the machine boots, and has no job yet */
	bool l1;		     /* the machine's KVM is in a guest */
	struct error *err;
	bool hello, header, symbols;
	bool end;	  /* the answer is complete */
	char *symbols_l0; /* until those of L1 arrive; free() it */
};

/*
 * Checks the next frame, and passes what it holds to the sink. 0 or a negative errno with
 * its message: an answer that the job does not have, or a second time, is an error.
 */
struct lab_frame;
int lab_frames_take(struct lab_frames *a, const struct lab_frame *f);

enum lab_warmth {
	LAB_WARM_UNKNOWN,  /* no clone has been made */
	LAB_WARM_SERVER,   /* by forks of `child` */
	LAB_WARM_SNAPSHOT, /* from another snapshot */
	LAB_WARM_NOT,	   /* the machine does not survive its warm-up: from `snapshot` */
};

struct lab_base {
	const char *label; /* for messages, such as "lab:aarch64-vhe" */
	const struct lab_machine *machine;
	struct lab_child child; /* the emulator, if it stays */
	int snapshot;		/* the machine as a file; -1: none */
	/* QEMU: how clones start from one state, behind the warm-up. */
	enum lab_warmth warmth;
	int warm;	      /* LAB_WARM_SNAPSHOT: the file; -1: none */
	pthread_mutex_t lock; /* of the control socket */
	bool lost; /* an emulator that stays does not answer any more; atomic */
};

/*
 * Seconds after which a machine is given up: without a frame, and in total, the time that
 * the emulator waits for a processor not counted.
 */
#define LAB_SILENCE_S 120
#define LAB_TOTAL_S   3600

/* A base machine from a snapshot, which the base then owns. */
void lab_base_resume(struct lab_base *base, const char *label,
		     const struct lab_machine *m, int snapshot);

/*
 * Boots the machine until it is ready for a job, or (boot->clone) continues it from
 * boot->snapshot, which the base then owns, in a process that stays. lab_base_free() in
 * any case. An emulator that stays is killed when the calling thread ends.
 *
 * 0; -EINTR (`interrupted` is set); -ETIMEDOUT; -EBADMSG (invalid data on the wire); -EIO
 * (the machine failed or crashed); -ETIME (boot->deadline_s has passed). `err` is one
 * line, followed by the last lines of the console if the machine did not answer or died.
 */
int lab_base_boot(struct lab_base *base, const char *label, const struct lab_machine *m,
		  const struct lab_boot *boot, struct error *err);
void lab_base_free(struct lab_base *base);

/*
 * Runs an encoded job on a clone of the base machine and passes the answer to `sink`.
 * Several threads may call this function at a time. `boot` as for lab_base_boot(); its
 * plugin is the clone's. Returns as lab_base_boot(), or what a callback returned;
 * -EAGAIN: the base machine's clock had moved when it stopped, boot another. No process
 * is left in any case.
 */
int lab_base_run(struct lab_base *base, const struct lab_boot *boot,
		 const uint8_t job[JOB_BYTES], const struct lab_sink *sink,
		 struct error *err);

/*
 * Requests to the fork server of `base` (fork_protocol.h), under the lock of its socket.
 * `fds`: CLONE_FDS of them, -1: without this one; NULL: none. `answer_s`: the limit of
 * the reply. Without a reply the machine is given up: a late one would be that of the
 * next request. 0, -EPIPE, -ETIMEDOUT, -ETIME, or another negative errno.
 */
struct clone_request;
int lab_clone_request(struct lab_base *base, const struct clone_request *request,
		      const int *fds, time_t answer_s, int32_t *value);

/* One reply that was not asked for. As above. */
int lab_clone_reply(const struct lab_child *server, int32_t *value);

/*
 * Forks a clone, with pipes in fds[CLONE_FD_CONSOLE] and fds[CLONE_FD_MESSAGES]. 0 or a
 * negative errno with its message; lab_child_stop() in any case.
 */
int lab_clone_fork(struct lab_base *base, struct clone_request *request, int *fds,
		   time_t answer_s, struct lab_child *child, struct error *err);

/*
 * Base machines on disk, so that the next run of the same lab needs no boot; and the
 * symbols of their kernels, so that the next `explain` needs not wait for them.
 *
 * A file below `machines` in the cache holds the snapshot of a base machine, after it
 * what a clone says of the machine (JOB_DESCRIBE), and everything that the machine
 * depends on, as text: the emulator, the machine's options, the command line, the kernel
 * and the initramfs by size and checksum, and the state of the host's packages
 * (firmware). A file whose text differs is another machine. The oldest files are removed
 * when there are more than LAB_SAVED_MAX.
 *
 * The cache only saves time: a failure to read or write it is not an error.
 * $WORLDSWITCH_FRESH_MACHINES=1 turns it off.
 */
#define LAB_SAVED_MAX 16

struct lab_saved {
	char path[PATH_MAX]; /* empty: not to be saved */
	char *key;	     /* the text; the struct's own */
	bool from_file;	     /* the emulator only reads it, by a descriptor */
};

/* What `boot` on `m` depends on. lab_saved_free() in any case. */
void lab_saved_init(struct lab_saved *s, const struct lab_machine *m,
		    const struct lab_boot *boot);
void lab_saved_free(struct lab_saved *s);

/*
 * The snapshot, open, the caller's; -1: there is none. It is a copy in memory, which no
 * change of the file reaches, or (`from_file`) the file itself. Its checksum is compared
 * unless it was since the host was started, and the file's time is the same.
 * `description`: an allocated string, or NULL: none was saved.
 */
int lab_saved_load(const struct lab_saved *s, char **description);

/* Removes it: no job could run on it. */
void lab_saved_drop(const struct lab_saved *s);

/*
 * Writes a snapshot to disk by a thread, which reads what `boot` refers to; NULL: it is
 * not to be saved. The file appears once a clone has run from the snapshot (`keep`),
 * unless the kernel or another file that the machine depends on was replaced since
 * lab_saved_init(). `description`: what the clone answered to JOB_DESCRIBE, which each
 * clone answers to the byte; NULL: none. Every saving is decided, and then waited for.
 */
struct lab_saving;
struct lab_saving *lab_saved_begin(const struct lab_saved *s, const struct lab_machine *m,
				   const struct lab_boot *boot, int snapshot);
void lab_saved_decide(struct lab_saving *w, bool keep, const char *description);
void lab_saved_wait(struct lab_saving *w);

/*
 * The symbols that a job under `config` sent from such a machine: an allocated string of
 * `*bytes`, or NULL.
 */
char *lab_symbols_load(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, size_t *bytes);
void lab_symbols_store(const struct lab_machine *m, const struct lab_boot *boot,
		       const char *config, const char *text, size_t bytes);

#endif
