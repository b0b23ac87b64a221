/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scaled boot: a payload on each of N vCPUs of one VM (windows, bench/abi.h), or in
 * each of N VMs, a thread each.
 *
 * The doorbell at the begin of a phase is a barrier: the VMM lets no vCPU into the phase
 * before all have rung for the same one, so that the phases overlap. A vCPU that begins
 * another phase, or ends, ends the boot. Phases do not end together: kvm_lanes.c.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/targets/kvm.h"
#include "host/vmm/timer.h"

struct lane {
	struct scaled *all;
	unsigned int index;
	struct vcpu *vcpu;
	struct kvm_snapshot begin;
};

struct scaled {
	const struct boot_request *rq;
	const struct host_row *host;	   /* or NULL */
	enum bench_statistic_id statistic; /* of the row, or STATISTICS */
	const int *cpus;		   /* of the lanes; NULL: not pinned */
	bool takes_turns;		   /* struct target */
	enum boot_share share;
	unsigned int n, n_vms;
	struct vm *vms;
	struct lane lanes[BOOT_SCALE_MAX];
	struct kvm_lane seen[BOOT_SCALE_MAX];
	struct vm_crew crew;
	/* The barrier: how many times it has opened (a futex). */
	uint32_t opened;
	bool broken; /* atomic */
	/* Under the lock: the lanes that wait, which of them came first, for what. */
	pthread_mutex_t lock;
	unsigned int waiting, first;
	enum abi_phase phase;
	int ended;	     /* a lane that has finished; -1 */
	struct error failed; /* why the row's work at a doorbell failed; "" */
	char conflict[120];  /* why the lanes do not meet; "" */
};

static const char *name_of(const struct scaled *s)
{
	return s->rq->scale.vcpus ? "vCPU" : "VM";
}

/* ---- the barrier ------------------------------------------------------------------ */

/* Waking a thread takes long against an event: first, look for this long. */
#define SPIN_NS 100000
/* The watchdog's signal also interrupts the wait. */
#define WAIT_NS 10000000

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_closed(struct scaled *s, uint32_t before)
{
	return __atomic_load_n(&s->opened, __ATOMIC_SEQ_CST) == before &&
	       !__atomic_load_n(&s->broken, __ATOMIC_SEQ_CST);
}

