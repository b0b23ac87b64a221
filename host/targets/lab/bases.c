/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of a lab: each is booted when it is first needed, or resumed from disk,
 * and booted again when its emulator is lost; and the jobs on clones of them.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/lab.h"
#include "host/targets/lab/wire.h"

/*
 * The machine ends a boot at its limit, by its own clock. One that does not is given up
 * after this time from outside: the set-up of a job, and a slower emulator than
 * LAB_SLOWDOWN assumes. Without a limit of the user's, LAB_SILENCE_S at least.
 */
#define LAB_GRACE_S	 20u
#define LAB_GRACE_FACTOR 4u

/* Boots of the machine until one has stopped in time: lab_shared_wait(). */
#define BOOTS_MAX 30

/* How often a machine whose emulator does not answer any more is booted again. */
#define REVIVALS_MAX 8

static bool is_late(const struct lab_state *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec >= s->deadline_s;
}

int lab_say_late(const struct target *t, struct error *err)
{
	struct lab_state *s = t->state;

	__atomic_store_n(&s->late, true, __ATOMIC_RELAXED);
	return error_set(err, -ETIME,
			 "%s: the run was not done after %u s (--lab-timeout)", t->name,
			 s->run_s);
}

bool lab_is_fatal(int ret)
{
	return ret == -EINTR || ret == -ENOMEM;
}

/* The archive as an unnamed file; the program is copied from file to file. */
static int write_archive(const struct lab_state *s, const struct lab_cpio *c)
{
	const struct lab_part parts[] = {
		{ .fd = -1, .data = c->data, .bytes = c->program_at },
		{ .fd = s->program, .bytes = s->program_bytes },
		{ .fd = -1, .bytes = c->program_end - c->program_at - s->program_bytes },
		{ .fd = -1,
		  .data = c->data + c->program_end,
		  .bytes = c->bytes - c->program_end },
	};

	return lab_memory_file_of("worldswitch-initramfs", parts,
				  sizeof(parts) / sizeof(parts[0]));
}

/* An unnamed file, or a negative errno. */
static int initramfs_open(const struct lab_state *s, struct error *err)
{
	const struct lab_initramfs what = {
		.program_bytes = s->program_bytes,
		.modules = &s->modules,
		.payload = s->payload,
		.payload_bytes = s->payload_bytes,
		.kernel = s->l1_kernel,
		.kernel_bytes = s->l1_kernel_bytes,
	};
	struct lab_cpio archive = { .data = NULL };
	int ret = lab_initramfs_build(&what, &archive);

	if (!ret)
		ret = write_archive(s, &archive);
	free(archive.data);
	if (lab_program_check(s, err)) {
		if (ret >= 0)
			close(ret);
		return -ESTALE;
	}
	return ret >= 0 ? ret
			: error_set(err, ret, "cannot build the lab's initramfs: %s",
				    strerror(-ret));
}

static struct lab_boot boot_of(const struct lab_state *s, size_t which)
{
	return (struct lab_boot){
		.program = s->emulator,
		.kernel = s->kernel.image,
		.append = s->bases[which].append,
		.trace_fd = -1,
		.server_plugin = s->trace ? s->trace->plugin : NULL,
		.server_trace_fd = s->trace ? s->trace->server_file : -1,
		.initramfs = s->initramfs,
		.snapshot = -1,
		.timing = s->timing,
		.deadline_s = s->deadline_s,
		.confine = &s->confine,
		.sandbox = s->sandbox,
		.traces = s->traces,
		.library = s->clone_library[0] ? s->clone_library : NULL,
		.warm_up = s->warms_up ? s->warm_up : NULL,
	};
}

static int on_header(void *ctx, const char *json, size_t bytes)
{
	struct lab_answer *a = ctx;
	struct result *header;
	struct error why;

	if (result_parse(json, bytes, &header, &why))
		return error_set(a->err, -EPROTO, "%s sent a broken header: %s",
				 a->t->name, why.text);
	result_free(*a->header);
	*a->header = header;
	free(a->header_text);
	a->header_text = strndup(json, bytes);
	a->complete = true;
	return 0;
}

