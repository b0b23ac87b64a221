/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets `lab:*`: each boot of a payload runs on Linux and KVM inside a clone of an
 * emulated machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/lib/text.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/wire.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/machine.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/sums.h"
#include "host/result/result.h"
#include "host/targets/bare.h"
#include "host/targets/boot.h"
#include "host/targets/rows.h"
#include "host/targets/target.h"

/*
 * The default limit of a boot with up to 500 events. What the host times is a system call
 * of any length, such as saving and restoring a VM; and the config "sync-always" moves
 * all registers at every exit, some 10^6 instructions on arm64.
 */
#define LAB_BOOT_TIMEOUT_NS 2000000000ull
#define LAB_HOST_TIMEOUT_NS 40000000000ull
#define LAB_TIMEOUT_EVENTS  500u
#define LAB_L1_TIMES	    20u /* an exit of L2 is so many times longer */

/*
 * The machine ends a boot at its limit, by its own clock. One that does not is given up
 * after this time from outside: the set-up of a job, and a slower emulator than
 * LAB_SLOWDOWN assumes. Without a limit of the user's, LAB_SILENCE_S at least.
 */
#define LAB_GRACE_S	 20u
#define LAB_GRACE_FACTOR 4u

/* The default limit of a run with the default numbers of boots and events. */
#define LAB_RUN_TIMEOUT_S 3600u

/* Boots of the machine until one has stopped in time: lab_shared_wait(). */
#define BOOTS_MAX 30

/* Machines of one lab: configs may need kernel parameters. */
#define BASES_MAX 8

/* How often a machine whose emulator does not answer any more is booted again. */
#define REVIVALS_MAX 8

struct lab_state {
	const struct lab_machine *machine;
	struct {
		struct lab_base base; /* booted when it is first needed */
		const char *cmdline;  /* a config's; NULL: none */
		char *append;	      /* the user's words and these; NULL: none */
		int ret;	      /* why there is none, with `err` */
		struct error err;
		/* Of the base: jobs read it, revive() writes. */
		pthread_rwlock_t in_use;
		struct reviver *reviver; /* NULL: none */
		unsigned int revivals;
	} bases[BASES_MAX]; /* the first: configs without kernel parameters */
	size_t n_bases;
	pthread_mutex_t lock; /* of the bases' list */
	int initramfs;	      /* a file; -1: none */
	uint64_t timeout_ns;  /* of a boot; 0: boot_timeout_ns() */
	unsigned int run_s;   /* limit of the whole run, which ends at this time */
	time_t deadline_s;    /* of CLOCK_MONOTONIC */
	bool late;	      /* a boot or a job was not done in time; atomic */
	bool host_counters;
	struct timing *timing; /* NULL: not wanted */
	char emulator[PATH_MAX];
	struct lab_kernel kernel;
	char *append; /* NULL: none */
	struct confine confine;
	char clone_library[PATH_MAX]; /* of Bochs */
	bool sandbox;		      /* QEMU can confine itself */
	struct lab_modules modules;
	uint8_t *program; /* the wsbench that runs inside */
	size_t program_bytes;
	uint8_t *payload; /* the user's own; NULL: none */
	size_t payload_bytes;
	uint8_t *l1_kernel; /* NULL: this is not a lab with an L1 */
	size_t l1_kernel_bytes;
};

/* The newest kernel of the cache, for a machine that needs a new one. */
static int find_newest(const struct lab_machine *m, char release[NAME_MAX + 1],
		       struct error *err)
{
	char cache[PATH_MAX];

	lab_kernel_cache(m->arch, cache);
	if (!lab_kernel_newest(cache, release) &&
	    version_compare(release, m->least_kernel) >= 0)
		return 0;
	return error_set(
		err, -ENOENT,
		"no kernel of Linux %s or newer for %s is cached (wsbench kernel fetch --arch %s --series 7.3)",
		m->least_kernel, lab_arch_name(m->arch), lab_arch_name(m->arch));
}

