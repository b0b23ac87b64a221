/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One payload in one VM of this machine's KVM, its phases metered at the doorbells. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/targets/kvm.h"
#include "host/vmm/counters.h"
#include "host/vmm/timer.h"

/* All counters at one moment. */
struct snapshot {
	struct kvm_snapshot vcpu;
	uint32_t l0_exits;
	struct perf_values perf;
};

/* The context of the doorbell's listener. */
struct meter {
	struct vm vm;
	const struct host_row *host;	      /* or NULL */
	enum bench_statistic_id statistic;    /* of the row, or STATISTICS */
	uint32_t (*l0_exits)(const void *l0); /* or NULL */
	const void *l0;
	struct boot_report *rep;
	struct error failed; /* why the row's work at a doorbell failed; "" */
	int cpu;	     /* of the boot CPU; -1 */
	const int *cpus;     /* of all vCPUs; NULL */
	bool counting;
	struct perf_counters perf;
	struct snapshot begin;
};

enum bench_statistic_id kvm_statistic_of(const struct bench *row)
{
	const struct bench_claim *claim = bench_claim(row, TARGET_ARCH);

	return claim ? claim->statistic : STATISTICS;
}

void kvm_snapshot_quick(struct vcpu *vcpu, enum bench_statistic_id statistic,
			struct kvm_snapshot *now)
{
	const enum bench_statistic_id stats[] = { STATISTIC_exits, STATISTIC_irq_exits,
						  statistic };
	const int64_t interrupts = now->interference.interrupts;
	int64_t values[3];

	vcpu_kvm_stats(vcpu, stats, 3, values);
	now->exits = values[0];
	now->irq_exits = values[1];
	now->statistic = values[2];
	now->user = vcpu->stats.vm_exits;
	interference_read(&now->interference);
	now->interference.interrupts = interrupts;
}

void kvm_snapshot_slow(struct vcpu *vcpu, int cpu, struct kvm_snapshot *now)
{
	now->interference.interrupts =
		vcpu_kvm_stat(vcpu, STATISTIC_irq_exits) < 0 ? interrupts_taken(cpu) : -1;
}

static void snapshot(const struct meter *m, struct snapshot *now)
{
	kvm_snapshot_quick(&m->vm.vcpus[0], m->statistic, &now->vcpu);
	kvm_snapshot_slow(&m->vm.vcpus[0], m->cpu, &now->vcpu);
	now->l0_exits = m->l0_exits ? m->l0_exits(m->l0) : 0;
	if (m->counting && perf_read(&m->perf, &now->perf))
		now->perf = (struct perf_values){ { 0 }, { false } };
}

static int64_t difference(int64_t now, int64_t before)
{
	return now < 0 || before < 0 ? -1 : now - before;
}

void kvm_count(const struct kvm_snapshot *a, const struct kvm_snapshot *b,
	       struct boot_counts *c)
{
	/* The exit of the closing doorbell is in b and not in a. */
	c->exits = difference(b->exits, a->exits);
	if (c->exits > 0)
		c->exits--;
	c->statistic = difference(b->statistic, a->statistic);
	c->user = (int64_t)(b->user - a->user) - 1;
	c->interrupts = difference(b->irq_exits, a->irq_exits);
	c->interrupts_exact = c->interrupts >= 0;
	if (c->interrupts < 0)
		c->interrupts = difference(b->interference.interrupts,
					   a->interference.interrupts);
	c->involuntary_switches = difference(b->interference.involuntary_switches,
					     a->interference.involuntary_switches);
	c->migrations = b->interference.cpu_now != a->interference.cpu_now;
}

static int64_t counted(const struct snapshot *a, const struct snapshot *b,
		       enum perf_event event)
{
	if (!a->perf.counted[event] || !b->perf.counted[event])
		return -1;
	return (int64_t)(b->perf.value[event] - a->perf.value[event]);
}

static void note_counters(const struct meter *m, const struct snapshot *end)
{
	struct boot_report *rep = m->rep;
	const struct snapshot *begin = &m->begin;

	snprintf(rep->counters_why, sizeof(rep->counters_why), "%s", m->perf.why);
	rep->host_counters = (struct result_host_counters){
		.source = *m->perf.why ? "software" : "hardware",
		.reason = *m->perf.why ? rep->counters_why : NULL,
		.guest_cycles = counted(begin, end, PERF_GUEST_CYCLES),
		.guest_insns = counted(begin, end, PERF_GUEST_INSNS),
		.host_cycles = counted(begin, end, PERF_HOST_CYCLES),
		.host_insns = counted(begin, end, PERF_HOST_INSNS),
		.task_clock_ns = counted(begin, end, PERF_TASK_CLOCK_NS),
		.context_switches = counted(begin, end, PERF_CONTEXT_SWITCHES),
	};
}