static void ignore_line(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static int on_report(void *ctx, const uint8_t *report, size_t bytes)
{
	struct lab_answer *a = ctx;
	int ret = -EBADMSG;

	if (a->got < a->n_reports && !a->complete)
		ret = boot_report_decode(report, bytes, &a->reports[a->got]);
	if (ret)
		return ret;
	a->complete = a->reports[a->got].outcome != BOOT_DONE;
	a->got++;
	a->complete |= a->got == a->n_reports;
	return 0;
}

static void on_line(void *ctx, const char *text)
{
	struct lab_answer *a = ctx;

	a->line(a->ctx, text);
	a->complete = true;
}

static int on_symbols(void *ctx, const char *text, size_t bytes)
{
	const struct lab_answer *a = ctx;
	const struct lab_state *s = a->t->state;

	lab_symbols_store(s->machine, &a->boot, a->rq->config->name, text, bytes);
	return a->t->trace->symbols(a->t->trace->ctx, a->rq, text, bytes);
}

/*
 * To load them takes the checksums of kernel and initramfs, 10 ms: not for each row. The
 * caller has s->lock.
 */
static void load_symbols(struct lab_state *s, size_t which, const struct config *config)
{
	const struct lab_boot boot = boot_of(s, which);

	if (s->bases[which].symbols && s->bases[which].symbols_of == config)
		return;
	free(s->bases[which].symbols);
	s->bases[which].symbols_of = config;
	s->bases[which].symbols = lab_symbols_load(s->machine, &boot, config->name,
						   &s->bases[which].symbols_bytes);
}

bool lab_pass_saved_symbols(const struct target *t, size_t which,
			    const struct boot_request *rq)
{
	struct lab_state *s = t->state;
	const char *text;
	bool taken;

	pthread_mutex_lock(&s->lock);
	load_symbols(s, which, rq->config);
	text = s->bases[which].symbols;
	taken = text && !t->trace->symbols(t->trace->ctx, rq, text,
					   s->bases[which].symbols_bytes);
	pthread_mutex_unlock(&s->lock);
	return taken;
}

/* From outside: the machine has limits of its own for each boot. */
static void set_limits(const struct lab_state *s, const struct job *job,
		       struct lab_boot *boot)
{
	uint64_t boot_s = LAB_GRACE_S + LAB_GRACE_FACTOR * job->timeout_ns / 1000000000;
	uint64_t total_s;

	if (boot_s < LAB_SILENCE_S && (!s->timeout_ns || boot->trace_fd >= 0))
		boot_s = LAB_SILENCE_S;
	/* A frame of symbols is as long as a boot. */
	total_s = boot_s * (job->boots + 1);
	boot->silence_s = boot_s < INT_MAX ? (unsigned int)boot_s : INT_MAX;
	boot->total_s = total_s < INT_MAX ? (unsigned int)total_s : INT_MAX;
}

/* More bytes than an encoded report has. */
static uint64_t report_max(const struct job *job)
{
	uint64_t events = job->params.events > job->params.pmc_events
				  ? job->params.events
				  : job->params.pmc_events;

	if (job->n_scales)
		events *= boot_scale_n(&job->scales[0]);
	return 65536 + ABI_PHASES * sizeof(uint64_t) * events;
}

int lab_run_job(struct target *t, size_t which, const struct job *job,
		struct lab_answer *a)
{
	struct lab_state *s = t->state;
	struct lab_boot boot = boot_of(s, which);
	const struct lab_sink sink = {
		.ctx = a,
		.header = a->header ? on_header : NULL,
		.report = a->reports ? on_report : NULL,
		.line = a->line ? on_line : NULL,
		.symbols = job->symbols ? on_symbols : NULL,
		.raw_max = LAB_WIRE_RAW_MAX + a->n_reports * report_max(job),
	};
	uint8_t block[JOB_BYTES];
	int ret = job_encode(job, block);

	if (ret)
		return error_set(a->err, ret, "%s: the job is too long", t->name);
	a->boot = boot;
	if (a->reports) {
		boot.plugin = a->trace_fd >= 0 ? t->trace->plugin : NULL;
		boot.trace_fd = a->trace_fd;
		set_limits(s, job, &boot);
	}
	if (a->untimed)
		boot.timing = NULL;
	ret = is_late(s) ? -ETIME : 0;
	if (!ret)
		ret = lab_base_run(&s->bases[which].base, &boot, block, &sink, a->err);
	if (ret == -ETIME)
		return lab_say_late(t, a->err);
	if (!ret && !a->complete)
		ret = error_set(a->err, -EPROTO, "%s sent no answer", t->name);
	return ret;
}

/* The base owns the snapshot in any case. */
static int resume(const struct lab_state *s, struct lab_base *base, const char *label,
		  struct lab_boot boot, int snapshot, struct error *err)
{
	boot.snapshot = snapshot;
	boot.clone = true;
	if (s->machine->emulator->stays)
		return lab_base_boot(base, label, s->machine, &boot, err);
	lab_base_resume(base, label, s->machine, snapshot);
	return 0;
}

/*
 * Whether a job runs on a machine that was loaded from disk. A clone answers JOB_DESCRIBE
 * to the byte as one did before the machine was saved: a short job shows that the machine
 * continues, and the answer is that of the file.
 */
static int run_on_saved(struct target *t, size_t which, const struct job *job,
			const char *description, struct lab_answer *a)
{
	const struct job trial = { .kind = JOB_TIMING, .cpu = -1, .ends = true };
	struct lab_answer any = { .t = t, .line = ignore_line, .err = a->err };
	int ret;

	if (job->kind != JOB_DESCRIBE || !description)
		return lab_run_job(t, which, job, a);
	ret = lab_run_job(t, which, &trial, &any);
	return ret ? ret : on_header(a, description, strlen(description));
}

/* Boots a machine, which is saved if the job runs on it. As lab_run_first_job(). */
static int boot_and_run(struct target *t, size_t which, const struct job *job,
			const struct lab_saved *saved, struct lab_answer *a)
{
	struct lab_state *s = t->state;
	struct lab_base *base = &s->bases[which].base;
	const struct lab_boot boot = boot_of(s, which);
	struct lab_saving *saving;
	int ret;

	lab_base_free(base);
	ret = is_late(s) ? -ETIME
			 : lab_base_boot(base, t->name, s->machine, &boot, a->err);
	if (ret == -ETIME)
		lab_say_late(t, a->err);
	if (ret)
		return ret;
	saving = lab_saved_begin(saved, s->machine, &boot, base->snapshot);
	ret = lab_run_job(t, which, job, a);
	lab_saved_decide(saving, !ret, a->header_text);
	lab_saved_wait(s->bases[which].saving);
	s->bases[which].saving = saving;
	return ret;
}

int lab_run_first_job(struct target *t, size_t which, const struct job *job,
		      struct lab_answer *a)
{
	struct lab_state *s = t->state;
	struct timing_mark mark = timing_mark();
	char *description;
	struct lab_saved saved;
	struct lab_boot boot;
	struct error damaged;
	int ret = -EAGAIN, snapshot;

	if (s->initramfs < 0)
		s->initramfs = initramfs_open(s, a->err);
	if (s->initramfs < 0)
		return s->initramfs;
	timing_add(s->timing, TIMING_OPEN, &mark, 0);
	mark = timing_mark();
	boot = boot_of(s, which);
	lab_saved_init(&saved, s->machine, &boot);
	snapshot = lab_saved_load(&saved, &description);
	if (snapshot >= 0) {
		timing_add(s->timing, TIMING_LOAD, &mark, 0);
		lab_base_free(&s->bases[which].base);
		ret = resume(s, &s->bases[which].base, t->name, boot, snapshot, a->err);
		if (!ret)
			ret = run_on_saved(t, which, job, description, a);
		if (ret && !lab_is_fatal(ret) && is_late(s)) {
			ret = lab_say_late(t, a->err);
		} else if (ret && !lab_is_fatal(ret)) {
			/* The saved machine may be the reason: a new one is booted. */
			lab_saved_drop(&saved);
			a->complete = false;
			ret = -EAGAIN;
		}
	}
	free(description);
	/* Boot again if the clock moved: see lab_shared_wait(). */
	for (int i = 0; ret == -EAGAIN && i < BOOTS_MAX; i++)
		ret = boot_and_run(t, which, job, &saved, a);
	free(a->header_text);
	a->header_text = NULL;
	lab_saved_free(&saved);
	/* A damaged emulator is a better reason than what it did. */
	if (ret == -EIO && lab_emulator_verify(s->emulator, true, &damaged)) {
		*a->err = damaged;
		ret = -EBADMSG;
	}
	return ret;
}

/* Adds a machine that is not booted. Returns its index or a negative errno. */
static int add_base(struct lab_state *s, const char *cmdline, struct error *err)
{
	size_t which = s->n_bases;
	char *append = NULL;
	int ret;

	if (which == LAB_BASES_MAX)
		return error_set(err, -E2BIG, "too many configs with command lines");
	if ((cmdline || s->append) &&
	    asprintf(&append, "%s%s%s", s->append ? s->append : "",
		     cmdline && s->append ? " " : "", cmdline ? cmdline : "") < 0)
		return error_set(err, -ENOMEM, "out of memory");
	ret = lab_check_append(s->machine, append, err);
	if (ret) {
		free(append);
		return ret;
	}
	s->bases[which].cmdline = cmdline;
	s->bases[which].append = append;
	pthread_rwlock_init(&s->bases[which].in_use, NULL);
	s->n_bases++;
	return (int)which;
}

int lab_first_base(struct lab_state *s, struct error *err)
{
	return s->n_bases ? 0 : add_base(s, NULL, err);
}

int lab_base_of(struct target *t, const struct config *config, struct error *err)
{
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1, .ends = true };
	struct lab_state *s = t->state;
	struct result *header = NULL;
	int which = 0;

	if (!config->cmdline)
		return 0;
	pthread_mutex_lock(&s->lock);
	while (which < (int)s->n_bases && s->bases[which].cmdline != config->cmdline)
		which++;
	if (which == (int)s->n_bases) {
		which = add_base(s, config->cmdline, err);
		if (which > 0) {
			struct lab_answer a = {
				.t = t,
				.header = &header,
				.err = &s->bases[which].err,
			};

			s->bases[which].ret =
				lab_run_first_job(t, (size_t)which, &job, &a);
			result_free(header);
		}
	}
	pthread_mutex_unlock(&s->lock);
	if (which > 0 && s->bases[which].ret) {
		*err = s->bases[which].err;
		return s->bases[which].ret;
	}
	return which;
}