static void open_barrier(struct scaled *s)
{
	__atomic_add_fetch(&s->opened, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &s->opened, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Only the first lane's thread has a watchdog. Its vCPU stops at the next entry. */
static void wait_barrier(struct scaled *s, uint32_t before)
{
	const struct timespec limit = { .tv_nsec = WAIT_NS };
	/* Threads that share a CPU, or CPUs that take turns, do not look. */
	const int64_t spin_until =
		s->share == BOOT_SHARE_CPUS || s->takes_turns ? 0 : now_ns() + SPIN_NS;

	while (is_closed(s, before) && !watchdog_expired() && !interrupted)
		if (!spin_until || now_ns() > spin_until)
			syscall(SYS_futex, &s->opened, FUTEX_WAIT_PRIVATE, before, &limit,
				NULL, 0);
}

static void break_barrier(void *ctx)
{
	struct scaled *s = ctx;

	__atomic_store_n(&s->broken, true, __ATOMIC_SEQ_CST);
	open_barrier(s);
}

/*
 * Under the lock: no lane waits any more. The first vCPU stops at its next entry, and the
 * others with it; if it has finished, they stop as they finish (is_finished()).
 */
static void part(struct scaled *s, unsigned int lane, const char *what)
{
	const char *name = name_of(s);

	snprintf(s->conflict, sizeof(s->conflict),
		 "%s %u %s while %s %u waits at the begin of the %s phase", name, lane,
		 what, name, s->first, boot_phase_name(s->phase));
	break_barrier(s);
	vcpu_kick(s->lanes[0].vcpu);
}

/* Whether this lane is the last to arrive. */
static bool arrive(struct lane *lane, enum abi_phase phase)
{
	struct scaled *s = lane->all;
	bool last = false;

	pthread_mutex_lock(&s->lock);
	if (__atomic_load_n(&s->broken, __ATOMIC_SEQ_CST))
		goto out;
	if (s->waiting && phase != s->phase) {
		char what[60];

		snprintf(what, sizeof(what), "begins the %s phase",
			 boot_phase_name(phase));
		part(s, lane->index, what);
		goto out;
	}
	if (!s->waiting) {
		s->first = lane->index;
		s->phase = phase;
	}
	if (s->ended >= 0)
		part(s, (unsigned int)s->ended, "ended");
	last = ++s->waiting == s->n;
	if (last)
		s->waiting = 0;
out:
	pthread_mutex_unlock(&s->lock);
	return last;
}

/* Whether the others may go on without this lane: none of them waits for it. */
static bool leave(struct lane *lane)
{
	struct scaled *s = lane->all;
	bool parted;

	pthread_mutex_lock(&s->lock);
	if (s->waiting && !__atomic_load_n(&s->broken, __ATOMIC_SEQ_CST))
		part(s, lane->index, "ended");
	s->ended = (int)lane->index;
	parted = *s->conflict;
	pthread_mutex_unlock(&s->lock);
	return !parted;
}

/* The row's work at a doorbell of a lane of `vm`. */
static void row_doorbell(struct scaled *s, struct vm *vm, enum abi_doorbell kind,
			 enum abi_phase phase)
{
	if (!s->host || !s->host->doorbell || !s->host->doorbell(vm, kind, phase))
		return;
	pthread_mutex_lock(&s->lock);
	s->failed = vm->error;
	pthread_mutex_unlock(&s->lock);
	vcpu_kick(s->lanes[0].vcpu);
}

/* The last one calls the row's function for the VM, while no vCPU runs. */
static void enter_phase(struct lane *lane, enum abi_phase phase)
{
	struct scaled *s = lane->all;
	uint32_t before = __atomic_load_n(&s->opened, __ATOMIC_SEQ_CST);

	if (!arrive(lane, phase)) {
		wait_barrier(s, before);
		return;
	}
	for (unsigned int i = 0; i < s->n_vms; i++)
		row_doorbell(s, &s->vms[i], ABI_DOORBELL_BEGIN, phase);
	open_barrier(s);
}

/* ---- the run ---------------------------------------------------------------------- */

static int cpu_of(const struct lane *lane)
{
	return lane->all->cpus ? lane->all->cpus[lane->index] : -1;
}

/* `ctx`: the first lane of the VM. */
static void on_doorbell(void *ctx, struct vcpu *vcpu, uint32_t value)
{
	struct lane *lane = (struct lane *)ctx + vcpu->index;
	struct scaled *s = lane->all;
	struct kvm_lane *seen = &s->seen[lane->index];
	const uint32_t phase = ABI_DOORBELL_PHASE(value);
	struct kvm_snapshot end = { .user = 0 };

	if (phase >= ABI_PHASES)
		return; /* boot_harvest() rejects the report of such a payload */
	switch (ABI_DOORBELL_KIND(value)) {
	case ABI_DOORBELL_BEGIN:
		/* After the barrier, it would delay this vCPU's events. */
		kvm_snapshot_slow(vcpu, cpu_of(lane), &lane->begin);
		enter_phase(lane, (enum abi_phase)phase);
		kvm_snapshot_quick(vcpu, s->statistic, &lane->begin);
		if (phase == ABI_PHASE_EVENT) {
			seen->end_ns = 0;
			seen->begin_ns = now_ns();
		}
		break;
	case ABI_DOORBELL_END:
		if (phase == ABI_PHASE_EVENT && seen->begin_ns)
			seen->end_ns = now_ns();
		kvm_snapshot_quick(vcpu, s->statistic, &end);
		kvm_snapshot_slow(vcpu, cpu_of(lane), &end);
		kvm_count(&lane->begin, &end, &seen->report.counts[phase]);
		break;
	case ABI_DOORBELL_AGAIN: /* rows that need it have a VM each */
		row_doorbell(s, vcpu->vm, ABI_DOORBELL_AGAIN, (enum abi_phase)phase);
		break;
	default:
		break;
	}
}

static bool on_halt(void *ctx, struct vcpu *vcpu)
{
	const struct lane *lane = ctx;

	(void)vcpu;
	return lane->all->host && lane->all->host->resumes_halt;
}

/* The guest may still change the page: boot_harvest() looks again. */
static bool is_finished(void *ctx, unsigned int index)
{
	struct scaled *s = ctx;
	struct boot_report rep = { .outcome = BOOT_DONE };
	struct abi_report guest;

	return boot_is_done(vm_window(s->lanes[index].vcpu), &guest, &rep) &&
	       leave(&s->lanes[index]);
}

static int build_vm(struct scaled *s, unsigned int index, const struct vm_config *config,
		    int kvm_fd)
{
	const struct vm_listener listener = {
		.ctx = &s->lanes[index],
		.halted = on_halt,
		.any_doorbell = on_doorbell,
	};
	struct abi_params params = kvm_params(config, s->rq);
	struct vm *vm = &s->vms[index];
	uint64_t entry;
	int err = vm_create(vm, kvm_fd, config, &listener);

	s->n_vms = index + 1;
	if (!err && s->host && s->host->vm_setup)
		err = s->host->vm_setup(vm, &params);
	if (!err)
		err = vm_load(vm, s->rq->image, s->rq->image_bytes, &entry);
	if (!err)
		err = vm_write(vm, vm->ram_gpa + ABI_PAGE_OFFSET, &params,
			       sizeof(params));
	if (err)
		return err;
	if (config->windows)
		vm_load_windows(vm);
	return vm_reset(vm, entry);
}

static int build(struct scaled *s, const struct vm_config *config, int kvm_fd,
		 struct error *err)
{
	const unsigned int vms = s->rq->scale.vms ? s->n : 1;
	int rc = 0;

	s->vms = calloc(vms, sizeof(*s->vms));
	if (!s->vms)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < vms && !rc; i++) {
		rc = build_vm(s, i, config, kvm_fd);
		if (rc)
			return error_set(err, rc, "%s", s->vms[i].error.text);
	}
	for (unsigned int i = 0; i < s->n; i++) {
		struct lane *lane = &s->lanes[i];

		lane->all = s;
		lane->index = i;
		lane->vcpu = vms > 1 ? &s->vms[i].vcpus[0] : &s->vms[0].vcpus[i];
		boot_report_init(&s->seen[i].report);
		s->crew.vcpus[i] = lane->vcpu;
	}
	s->crew.n = s->n;
	s->crew.cpus = s->cpus;
	s->crew.ctx = s;
	s->crew.finished = is_finished;
	s->crew.broken = break_barrier;
	return 0;
}

/* ---- the report ------------------------------------------------------------------- */

static void name_lane(const struct scaled *s, unsigned int index, struct boot_report *rep)
{
	char reason[sizeof(rep->reason) - 24];

	memcpy(reason, rep->reason, sizeof(reason));
	boot_end(rep, rep->outcome, "%s %u of %u: %.*s", name_of(s), index, s->n,
		 (int)sizeof(reason), reason);
}

static void end_by_timeout(const struct scaled *s, struct boot_report *rep)
{
	char registers[400];
	size_t used = 0;

	for (unsigned int i = 0; i < s->n && used + 1 < sizeof(registers); i++) {
		used += (size_t)snprintf(registers + used, sizeof(registers) - used,
					 "; %s %u: ", name_of(s), i);
		if (used + 1 >= sizeof(registers))
			break;
		vcpu_dump(s->lanes[i].vcpu, registers + used, sizeof(registers) - used);
		used += strlen(registers + used);
	}
	boot_end(rep, BOOT_CRASH, "the guest hung: no end after %.1f s%s",
		 (double)s->rq->timeout_ns / 1e9, registers);
}

/* The crew has stopped before all had finished. */
static void end_by_stop(struct scaled *s, struct boot_report *rep)
{
	const struct vm_crew *crew = &s->crew;

	switch (crew->stop) {
	case VCPU_STOP_DOORBELL:
		boot_harvest(vm_window(s->lanes[crew->stopped_by].vcpu), s->rq, rep);
		/* The guest has changed its report since. */
		if (rep->outcome == BOOT_DONE)
			boot_end(rep, BOOT_CRASH, "the guest changed its report");
		if (rep->outcome == BOOT_CRASH)
			name_lane(s, crew->stopped_by, rep);
		return;
	case VCPU_STOP_TIMEOUT:
		for (unsigned int i = 0; i < s->n; i++)
			if (boot_sleeps(vm_window(s->lanes[i].vcpu))) {
				boot_harvest(vm_window(s->lanes[i].vcpu), s->rq, rep);
				return;
			}
		end_by_timeout(s, rep);
		return;
	default:
		boot_end(rep, BOOT_CRASH, "%s", crew->error.text);
		name_lane(s, crew->stopped_by, rep);
		boot_dump(s->rq, crew->dump);
	}
}

static int harvest(struct scaled *s, struct boot_report *rep)
{
	for (unsigned int i = 0; i < s->n; i++) {
		struct kvm_lane *seen = &s->seen[i];

		boot_harvest(vm_window(s->lanes[i].vcpu), s->rq, &seen->report);
		if (seen->report.outcome == BOOT_DONE && seen->end_ns <= seen->begin_ns)
			boot_end(&seen->report, BOOT_CRASH,
				 "the guest did not ring the doorbell around its events");
		if (seen->report.outcome == BOOT_DONE)
			continue;
		boot_end(rep, seen->report.outcome, "%s", seen->report.reason);
		if (rep->outcome == BOOT_CRASH)
			name_lane(s, i, rep);
		return 0;
	}
	return kvm_lanes_merge(s->seen, s->n, s->share, s->takes_turns, rep);
}

/* ---- the boot --------------------------------------------------------------------- */

const char *kvm_scale_refuses(const struct bench *row, const struct host_row *host,
			      const struct vm_config *config,
			      const struct boot_scale *scale)
{
	if (row->needs & TIMED_BY_HOST)
		return "runs on one vCPU only: the host times it";
	if (row->needs & NEEDS_VCPUS_2)
		return "runs on one vCPU only: its operation uses a second one";
	if (row->needs & (NEEDS_OPERAND | NEEDS_COUNTS))
		return "runs on one vCPU only: it shows what the PMU does, not what it costs";
	if (config->bare_loop)
		return "runs on one vCPU only: this config's run loop has no others";
	if (scale->vms)
		return NULL;
	if (row->needs & NEEDS_NESTED)
		return "runs on one vCPU of a VM only: the payload is a hypervisor, whose tables name the VM's addresses (--vms)";
	if (row->needs & NEEDS_RELOAD)
		return "runs on one vCPU of a VM only: the VMM prepares each event for one vCPU (--vms)";
	if (host && host->one_vcpu)
		return host->one_vcpu;
	return NULL;
}

static int run(struct scaled *s, const struct vm_config *config,
	       const struct kvm_boot_env *env, struct boot_report *rep, struct error *err)
{
	const unsigned int most = kvm_vcpus_max(env->kvm_fd);
	struct watchdog limit;
	int rc;

	if (config->vcpus > most) {
		boot_end(rep, BOOT_SKIP, "this KVM allows a VM %u vCPUs, not %u", most,
			 config->vcpus);
		return 0;
	}
	rc = build(s, config, env->kvm_fd, err);

	if (rc == -ENOTSUP) {
		boot_end(rep, BOOT_SKIP, "%s", err->text);
		return 0;
	}
	if (!rc)
		rc = watchdog_start(&limit, boot_limit_ns(s->rq), !s->rq->slowdown, err);
	if (rc)
		return rc;
	rc = vm_run_crew(&s->crew);
	watchdog_stop(&limit);
	if (rc)
		return error_set(err, rc, "%s", s->crew.error.text);
	if (interrupted)
		return error_set(err, -EINTR, "interrupted");
	for (unsigned int i = 0; i < s->n_vms; i++)
		kvm_add_statistics(&s->vms[i], rep);
	if (*s->failed.text)
		boot_end(rep, BOOT_CRASH, "%s", s->failed.text);
	else if (*s->conflict)
		boot_end(rep, BOOT_CRASH, "%s", s->conflict);
	else if (s->crew.stop != VCPU_STOP_NONE)
		end_by_stop(s, rep);
	else if (harvest(s, rep))
		rc = error_set(err, -ENOMEM, "out of memory");
	return rc;
}

int kvm_boot_scaled(const struct kvm_boot_env *env, const struct vm_config *config,
		    const struct host_row *host, const struct boot_request *rq,
		    bool takes_turns, struct boot_report *rep, struct error *err)
{
	struct scaled *s = calloc(1, sizeof(*s));
	struct vm_config own = *config;
	int rc;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->rq = rq;
	s->host = host;
	s->statistic = kvm_statistic_of(rq->bench);
	s->cpus = env->cpus;
	s->share = env->share;
	s->takes_turns = takes_turns;
	s->n = boot_scale_n(&rq->scale);
	s->ended = -1;
	pthread_mutex_init(&s->lock, NULL);
	if (rq->scale.vcpus > 1) {
		own.vcpus = rq->scale.vcpus;
		own.windows = true;
		own.ram_bytes = own.vcpus * ABI_RAM_BYTES;
	}
	rc = run(s, &own, env, rep, err);
	for (unsigned int i = 0; i < s->n_vms; i++)
		vm_destroy(&s->vms[i]);
	for (unsigned int i = 0; i < s->n; i++)
		boot_report_free(&s->seen[i].report);
	free(s->vms);
	free(s->crew.dump);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return rc;
}