static int find_kernel(struct lab_state *s, const struct job *job, struct error *err)
{
	const char *name = job->kernel;
	char release[NAME_MAX + 1];
	int ret = 0;

	if (!name && s->machine->least_kernel) {
		ret = find_newest(s->machine, release, err);
		name = release;
	}
	if (!ret)
		ret = lab_kernel_find(s->machine->arch, name, job->kernel_is_name,
				      job->modules, job->fetch, &s->kernel, err);

	/* A kernel without a folder of modules has KVM built in. */
	if (!ret && s->machine->module && s->kernel.modules[0])
		ret = lab_modules_read(s->kernel.modules, s->machine->module, &s->modules,
				       err);
	if (!ret && s->machine->arch == ARCH_AARCH64 && s->kernel.modules[0])
		ret = lab_modules_read_optional(s->kernel.modules, LAB_PASSTHROUGH_MODULE,
						&s->modules, err);
	/* A file of the user's that is not usable is bad input. */
	if (ret && ret != -ENETUNREACH && ret != -EINTR && (job->kernel || job->modules))
		return -ENOEXEC;
	return ret;
}

/* The emulator's path, and the machine for it. */
static int find_emulator(struct lab_state *s, const char *name, struct error *err)
{
	const struct lab_machine *m = s->machine;
	char script[PATH_MAX];
	int ret;

	if (name && m->emulator != &lab_qemu)
		return error_set(err, -ENOEXEC,
				 "--emulator %s: this lab runs on %s, not on QEMU", name,
				 m->program);
	process_own_script("emulator.sh", script);
	if (name) {
		ret = lab_qemu_select(name, m->program, s->emulator, err);
		if (!ret && m->least_qemu && lab_qemu_major(s->emulator) < m->least_qemu)
			ret = error_set(err, -ENOEXEC,
					"--emulator %s: this lab needs QEMU %u or newer",
					name, m->least_qemu);
		return ret;
	}
	if (m->least_qemu) {
		if (!lab_qemu_newer(m->least_qemu, m->program, s->emulator))
			return 0;
		return error_set(
			err, -ENOENT,
			"no QEMU %u or newer is here (%s fetch qemu --suite bookworm-backports)",
			m->least_qemu, script);
	}
	if (m->emulator->built && lab_find_emulator(m->emulator->built, s->emulator))
		return 0;
	if (m->emulator->built && !m->fallback)
		return error_set(err, -ENOENT,
				 "the project's %s is not built (%s build %s)",
				 m->program, script, m->program);
	if (m->emulator->built)
		s->machine = m->fallback;
	ret = process_find(s->machine->program, s->emulator);
	if (!ret)
		return 0;
	if (s->machine == m)
		return error_set(err, ret, "%s is not installed", m->program);
	return error_set(err, ret, "%s is not installed, and not built (%s build %s)",
			 m->program, script, m->program);
}

static int prepare_confinement(struct target *t, struct error *err)
{
	struct lab_state *s = t->state;
	const bool qemu = s->machine->emulator == &lab_qemu;
	struct error lost;
	struct confine_file files[] = { { LAB_FD_KERNEL, s->kernel.image },
					{ LAB_FD_LIBRARY, NULL } };

	if (qemu)
		files[1].path = t->trace ? t->trace->plugin : NULL;
	else if (!lab_find_clone_library(s->clone_library, &lost))
		files[1].path = s->clone_library;
	const char *const needs[CONFINE_NEEDS_MAX] = {
		qemu ? LAB_KERNEL_PATH : NULL,
		files[1].path ? LAB_LIBRARY_PATH : NULL,
	};
	s->sandbox = qemu && !confine_is_off() && bare_qemu_has_sandbox(s->emulator);
	if (confine_emulator(&s->confine, s->emulator, !qemu, needs))
		return error_set(err, -ENOMEM, "cannot confine %s: out of memory",
				 s->emulator);
	(void)confine_try(&s->confine, files, 2, &t->confined);
	return 0;
}