/* A thread that boots a machine, and ends with the target: the machine would end with it.
 */
struct reviver {
	struct target *t;
	size_t which;
	int ret;
	struct error err;
	sem_t booted, closed;
	pthread_t thread;
};

static void end_reviver(struct lab_state *s, size_t which)
{
	struct reviver *r = s->bases[which].reviver;

	if (!r)
		return;
	sem_post(&r->closed);
	pthread_join(r->thread, NULL);
	sem_destroy(&r->booted);
	sem_destroy(&r->closed);
	free(r);
	s->bases[which].reviver = NULL;
}

static void *boot_again(void *ctx)
{
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1, .ends = true };
	struct reviver *r = ctx;
	struct result *header = NULL;
	struct lab_answer a = { .t = r->t, .header = &header, .err = &r->err };

	r->ret = lab_run_first_job(r->t, r->which, &job, &a);
	result_free(header);
	sem_post(&r->booted);
	while (sem_wait(&r->closed))
		;
	return NULL;
}

/*
 * Boots a machine again whose emulator was killed or does not answer, unless another
 * thread has done so. Waits for the jobs that still run. Whether the machine is usable.
 */
static bool revive(struct target *t, size_t which)
{
	struct lab_state *s = t->state;
	struct reviver *r = NULL;
	bool usable = true;

	pthread_rwlock_wrlock(&s->bases[which].in_use);
	if (!__atomic_load_n(&s->bases[which].base.lost, __ATOMIC_RELAXED))
		goto out;
	usable = false;
	if (interrupted || is_late(s) || s->bases[which].revivals >= REVIVALS_MAX)
		goto out;
	end_reviver(s, which);
	r = calloc(1, sizeof(*r));
	if (!r)
		goto out;
	r->t = t;
	r->which = which;
	sem_init(&r->booted, 0, 0);
	sem_init(&r->closed, 0, 0);
	if (pthread_create(&r->thread, NULL, boot_again, r)) {
		free(r);
		goto out;
	}
	s->bases[which].reviver = r;
	s->bases[which].revivals++;
	while (sem_wait(&r->booted))
		;
	usable = !r->ret;
out:
	pthread_rwlock_unlock(&s->bases[which].in_use);
	return usable;
}