/*
 * Whether something uses the counts of the phase (measure/): a snapshot is longer than
 * many a phase, most of all where it reads /proc/interrupts.
 */
static bool is_counted(const struct meter *m, uint32_t phase)
{
	return phase == ABI_PHASE_EVENT || phase == ABI_PHASE_PMC ||
	       phase == ABI_PHASE_PMC_NULL || (m->l0_exits && phase == ABI_PHASE_NULL);
}

static void on_doorbell(void *ctx, uint32_t value)
{
	struct meter *m = ctx;
	uint32_t phase = ABI_DOORBELL_PHASE(value);
	struct snapshot end = { .l0_exits = 0 };

	if (phase >= ABI_PHASES)
		return; /* boot_harvest() rejects the report of such a payload */
	if (ABI_DOORBELL_KIND(value) == ABI_DOORBELL_END && is_counted(m, phase)) {
		snapshot(m, &end);
		kvm_count(&m->begin.vcpu, &end.vcpu, &m->rep->counts[phase]);
		if (m->l0_exits)
			m->rep->counts[phase].l0_exits =
				(uint32_t)(end.l0_exits - m->begin.l0_exits);
		if (m->counting && phase == ABI_PHASE_EVENT)
			note_counters(m, &end);
	}
	if (m->host && m->host->doorbell && !*m->failed.text &&
	    m->host->doorbell(&m->vm, ABI_DOORBELL_KIND(value), phase)) {
		m->failed = m->vm.error;
		vcpu_kick(&m->vm.vcpus[0]);
	}
	/* Last: the work above is not counted. */
	if (ABI_DOORBELL_KIND(value) == ABI_DOORBELL_BEGIN && is_counted(m, phase))
		snapshot(m, &m->begin);
}

static bool on_halt(void *ctx, struct vcpu *vcpu)
{
	const struct meter *m = ctx;

	(void)vcpu;
	return m->host && m->host->resumes_halt;
}

void kvm_add_statistics(const struct vm *vm, struct boot_report *rep)
{
	unsigned int i;

	for (i = 0; i < vm->config.vcpus; i++) {
		const struct vcpu_stats *s = &vm->vcpus[i].stats;
		const struct result_statistics one = {
			.insts = -1,
			.vm_exits = (int64_t)s->vm_exits,
			.vm_half_entries = (int64_t)s->vm_half_entries,
			.exit_signal = (int64_t)s->exit_signal,
			.mmio = (int64_t)s->mmio,
			.coalesced_mmio = (int64_t)s->coalesced_mmio,
			.io = (int64_t)s->io,
			.halt = (int64_t)s->halt,
			.interrupts = (int64_t)s->interrupts,
			.hypercalls = (int64_t)s->hypercalls,
		};

		result_statistics_add(&rep->statistics, &one);
	}
}

static void note_statistics(const struct meter *m, struct boot_report *rep)
{
	struct perf_values perf;

	kvm_add_statistics(&m->vm, rep);
	if (m->counting && !perf_read(&m->perf, &perf) && perf.counted[PERF_GUEST_INSNS])
		rep->statistics.insts = (int64_t)perf.value[PERF_GUEST_INSNS];
}

static void trace(const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->config.vcpus; i++) {
		fprintf(stderr, "vCPU %u: transitions of this boot\n", i);
		state_trace_print(&vm->vcpus[i].trace, stderr);
	}
}

/* The registers of each vCPU, with its number if there are several. */
static void dump_all(const struct vm *vm, char *text, size_t bytes)
{
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < vm->config.vcpus && used < bytes; i++) {
		if (vm->config.vcpus > 1)
			used += (size_t)snprintf(text + used, bytes - used,
						 "%svCPU %u: ", i ? "; " : "", i);
		if (used >= bytes)
			break;
		vcpu_dump(&vm->vcpus[i], text + used, bytes - used);
		used += strlen(text + used);
	}
}

static void end_by_stop(struct meter *m, const struct boot_request *rq,
			struct boot_report *rep)
{
	char registers[440];

