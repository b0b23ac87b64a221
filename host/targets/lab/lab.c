/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets `lab:*`: each boot of a payload runs on Linux and KVM inside a clone of an
 * emulated machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/lib/text.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/lab.h"
#include "host/result/result.h"
#include "host/targets/bare.h"
#include "host/targets/rows.h"
#include "host/targets/target.h"

/*
 * The default limit of a boot with up to 500 events. What the host times is a system call
 * of any length, such as saving and restoring a VM; and the config "sync-always" moves
 * all registers at every exit, some 10^6 instructions on arm64.
 */
#define LAB_BOOT_TIMEOUT_NS 2000000000ull
#define LAB_HOST_TIMEOUT_NS 40000000000ull
#define COMMAND_LINE_SIZE   2048 /* of Linux on x86_64 and arm64 */
#define LAB_TIMEOUT_EVENTS  500u
#define LAB_L1_TIMES	    20u /* an exit of L2 is so many times longer */

/* The default limit of a run with the default numbers of boots and events. */
#define LAB_RUN_TIMEOUT_S 3600u

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

/* Its hook can be an fprobe (host/kmod/hook_load.c). */
static bool traces(const struct lab_modules *modules)
{
	static const char symbol[] = "register_fprobe";

	for (size_t i = 0; i < modules->n; i++)
		if (modules->list[i].optional &&
		    memmem(modules->list[i].data, modules->list[i].bytes, symbol,
			   sizeof(symbol) - 1))
			return true;
	return false;
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
	s->traces = traces(&s->modules);
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
			"no QEMU %u or newer is here (%s fetch qemu --suite trixie-backports)",
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
					{ LAB_FD_LIBRARY, NULL },
					{ LAB_FD_TRACER, NULL } };

	if (qemu && t->trace)
		files[2].path = t->trace->plugin;
	if (qemu && s->machine->l1)
		files[1].path = NULL;
	else if (!lab_find_clone_library(s->clone_library, &lost))
		files[1].path = s->clone_library;
	else
		s->clone_library[0] = '\0';
	const char *const needs[CONFINE_NEEDS_MAX] = {
		qemu ? LAB_KERNEL_PATH : NULL,
		files[1].path ? LAB_LIBRARY_PATH : NULL,
		files[2].path ? LAB_TRACER_PATH : NULL,
	};
	s->sandbox = qemu && !confine_is_off() && bare_qemu_has_sandbox(s->emulator);
	if (confine_emulator(&s->confine, s->emulator, !qemu, needs))
		return error_set(err, -ENOMEM, "cannot confine %s: out of memory",
				 s->emulator);
	(void)confine_try(&s->confine, files, sizeof(files) / sizeof(files[0]),
			  &t->confined);
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

/*
 * The job that a machine of QEMU runs before it is cloned, so that clones have
 * translations of most of the code that they execute (qemu/fork_server.c). It is part of
 * the state from which figures start, and hence depends on no option. L1's memory has
 * room for a few VMs only.
 */
static void plan_warm_up(struct lab_state *s)
{
	static const char *const bench = "hypercall", *const config = "default";
	const struct job job = {
		.kind = JOB_BOOTS,
		.benches = &bench,
		.configs = &config,
		.n_benches = 1,
		.n_configs = 1,
		.boots = 2,
		.params = { .warmup = 4, .events = 8, .batch = 4, .batches = 2 },
		.cpu = s->machine->cpus > 1 ? 0 : -1,
		.timeout_ns = LAB_BOOT_TIMEOUT_NS,
	};

	s->warms_up = s->machine->emulator == &lab_qemu && !s->machine->l1 &&
		      !job_encode(&job, s->warm_up);
}

int lab_check_append(const struct lab_machine *m, const char *append, struct error *err)
{
	size_t bytes = strlen(m->append) + strlen(lab_append_begin(m, append)) +
		       (append ? strlen(append) : 0);

	if (bytes < COMMAND_LINE_SIZE)
		return 0;
	return error_set(
		err, -E2BIG,
		"the kernel's command line has %zu bytes, and Linux reads %d (--append and config)",
		bytes, COMMAND_LINE_SIZE - 1);
}