/* What a machine lacks without the emulator that the project builds. */
static void warn_of_fallback(const struct lab_state *s, struct result *r)
{
	char script[PATH_MAX];

	if (!s->machine->lacks)
		return;
	process_own_script("emulator.sh", script);
	result_warn(r, "emulator", "%s of the distribution: no %s (%s build %s)",
		    s->machine->program, s->machine->lacks, script, s->machine->program);
}

/*
 * The limit of a run: the user's, or one that no sound run reaches, however many boots
 * and events it has.
 */
static void set_deadline(struct lab_state *s, const struct target *t,
			 const struct job *job)
{
	double boots = job->boots ? job->boots : t->default_boots;
	double events = job->events ? job->events : t->default_events;
	double times = boots / t->default_boots * events / t->default_events;
	struct timespec now;

	s->run_s = job->lab_timeout_s;
	if (!s->run_s)
		s->run_s = times > 1 ? (unsigned int)(LAB_RUN_TIMEOUT_S * times)
				     : LAB_RUN_TIMEOUT_S;
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->deadline_s = now.tv_sec + s->run_s;
}

static bool is_late(const struct lab_state *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec >= s->deadline_s;
}

static int say_late(const struct target *t, struct error *err)
{
	struct lab_state *s = t->state;

	__atomic_store_n(&s->late, true, __ATOMIC_RELAXED);
	return error_set(err, -ETIME,
			 "%s: the run was not done after %u s (--lab-timeout)", t->name,
			 s->run_s);
}

static int fill(struct lab_state *s, struct target *t, const struct job *job,
		struct error *err)
{
	char program[PATH_MAX];
	int ret;