	if (*m->failed.text) {
		boot_end(rep, BOOT_CRASH, "%s", m->failed.text);
		return;
	}
	switch (m->vm.stop) {
	case VCPU_STOP_DOORBELL:
		boot_harvest(m->vm.ram, rq, rep);
		if (rep->outcome == BOOT_CRASH && m->vm.stopped_by) {
			char reason[sizeof(rep->reason) - 16];

			memcpy(reason, rep->reason, sizeof(reason));
			boot_end(rep, BOOT_CRASH, "vCPU %u: %.*s", m->vm.stopped_by,
				 (int)sizeof(reason), reason);
		}
		break;
	case VCPU_STOP_TIMEOUT:
		if (boot_sleeps(m->vm.ram)) {
			boot_harvest(m->vm.ram, rq, rep);
			break;
		}
		dump_all(&m->vm, registers, sizeof(registers));
		boot_end(rep, BOOT_CRASH, "the guest hung: no end after %.1f s; %s",
			 (double)rq->timeout_ns / 1e9, registers);
		break;
	default:
		boot_end(rep, BOOT_CRASH, "%s", m->vm.error.text);
		boot_dump(rq, m->vm.dump);
	}
}

static int vm_setup(struct meter *m, struct abi_params *params)
{
	return m->host && m->host->vm_setup ? m->host->vm_setup(&m->vm, params) : 0;
}

struct abi_params kvm_params(const struct vm_config *config,
			     const struct boot_request *rq)
{
	struct abi_params params = rq->params;

	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_DOORBELL;
	if (config_has_pmu(config))
		params.flags |= ABI_FLAG_PMU;
	if (config->pmu_idle && !(rq->bench->needs & NEEDS_PMU))
		params.flags &= ~ABI_FLAG_PMU;
	if (!(params.flags & ABI_FLAG_PMU))
		params.pmc_events = params.spins = 0;
	return params;
}

/* Builds the VM, runs the payload, harvests. m->vm.error on failure. */
static int boot_in_vm(struct meter *m, const struct vm_config *config, int kvm_fd,
		      const struct boot_request *rq, struct boot_report *rep)
{
	const struct vm_listener listener = {
		.ctx = m,
		.halted = on_halt,
		.doorbell = on_doorbell,
	};
	struct watchdog limit;
	struct abi_params params = kvm_params(config, rq);
	uint64_t entry;
	int err;

	err = vm_create(&m->vm, kvm_fd, config, &listener);
	if (!err)
		err = vm_setup(m, &params);
	if (err == -ENOTSUP) {
		boot_end(rep, BOOT_SKIP, "%s", m->vm.error.text);
		return 0;
	}
	if (!err)
		err = vm_load(&m->vm, rq->image, rq->image_bytes, &entry);
	if (!err)
		err = vm_write(&m->vm, m->vm.ram_gpa + ABI_PAGE_OFFSET, &params,
			       sizeof(params));
	if (!err)
		err = vm_reset(&m->vm, entry);
	if (!err)
		err = watchdog_start(&limit, boot_limit_ns(rq), !rq->slowdown,
				     &m->vm.error);
	if (err)
		return err;
	/* An unhandled exit fails the boot, not the target. */
	err = vm_run(&m->vm, NULL, m->cpus);
	watchdog_stop(&limit);
	if (!err && m->vm.stop == VCPU_STOP_DOORBELL && !*m->failed.text &&
	    vcpu_kick_prove(&m->vm.vcpus[0]))
		m->failed = m->vm.error;
	if (err && m->vm.stop == VCPU_STOP_NONE)
		return err;
	if (interrupted)
		return -EINTR;
	note_statistics(m, rep);
	end_by_stop(m, rq, rep);
	return 0;
}

int kvm_boot_payload(const struct kvm_boot_env *env, const struct vm_config *config,
		     const struct host_row *host, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err)
{
	struct meter *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->host = host;
	m->statistic = kvm_statistic_of(rq->bench);
	m->rep = rep;
	m->l0_exits = rq->l0_exits;
	m->l0 = rq->l0;
	m->cpu = env->cpu;
	m->cpus = env->cpus;
	/* The document says if there are only software events, or none. */
	m->counting = env->host_counters;
	if (m->counting && perf_open(&m->perf))
		m->counting = false;
	rc = boot_in_vm(m, config, env->kvm_fd, rq, rep);
	if (rc == -EINTR)
		error_set(err, rc, "interrupted");
	else if (rc)
		error_set(err, rc, "%s", m->vm.error.text);
	if (env->trace_states)
		trace(&m->vm);
	if (env->host_counters)
		perf_close(&m->perf);
	if (!boot_keeps_vm(rq, config_has_pmu(config)))
		vm_destroy(&m->vm);
	free(m);
	return rc;
}