static int fill(struct lab_state *s, struct target *t, const struct job *job,
		struct error *err)
{
	char program[PATH_MAX];
	struct stat st;
	int ret;

	s->timeout_ns = job->timeout_ns;
	s->host_counters = job->host_counters;
	s->timing = t->timing;
	s->trace = t->trace;
	s->initramfs = s->program = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->machine = t->config ? t->config : lab_machine_find(strchr(t->name, ':') + 1);
	if (!s->machine)
		return error_set(err, -EINVAL, "%s: unknown machine", t->name);
	/* The agent would use L1's wire. */
	if (job->append && strstr(job->append, LAB_L1_WORD))
		return error_set(err, -ENOEXEC,
				 "--append: " LAB_L1_WORD " is set by labs with an L1");
	/* Bad input; of a config only its rows cannot run. */
	ret = lab_check_append(s->machine, job->append, err) ? -ENOEXEC : 0;
	if (!ret)
		ret = find_emulator(s, job->emulator, err);
	if (!ret)
		ret = lab_emulator_verify(s->emulator, false, err);
	if (ret)
		return ret;
	ret = find_kernel(s, job, err);
	if (!ret)
		ret = lab_find_program(s->machine->arch, program, err);
	if (!ret) {
		s->program = lab_file_open(program, "the lab's wsbench",
					   &s->program_bytes, err);
		ret = s->program < 0 ? s->program : 0;
		if (!ret && !fstat(s->program, &st))
			s->program_time = st.st_mtim;
	}
	/* A wrong path is bad input, as on other targets. */
	if (!ret && job->payload &&
	    lab_file_read(job->payload, "payload", &s->payload, &s->payload_bytes, err))
		ret = -ENOEXEC;
	if (!ret && s->machine->l1)
		ret = lab_file_read(s->kernel.image, "kernel", &s->l1_kernel,
				    &s->l1_kernel_bytes, err);
	if (!ret && job->append) {
		s->append = strdup(job->append);
		if (!s->append)
			ret = error_set(err, -ENOMEM, "out of memory");
	}
	set_deadline(s, t, job);
	plan_warm_up(s);
	if (!ret)
		ret = prepare_confinement(t, err);
	return ret;
}