	s->timeout_ns = job->timeout_ns;
	s->host_counters = job->host_counters;
	s->timing = t->timing;
	s->initramfs = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->machine = t->config ? t->config : lab_machine_find(strchr(t->name, ':') + 1);
	if (!s->machine)
		return error_set(err, -EINVAL, "%s: unknown machine", t->name);
	/* The agent would use L1's wire. */
	if (job->append && strstr(job->append, LAB_L1_WORD))
		return error_set(err, -ENOEXEC,
				 "--append: " LAB_L1_WORD " is set by labs with an L1");
	ret = find_emulator(s, job->emulator, err);
	if (!ret)
		ret = lab_emulator_verify(s->emulator, false, err);
	if (ret)
		return ret;
	ret = find_kernel(s, job, err);
	if (!ret)
		ret = lab_find_program(s->machine->arch, program, err);
	if (!ret)
		ret = lab_file_read(program, "the lab's wsbench", &s->program,
				    &s->program_bytes, err);
	if (!ret && job->payload)
		ret = lab_file_read(job->payload, "payload", &s->payload,
				    &s->payload_bytes, err);
	if (!ret && s->machine->l1)
		ret = lab_file_read(s->kernel.image, "kernel", &s->l1_kernel,
				    &s->l1_kernel_bytes, err);
	if (!ret && job->append) {
		s->append = strdup(job->append);
		if (!s->append)
			ret = error_set(err, -ENOMEM, "out of memory");
	}
	set_deadline(s, t, job);
	if (!ret)
		ret = prepare_confinement(t, err);
	return ret;
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

static void lab_close(struct target *t)
{
	struct lab_state *s = t->state;

	if (!s)
		return;
	for (size_t i = 0; i < s->n_bases; i++) {
		lab_base_free(&s->bases[i].base);
		free(s->bases[i].append);
		end_reviver(s, i);
		pthread_rwlock_destroy(&s->bases[i].in_use);
	}
	confine_free(&s->confine);
	pthread_mutex_destroy(&s->lock);
	if (s->initramfs >= 0)
		close(s->initramfs);
	lab_modules_free(&s->modules);
	free(s->program);
	free(s->payload);
	free(s->l1_kernel);
	free(s->append);
	free(s);
	t->state = NULL;
}

static int lab_open(struct target *t, const struct job *job, struct error *err)
{
	struct timing_mark mark = timing_mark();
	int ret;

	t->state = calloc(1, sizeof(struct lab_state));
	if (!t->state)
		return error_set(err, -ENOMEM, "out of memory");
	ret = fill(t->state, t, job, err);
	timing_add(t->timing, TIMING_OPEN, &mark, 0);
	return ret;
}

/* Opens the lab on trial. */
static int lab_probe(const struct target *t, const struct job *job, struct error *err)
{
	struct target trial = *t;
	int ret = lab_open(&trial, job, err);

	lab_close(&trial);
	return ret;
}

/* An unnamed file, or a negative errno. */
static int initramfs_open(const struct lab_state *s, struct error *err)
{
	const struct lab_initramfs what = {
		.program = s->program,
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
		ret = lab_memory_file("worldswitch-initramfs", archive.data,
				      archive.bytes);
	free(archive.data);
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
		.initramfs = s->initramfs,
		.snapshot = -1,
		.timing = s->timing,
		.deadline_s = s->deadline_s,
		.confine = &s->confine,
		.sandbox = s->sandbox,
	};
}

/* Where the answer to a job is stored. */
struct answer {
	const struct target *t;
	struct result **header;
	struct boot_report *reports; /* room for `n_reports`; `got` of them are there */
	size_t n_reports, got;
	void (*line)(void *ctx, const char *text);
	void *ctx;
	struct lab_boot boot;	       /* of the machine that sends symbols */
	const struct boot_request *rq; /* the boots of `reports` */
	int trace_fd;		       /* for their records; -1: do not record */
	bool complete;
	struct error *err;
};

static int on_header(void *ctx, const char *json, size_t bytes)
{
	struct answer *a = ctx;
	struct result *header;
	struct error why;

	if (result_parse(json, bytes, &header, &why))
		return error_set(a->err, -EPROTO, "%s sent a broken header: %s",
				 a->t->name, why.text);
	result_free(*a->header);
	*a->header = header;
	a->complete = true;
	return 0;
}

static int on_report(void *ctx, const uint8_t *report, size_t bytes)
{
	struct answer *a = ctx;
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
	struct answer *a = ctx;

	a->line(a->ctx, text);
	a->complete = true;
}

static int on_symbols(void *ctx, const char *text, size_t bytes)
{
	const struct answer *a = ctx;
	const struct lab_state *s = a->t->state;

	lab_symbols_store(s->machine, &a->boot, a->rq->config->name, text, bytes);
	return a->t->trace->symbols(a->t->trace->ctx, a->rq, text, bytes);
}

/*
 * The functions of the kernel from an earlier run of the same machine under the config,
 * which may load modules. To read and to send them takes the machine hundreds of millions
 * of instructions. False: there are none.
 */
static bool take_saved_symbols(const struct target *t, size_t which,
			       const struct boot_request *rq)
{
	const struct lab_state *s = t->state;
	const struct lab_boot boot = boot_of(s, which);
	size_t bytes = 0;
	char *text = lab_symbols_load(s->machine, &boot, rq->config->name, &bytes);
	bool taken = text && !t->trace->symbols(t->trace->ctx, rq, text, bytes);

	free(text);
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

	return 65536 + ABI_PHASES * sizeof(uint64_t) * events;
}

static int run_job(struct target *t, size_t which, const struct job *job,
		   struct answer *a)
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
	if (job->kind == JOB_TIMING)
		boot.timing = NULL;
	ret = is_late(s) ? -ETIME : 0;
	if (!ret)
		ret = lab_base_run(&s->bases[which].base, &boot, block, &sink, a->err);
	if (ret == -ETIME)
		return say_late(t, a->err);
	if (!ret && !a->complete)
		ret = error_set(a->err, -EPROTO, "%s sent no answer", t->name);
	return ret;
}

