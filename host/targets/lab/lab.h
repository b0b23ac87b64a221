/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open lab: what lab.c has found for it, its machines, and the jobs that run on clones
 * of them (bases.c).
 */
#ifndef WS_TARGETS_LAB_LAB_H
#define WS_TARGETS_LAB_LAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/targets/target.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/session.h"

/* Machines of one lab: configs may need kernel parameters. */
#define LAB_BASES_MAX 8

struct reviver; /* bases.c */

struct lab_state {
	const struct lab_machine *machine;
	struct {
		struct lab_base base;	   /* booted when it is first needed */
		struct lab_saving *saving; /* NULL: none */
		const char *cmdline;	   /* a config's; NULL: none */
		char *append;		   /* the user's words and these; NULL: none */
		int ret;		   /* why there is none, with `err` */
		struct error err;
		/* Of the base: jobs read it, revive() writes. */
		pthread_rwlock_t in_use;
		struct reviver *reviver; /* NULL: none */
		unsigned int revivals;
		/* From an earlier run, under `symbols_of`; of one config. NULL: none. */
		char *symbols;
		size_t symbols_bytes;
		const struct config *symbols_of;
	} bases[LAB_BASES_MAX]; /* the first: configs without kernel parameters */
	size_t n_bases;
	pthread_mutex_t lock; /* of the bases' list, and of their symbols */
	int initramfs;	      /* a file; -1: none */
	uint64_t timeout_ns;  /* of a boot; 0: boot_timeout_ns() */
	unsigned int run_s;   /* limit of the whole run, which ends at this time */
	time_t deadline_s;    /* of CLOCK_MONOTONIC */
	bool late;	      /* a boot or a job was not done in time; atomic */
	bool host_counters;
	struct timing *timing;		  /* NULL: not wanted */
	const struct target_trace *trace; /* NULL: nothing is recorded */
	char emulator[PATH_MAX];
	struct lab_kernel kernel;
	char *append; /* NULL: none */
	struct confine confine;
	char clone_library[PATH_MAX]; /* of the fork servers; "": none */
	uint8_t warm_up[JOB_BYTES];   /* of QEMU's machines, if `warms_up` */
	bool warms_up;
	bool sandbox; /* QEMU can confine itself */
	bool traces;  /* the module of host/kmod needs ftrace */
	struct lab_modules modules;
	int program; /* a file: the /init that runs inside */
	size_t program_bytes;
	struct timespec program_time;
	uint8_t *program_content; /* for explain; NULL: not read yet */
	uint8_t *payload;	  /* the user's own; NULL: none */
	size_t payload_bytes;
	uint8_t *l1_kernel; /* NULL: this is not a lab with an L1 */
	size_t l1_kernel_bytes;
};

/* Where the answer to a job is stored. */
struct lab_answer {
	const struct target *t;
	struct result **header;
	struct boot_report *reports; /* room for `n_reports`; `got` of them are there */
	size_t n_reports, got;
	void (*line)(void *ctx, const char *text);
	void *ctx;
	char *header_text;	       /* of `header`, as it was sent; free() it */
	bool untimed;		       /* no part of --timing */
	struct lab_boot boot;	       /* of the machine that sends symbols */
	const struct boot_request *rq; /* the boots of `reports` */
	int trace_fd;		       /* for their records; -1: do not record */
	bool complete;
	struct error *err;
};

/* Whether the program is what it was at the begin: 0, or -ESTALE; it has been
 * overwritten.
 */
int lab_program_check(const struct lab_state *s, struct error *err);

/*
 * Whether the command line with these words is one that Linux reads whole: 0, or -E2BIG.
 * Of a longer one arm64 ignores the rest, and x86_64 does not boot.
 */
int lab_check_append(const struct lab_machine *m, const char *append, struct error *err);

/* Marks the lab as late: -ETIME. */
int lab_say_late(const struct target *t, struct error *err);

/* Errors after which no other boot is tried. */
bool lab_is_fatal(int ret);

/* Machine 0, which serves configs without kernel parameters; it may not be booted yet. */
int lab_first_base(struct lab_state *s, struct error *err);

/*
 * The machine of a config, booted by the first call for it. Returns its index or a
 * negative errno.
 */
int lab_base_of(struct target *t, const struct config *config, struct error *err);

/* All machines of the lab. */
void lab_bases_free(struct lab_state *s);

/* One job on a clone of machine `which`. Returns as lab_base_run(); -EPROTO; -ETIME. */
int lab_run_job(struct target *t, size_t which, const struct job *job,
		struct lab_answer *a);

/*
 * The first job on a machine: resumes a saved machine, or boots one. Called by the thread
 * that closes the target: see lab_base_boot().
 */
int lab_run_first_job(struct target *t, size_t which, const struct job *job,
		      struct lab_answer *a);

/*
 * The boots of a row. If the machine that they are a clone of was lost meanwhile, which a
 * row can be the reason of or not, they are repeated once on a new one.
 */
int lab_run_boots(struct target *t, size_t which, const struct job *job,
		  struct lab_answer *a);

/*
 * Passes the functions of the kernel from an earlier run of the same machine under the
 * config, which may load modules, to the target's trace. To read and to send them takes
 * the machine hundreds of millions of instructions. False: there are none.
 */
bool lab_pass_saved_symbols(const struct target *t, size_t which,
			    const struct boot_request *rq);

#endif
