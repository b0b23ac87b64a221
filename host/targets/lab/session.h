/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab's base machine, booted once, and the jobs that run on clones of it.
 */
#ifndef WS_LAB_SESSION_H
#define WS_LAB_SESSION_H

#include <pthread.h>

#include "host/lib/interrupt.h"
#include "host/lib/error.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/target.h"

/* What a job's answer is handed to; a member may be NULL where the job has no such. */
struct lab_sink {
	void *ctx;
	/* A document without benchmarks, as JSON text. */
	int (*header)(void *ctx, const char *json, size_t bytes);
	/* As lab_report_decode() takes it. */
	int (*report)(void *ctx, const uint8_t *report, size_t bytes);
	void (*line)(void *ctx, const char *text);
	/* Functions of the kernel: lines of kallsyms. */
	int (*symbols)(void *ctx, const char *text, size_t bytes);
};

struct lab_base {
	const char *label; /* for messages, such as "lab:aarch64-vhe" */
	const struct lab_machine *machine;
	struct lab_child child; /* the emulator, where it stays; its control is ours */
	int snapshot;		/* the machine as a file; -1: none */
	pthread_mutex_t lock;	/* of the control socket */
};

/* Seconds without a frame, time that the emulator waits for a processor not counted,
 * after which a machine is given up. */
#define LAB_SILENCE_S 120

/* A base machine that was booted before: its snapshot becomes the base's. */
void lab_base_resume(struct lab_base *base, const char *label,
		     const struct lab_machine *m, int snapshot);

/*
 * Boots the machine until it is ready for a job. lab_base_free() in any case. Where the
 * emulator stays, it dies with the calling thread.
 *
 * 0; -EINTR (interrupted was set); -ETIMEDOUT; -EBADMSG (what came over the wire
 * makes no sense); -EIO (the machine failed or crashed). `err` is one line, followed,
 * where the machine never answered or died, by the last lines of its console.
 */
int lab_base_boot(struct lab_base *base, const char *label, const struct lab_machine *m,
		  const struct lab_boot *boot, struct error *err);
void lab_base_free(struct lab_base *base);

/*
 * Runs `job` on a clone of the base machine and hands what comes over the wire to
 * `sink`. Several threads may do so at a time. `boot` as for lab_base_boot(); its plugin
 * is the clone's. Returns as lab_base_boot(), or what a callback returned; -EAGAIN: the
 * base machine's clock had moved when it stopped, boot another. No process is left in
 * any case.
 */
int lab_base_run(struct lab_base *base, const struct lab_boot *boot,
		 const uint8_t job[LAB_JOB_BYTES], const struct lab_sink *sink,
		 struct error *err);

#endif