static bool is_fatal(int ret)
{
	return ret == -EINTR || ret == -ENOMEM;
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
 * The first job on a machine: resumes a saved machine, or boots one. Called by the thread
 * that closes the target: see lab_base_boot().
 */
static int run_first_job(struct target *t, size_t which, const struct job *job,
			 struct answer *a)
{
	struct lab_state *s = t->state;
	struct lab_base *base = &s->bases[which].base;
	struct timing_mark mark = timing_mark();
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
	snapshot = lab_saved_load(&saved);
	if (snapshot >= 0) {
		timing_add(s->timing, TIMING_LOAD, &mark, 0);
		lab_base_free(base);
		ret = resume(s, base, t->name, boot, snapshot, a->err);
		if (!ret)
			ret = run_job(t, which, job, a);
		if (ret && !is_fatal(ret) && is_late(s)) {
			ret = say_late(t, a->err);
		} else if (ret && !is_fatal(ret)) {
			/* The saved machine may be the reason: a new one is booted. */
			lab_saved_drop(&saved);
			a->complete = false;
			ret = -EAGAIN;
		}
	}
	/* Boot again if the clock moved: see lab_shared_wait(). */
	for (int i = 0; ret == -EAGAIN && i < BOOTS_MAX; i++) {
		lab_base_free(base);
		ret = is_late(s)
			      ? -ETIME
			      : lab_base_boot(base, t->name, s->machine, &boot, a->err);
		if (ret == -ETIME)
			say_late(t, a->err);
		if (!ret)
			ret = run_job(t, which, job, a);
		mark = timing_mark();
		if (!ret)
			lab_saved_store(&saved, s->machine, &boot, base->snapshot);
		if (!ret)
			timing_add(s->timing, TIMING_SNAPSHOT, &mark, 0);
	}
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

	if (which == BASES_MAX)
		return error_set(err, -E2BIG, "too many configs with command lines");
	if ((cmdline || s->append) &&
	    asprintf(&append, "%s%s%s", s->append ? s->append : "",
		     cmdline && s->append ? " " : "", cmdline ? cmdline : "") < 0)
		return error_set(err, -ENOMEM, "out of memory");
	s->bases[which].cmdline = cmdline;
	s->bases[which].append = append;
	pthread_rwlock_init(&s->bases[which].in_use, NULL);
	s->n_bases++;
	return (int)which;
}

static void *boot_again(void *ctx)
{
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1 };
	struct reviver *r = ctx;
	struct result *header = NULL;
	struct answer a = { .t = r->t, .header = &header, .err = &r->err };

	r->ret = run_first_job(r->t, r->which, &job, &a);
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

/* run_job(), which no revive() disturbs. */
static int run_undisturbed(struct target *t, size_t which, const struct job *job,
			   struct answer *a, bool *lost)
{
	struct lab_state *s = t->state;
	int ret;

	pthread_rwlock_rdlock(&s->bases[which].in_use);
	ret = run_job(t, which, job, a);
	*lost = __atomic_load_n(&s->bases[which].base.lost, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&s->bases[which].in_use);
	return ret;
}

static void drop_reports(struct answer *a)
{
	for (size_t i = 0; i < a->got; i++) {
		boot_report_free(&a->reports[i]);
		boot_report_init(&a->reports[i]);
	}
	a->got = 0;
	a->complete = false;
	a->err->text[0] = '\0';
}

/*
 * The boots of a row. If the machine that they are a clone of was lost meanwhile, which a
 * row can be the reason of or not, they are repeated once on a new one.
 */
static int run_boots(struct target *t, size_t which, const struct job *job,
		     struct answer *a)
{
	struct lab_state *s = t->state;
	bool lost;
	int ret;

	if (__atomic_load_n(&s->bases[which].base.lost, __ATOMIC_RELAXED))
		(void)revive(t, which);
	ret = run_undisturbed(t, which, job, a, &lost);
	/* Records of instructions cannot be taken back. */
	if (!ret || !lost || is_fatal(ret) || ret == -ETIME || a->trace_fd >= 0 ||
	    !revive(t, which))
		return ret;
	drop_reports(a);
	return run_undisturbed(t, which, job, a, &lost);
}

/*
 * The machine of a config, booted by the first call for it. Returns its index or a
 * negative errno.
 */
static int base_of(struct target *t, const struct config *config, struct error *err)
{
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1 };
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
			struct answer a = {
				.t = t,
				.header = &header,
				.err = &s->bases[which].err,
			};

			s->bases[which].ret = run_first_job(t, (size_t)which, &job, &a);
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

/* Here, not in boots(): an emulator that stays is killed when the thread ends. */
static void lab_prepare(struct target *t, const struct config *config)
{
	struct error err;

	base_of(t, config, &err);
}

static int first_base(struct lab_state *s, struct error *err)
{
	return s->n_bases ? 0 : add_base(s, NULL, err);
}

static void take_timing(void *ctx, const char *text)
{
	struct timing_boot *b = ctx;

	b->known = sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
			  &b->kernel_clock, &b->init, &b->kvm, &b->ready) == 4;
}