static void lab_close(struct target *t)
{
	struct lab_state *s = t->state;

	if (!s)
		return;
	lab_bases_free(s);
	confine_free(&s->confine);
	pthread_mutex_destroy(&s->lock);
	if (s->initramfs >= 0)
		close(s->initramfs);
	lab_modules_free(&s->modules);
	if (s->program >= 0)
		close(s->program);
	free(s->program_content);
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

/* Here, not in boots(): an emulator that stays is killed when the thread ends. */
static void lab_prepare(struct target *t, const struct config *config)
{
	struct error err;

	lab_base_of(t, config, &err);
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
	const struct job job = { .kind = JOB_TIMING, .cpu = -1, .ends = true };
	struct lab_state *s = t->state;
	struct error err;
	struct lab_answer a = {
		.t = t,
		.line = take_timing,
		.ctx = &s->timing->boot,
		.untimed = true,
		.err = &err,
	};

	(void)lab_run_job(t, 0, &job, &a);
}

/* The agent fills in the document except for the lab itself. */
static int lab_describe(struct target *t, struct result **r, struct error *err)
{
	struct lab_state *s = t->state;
	const struct job job = { .kind = JOB_DESCRIBE, .cpu = -1, .ends = true };
	const struct lab_package *package = &s->kernel.package;
	struct lab_answer a = { .t = t, .header = r, .err = err };
	char version[4096];
	int ret = lab_first_base(s, err);

	if (!ret)
		ret = lab_run_first_job(t, 0, &job, &a);
	if (ret)
		return ret;
	if (s->timing)
		read_timing(t);
	if (s->machine->emulator->built)
		snprintf(version, sizeof(version), "%s %s", s->machine->program,
			 s->machine->emulator->version);
	else if (s->bases[0].base.child.version[0])
		snprintf(version, sizeof(version), "%s", s->bases[0].base.child.version);
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
static int boots_of_clone(struct target *t, const struct boot_request *rq, size_t n,
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
		.scales = { rq->scale },
		.n_scales = boot_scale_n(&rq->scale) > 0,
		.params = rq->params,
		/* Where the threads of two CPUs run is not the scheduler's choice. */
		.cpu = s->machine->cpus > 1 ? 0 : -1,
		.timeout_ns = boot_timeout_ns(s, rq),
		.host_counters = s->host_counters,
		.takes_turns = t->takes_turns,
		.ends = true,
		.payload = s->payload ? "/" LAB_PAYLOAD_PATH : NULL,
	};
	struct lab_answer a = {
		.t = t,
		.reports = reps,
		.n_reports = n,
		.err = err,
		.rq = rq,
		.trace_fd = t->trace ? t->trace->file(t->trace->ctx, rq) : -1,
	};
	int which = lab_base_of(t, rq->config, err);
	int ret = which;

	job.symbols = a.trace_fd >= 0 && which >= 0 &&
		      !lab_pass_saved_symbols(t, (size_t)which, rq);
	if (which >= 0)
		ret = lab_run_boots(t, (size_t)which, &job, &a);
	if (!ret)
		return 0;
	/* After the last report: which of them are sound is not known. */
	for (size_t i = 0; i < a.got && (a.complete || lab_is_fatal(ret)); i++) {
		boot_report_free(&reps[i]);
		boot_report_init(&reps[i]);
	}
	if (lab_is_fatal(ret))
		return ret;
	boot_end(&reps[a.complete ? 0 : a.got], BOOT_CRASH, "%.*s",
		 (int)strcspn(err->text, "\n"), err->text);
	return 0;
}

/* All in one clone, if the machine has room for so many VMs. */
static int lab_boots(struct target *t, const struct boot_request *rq, size_t n,
		     struct boot_report *reps, struct error *err)
{
	const struct lab_state *s = t->state;
	const size_t max = s->machine->boots_max ? s->machine->boots_max : n;
	struct boot_request part = *rq;
	int ret = 0;

	for (size_t i = 0; i < n; i++)
		boot_report_init(&reps[i]);
	for (size_t i = 0, m; !ret && i < n; i += m) {
		m = n - i < max ? n - i : max;
		part.placement = rq->placement + (uint32_t)i;
		ret = boots_of_clone(t, &part, m, reps + i, err);
		if (reps[i + m - 1].outcome != BOOT_DONE)
			break;
	}
	return ret;
}

static int lab_ended(const struct target *t, struct error *err)
{
	const struct lab_state *s = t->state;

	return __atomic_load_n(&s->late, __ATOMIC_RELAXED) ? lab_say_late(t, err) : 0;
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
	struct lab_answer a = { .t = t, .line = line, .ctx = ctx, .err = err };
	const struct job tests = {
		.kind = job->kind,
		.tests = job->tests,
		.n_tests = job->n_tests,
		.cpu = -1,
	};
	int ret = lab_first_base(t->state, err);

	return ret ? ret : lab_run_first_job(t, 0, &tests, &a);
}

static int lab_tracer(const struct target *t, unsigned int *plugin_api, bool *l1,
		      struct error *err)
{
	const struct lab_state *s = t->state;
	char script[PATH_MAX], version[192];

	*l1 = s->machine->l1;
	*plugin_api = 0;
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

int lab_program_check(const struct lab_state *s, struct error *err)
{
	struct stat st;

	if (!fstat(s->program, &st) && (size_t)st.st_size == s->program_bytes &&
	    st.st_mtim.tv_sec == s->program_time.tv_sec &&
	    st.st_mtim.tv_nsec == s->program_time.tv_nsec)
		return 0;
	return error_set(
		err, -ESTALE,
		"the lab's wsbench was overwritten during the run: run it again");
}

static const void *lab_program(const struct target *t, size_t *bytes, struct error *err)
{
	struct lab_state *s = t->state;
	int ret = 0;

	if (!s->program_content)
		ret = lab_file_content(s->program, &s->program_content, s->program_bytes);
	*bytes = s->program_bytes;
	if (ret)
		error_set(err, ret, "cannot read the lab's wsbench: %s", strerror(-ret));
	return !ret && !lab_program_check(s, err) ? s->program_content : NULL;
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