/* lab_run_job(), which no revive() disturbs. */
static int run_undisturbed(struct target *t, size_t which, const struct job *job,
			   struct lab_answer *a, bool *lost)
{
	struct lab_state *s = t->state;
	int ret;

	pthread_rwlock_rdlock(&s->bases[which].in_use);
	ret = lab_run_job(t, which, job, a);
	*lost = __atomic_load_n(&s->bases[which].base.lost, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&s->bases[which].in_use);
	return ret;
}

static void drop_reports(struct lab_answer *a)
{
	for (size_t i = 0; i < a->got; i++) {
		boot_report_free(&a->reports[i]);
		boot_report_init(&a->reports[i]);
	}
	a->got = 0;
	a->complete = false;
	a->err->text[0] = '\0';
}

int lab_run_boots(struct target *t, size_t which, const struct job *job,
		  struct lab_answer *a)
{
	struct lab_state *s = t->state;
	bool lost;
	int ret;

	if (__atomic_load_n(&s->bases[which].base.lost, __ATOMIC_RELAXED))
		(void)revive(t, which);
	ret = run_undisturbed(t, which, job, a, &lost);
	/* Records of instructions cannot be taken back. */
	if (!ret || !lost || lab_is_fatal(ret) || ret == -ETIME || a->trace_fd >= 0 ||
	    !revive(t, which))
		return ret;
	drop_reports(a);
	return run_undisturbed(t, which, job, a, &lost);
}

void lab_bases_free(struct lab_state *s)
{
	for (size_t i = 0; i < s->n_bases; i++) {
		lab_saved_wait(s->bases[i].saving);
		lab_base_free(&s->bases[i].base);
		free(s->bases[i].append);
		free(s->bases[i].symbols);
		end_reviver(s, i);
		pthread_rwlock_destroy(&s->bases[i].in_use);
	}
}