/* What the machine knows of its boot, which a saved machine has behind it, too. */
static void read_timing(struct target *t)
{
	const struct job job = { .kind = JOB_TIMING, .cpu = -1 };
	struct lab_state *s = t->state;
	struct error err;
	struct answer a = {
		.t = t, .line = take_timing, .ctx = &s->timing->boot, .err = &err
	};

	(void)run_job(t, 0, &job, &a);
}

/* The agent fills in the document except for the lab itself. */
static int lab_describe(struct target *t, struct result **r, struct error *err)
{
	struct lab_state *s = t->state;
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1 };
	const struct lab_package *package = &s->kernel.package;
	struct answer a = { .t = t, .header = r, .err = err };
	char version[4096];
	int ret = first_base(s, err);

	if (!ret)
		ret = run_first_job(t, 0, &job, &a);
	if (ret)
		return ret;
	if (s->timing)
		read_timing(t);
	if (s->machine->emulator->built)
		snprintf(version, sizeof(version), "%s %s", s->machine->program,
			 s->machine->emulator->version);
	else
		process_version(s->emulator, s->machine->emulator->version_option,
				version, sizeof(version));
	warn_of_fallback(s, *r);
	if (s->machine->emulator == &lab_qemu && !s->sandbox && !confine_is_off())
		result_warn(*r, "confinement", BARE_QEMU_NO_SANDBOX, s->emulator);
	(*r)->target.name = result_string(*r, t->name);
	(*r)->target.kind = t->ops->kind;
	(*r)->target.emulator = result_string(*r, version);
	if (package->version[0])
		(*r)->subject.package_version = result_string(*r, package->version);
	if (package->suite[0])
		(*r)->subject.suite = result_string(*r, package->suite);
	return 0;
}

static uint64_t boot_timeout_ns(const struct lab_state *s, const struct boot_request *rq)
{
	const struct host_row *host = host_row_find(rq->bench->id);
	bool slow = rq->bench->needs & TIMED_BY_HOST || (host && host->long_events) ||
		    !strcmp(rq->config->name, "sync-always");
	uint64_t ns = slow ? LAB_HOST_TIMEOUT_NS : LAB_BOOT_TIMEOUT_NS;

	if (s->timeout_ns)
		return s->timeout_ns;
	if (s->machine->l1)
		ns *= LAB_L1_TIMES;
	if (rq->params.events > LAB_TIMEOUT_EVENTS)
		ns = ns / LAB_TIMEOUT_EVENTS * rq->params.events;
	return ns;
}

/*
 * An error of a clone, such as a kernel panic or silence, fails the boots of the clone
 * only: the machine has booted. After the deadline each row fails so, and the rows that
 * were done before are kept; lab_ended() then fails the target.
 */
static int lab_boots(struct target *t, const struct boot_request *rq, size_t n,
		     struct boot_report *reps, struct error *err)
{
	const struct lab_state *s = t->state;
	struct job job = {
		.kind = JOB_BOOTS,
		.benches = &rq->bench->id,
		.configs = &rq->config->name,
		.n_benches = 1,
		.n_configs = 1,
		.boots = (uint32_t)n,
		.placement = rq->placement,
		.params = rq->params,
		.cpu = -1,
		.timeout_ns = boot_timeout_ns(s, rq),
		.host_counters = s->host_counters,
		.payload = s->payload ? "/" LAB_PAYLOAD_PATH : NULL,
	};
	struct answer a = {
		.t = t,
		.reports = reps,
		.n_reports = n,
		.err = err,
		.rq = rq,
		.trace_fd = t->trace ? t->trace->file(t->trace->ctx, rq) : -1,
	};
	int which = base_of(t, rq->config, err);
	int ret = which;

	job.symbols = a.trace_fd >= 0 && which >= 0 &&
		      !take_saved_symbols(t, (size_t)which, rq);
	for (size_t i = 0; i < n; i++)
		boot_report_init(&reps[i]);
	if (which >= 0)
		ret = run_boots(t, (size_t)which, &job, &a);
	if (!ret)
		return 0;
	/* After the last report: which of them are sound is not known. */
	for (size_t i = 0; i < a.got && (a.complete || is_fatal(ret)); i++) {
		boot_report_free(&reps[i]);
		boot_report_init(&reps[i]);
	}
	if (is_fatal(ret))
		return ret;
	boot_end(&reps[a.complete ? 0 : a.got], BOOT_CRASH, "%.*s",
		 (int)strcspn(err->text, "\n"), err->text);
	return 0;
}

static int lab_ended(const struct target *t, struct error *err)
{
	const struct lab_state *s = t->state;

	return __atomic_load_n(&s->late, __ATOMIC_RELAXED) ? say_late(t, err) : 0;
}

static int lab_boot(struct target *t, const struct boot_request *rq,
		    struct boot_report *rep, struct error *err)
{
	return lab_boots(t, rq, 1, rep, err);
}

static int lab_selftest(struct target *t, const struct job *job,
			void (*line)(void *ctx, const char *text), void *ctx,
			struct error *err)
{
	struct answer a = { .t = t, .line = line, .ctx = ctx, .err = err };
	const struct job tests = {
		.kind = job->kind,
		.tests = job->tests,
		.n_tests = job->n_tests,
		.cpu = -1,
	};
	int ret = first_base(t->state, err);

	return ret ? ret : run_first_job(t, 0, &tests, &a);
}

static int lab_tracer(const struct target *t, unsigned int *plugin_api, struct error *err)
{
	const struct lab_state *s = t->state;
	char script[PATH_MAX], version[192];

	*plugin_api = 0;
	if (s->machine->l1)
		return error_set(err, -ENOTSUP, LAB_L1_NO_RECORD);
	if (s->machine->emulator->tracer == LAB_TRACER_PLUGIN) {
		process_version(s->emulator, s->machine->emulator->version_option,
				version, sizeof(version));
		*plugin_api = lab_qemu_plugin_api(version);
		if (!*plugin_api)
			return error_set(err, -ENOTSUP, "%s: no plugin for '%s'",
					 s->emulator, version);
	}
	if (s->machine->emulator->tracer != LAB_TRACER_NONE)
		return 0;
	process_own_script("emulator.sh", script);
	return error_set(
		err, -ENOTSUP,
		"%s of the distribution cannot record instructions (%s build %s)",
		s->machine->program, script, s->machine->program);
}

static const void *lab_program(const struct target *t, size_t *bytes)
{
	const struct lab_state *s = t->state;

	*bytes = s->program_bytes;
	return s->program;
}

const struct target_ops target_lab_ops = {
	.kind = "lab",
	.parallel = true,
	.probe = lab_probe,
	.open = lab_open,
	.describe = lab_describe,
	.prepare = lab_prepare,
	.boot = lab_boot,
	.boots = lab_boots,
	.ended = lab_ended,
	.selftest = lab_selftest,
	.tracer = lab_tracer,
	.program = lab_program,
	.close = lab_close,
};
