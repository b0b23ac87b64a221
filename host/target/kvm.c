/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target `kvm`: this machine's KVM, on our own VMM, in this process. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/result/result.h"
#include "host/target/boot.h"
#include "host/target/driver.h"
#include "host/target/interference.h"
#include "host/target/stage.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

struct state {
	int kvm_fd;
	int cpu; /* pinned to; -1: not */
	bool trace_states;
	enum kvm_flavour flavour;
};

/* All counters at one moment. */
struct snapshot {
	int64_t exits, irq_exits;
	uint64_t user;
	struct interference interference;
};

/* What the bell's listener works on. */
struct meter {
	struct vm vm;
	const struct stage *stage; /* or NULL */
	struct boot_report *rep;
	int cpu;
	struct snapshot begin;
};

static int kvm_probe(const struct target *t, const struct target_options *opt,
		     struct target_error *err)
{
	int fd = kvm_open(err->text, sizeof(err->text));

	(void)t;
	(void)opt;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int pin(int cpu, struct target_error *err)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return target_fail(err, -errno, "cannot pin to CPU %d: %m", cpu);
	return 0;
}

static int kvm_target_open(struct target *t, const struct target_options *opt,
			   struct target_error *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return target_fail(err, -ENOMEM, "out of memory");
	t->state = s;
	s->cpu = opt->cpu;
	s->trace_states = opt->trace_states;
	s->kvm_fd = kvm_open(err->text, sizeof(err->text));
	if (s->kvm_fd < 0)
		return s->kvm_fd;
	rc = pin(opt->cpu, err);
	s->flavour = kvm_flavour(s->kvm_fd);
	if (!kvm_flavour_is_hardware(s->flavour) && !t->exact)
		target_software_defaults(t);
	return rc;
}

static void kvm_target_close(struct target *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	if (s->kvm_fd >= 0)
		close(s->kvm_fd);
	free(s);
	t->state = NULL;
}

static void kvm_describe(const struct target *t, struct result *r)
{
	const struct state *s = t->state;
	struct utsname uts;

	uname(&uts);
	r->subject.kernel = result_string(r, uts.release);
	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.hypervisor = kvm_flavour_name(s->flavour);
	r->target.exact = t->exact;
	r->machine.pinned = s->cpu;
	r->clock.name = t->arch == ARCH_X86_64 ? "TSC" : "CNTVCT_EL0";
	r->clock.unit = t->exact ? "insns" : "ticks";
	r->clock.hz = t->arch == ARCH_X86_64 ? kvm_tsc_hz(s->kvm_fd) : 0;
	if (s->flavour == KVM_FLAVOUR_SOFTWARE)
		result_warn(r, "software-kvm",
			    "this KVM has neither VMX nor SVM behind it: its figures say "
			    "nothing about hardware, and who handled an exit inside the "
			    "kernel cannot be told");
}

static void snapshot(const struct meter *m, struct snapshot *now)
{
	const struct vcpu *vcpu = &m->vm.vcpus[0];

	now->exits = vcpu_kvm_stat(vcpu, KVM_STAT_EXITS);
	now->irq_exits = vcpu_kvm_stat(vcpu, KVM_STAT_IRQ_EXITS);
	now->user = vcpu->stats.vm_exits;
	interference_read(m->cpu, &now->interference);
}

static int64_t difference(int64_t now, int64_t before)
{
	return now < 0 || before < 0 ? -1 : now - before;
}

static void count(const struct snapshot *a, const struct snapshot *b,
		  struct boot_counts *c)
{
	/* The exit that rang the closing bell is in b and not in a. */
	c->exits = difference(b->exits, a->exits);
	if (c->exits > 0)
		c->exits--;
	c->user = (int64_t)(b->user - a->user) - 1;
	c->interrupts = difference(b->irq_exits, a->irq_exits);
	if (c->interrupts < 0)
		c->interrupts = difference(b->interference.interrupts,
					   a->interference.interrupts);
	c->involuntary_switches = difference(b->interference.involuntary_switches,
					     a->interference.involuntary_switches);
	c->migrations = b->interference.cpu_now != a->interference.cpu_now;
}

static void on_bell(void *ctx, uint32_t value)
{
	struct meter *m = ctx;
	uint32_t phase = ABI_BELL_PHASE(value);
	struct snapshot end;

	if (phase >= ABI_PHASES)
		return; /* a payload that lies is found out by its report */
	if (ABI_BELL_KIND(value) == ABI_BELL_END) {
		snapshot(m, &end);
		count(&m->begin, &end, &m->rep->counts[phase]);
	}
	if (m->stage && m->stage->bell)
		m->stage->bell(&m->vm, ABI_BELL_KIND(value), phase);
	/* Last, so that what comes before is not counted. */
	if (ABI_BELL_KIND(value) == ABI_BELL_BEGIN)
		snapshot(m, &m->begin);
}

static bool on_halt(void *ctx, struct vcpu *vcpu)
{
	const struct meter *m = ctx;

	(void)vcpu;
	return m->stage && m->stage->halts;
}

static void note_statistics(const struct meter *m, struct boot_report *rep)
{
	unsigned int i;

	for (i = 0; i < m->vm.config.vcpus; i++) {
		const struct vcpu_stats *s = &m->vm.vcpus[i].stats;
		const struct result_statistics one = {
			.insts = s->insts ? (int64_t)s->insts : -1,
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

static void trace(const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->config.vcpus; i++) {
		fprintf(stderr, "vCPU %u: transitions of this boot\n", i);
		state_trace_print(&vm->vcpus[i].trace, stderr);
	}
}

static void end_by_stop(struct meter *m, const struct boot_request *rq,
			struct boot_report *rep)
{
	char registers[320];

	switch (m->vm.vcpus[0].stop) {
	case VCPU_STOP_BELL:
		boot_harvest(m->vm.ram, rq, rep);
		break;
	case VCPU_STOP_BUDGET:
		vcpu_dump(&m->vm.vcpus[0], registers, sizeof(registers));
		boot_end(rep, BOOT_CRASH, "the guest hung: no end after %.1f s; %s",
			 (double)rq->timeout_ns / 1e9, registers);
		break;
	case VCPU_STOP_SHUTDOWN:
		vcpu_dump(&m->vm.vcpus[0], registers, sizeof(registers));
		boot_end(rep, BOOT_CRASH,
			 "the guest shut down (triple fault or power off); %s",
			 registers);
		break;
	default:
		boot_end(rep, BOOT_CRASH, "%s", m->vm.error);
	}
}

static int prepare(struct meter *m, struct abi_params *params)
{
	return m->stage && m->stage->prepare ? m->stage->prepare(&m->vm, params) : 0;
}

/* Builds the VM, runs the payload, harvests. m->vm.error on failure. */
static int boot_in_vm(struct meter *m, const struct vm_config *config, int kvm_fd,
		      const struct boot_request *rq, struct boot_report *rep)
{
	const struct vm_listener listener = {
		.ctx = m,
		.halted = on_halt,
		.bell = on_bell,
	};
	struct run_timer budget;
	struct abi_params params = rq->params;
	uint64_t entry;
	int err;

	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_BELL | (config->pmu ? ABI_FLAG_PMU : 0);
	err = vm_create(&m->vm, kvm_fd, config, &listener);
	if (err)
		return err;
	err = prepare(m, &params);
	if (err == -ENOTSUP) {
		boot_end(rep, BOOT_SKIP, "%s", m->vm.error);
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
		err = timer_open(&budget, TIMER_POSIX, rq->timeout_ns, m->vm.error,
				 sizeof(m->vm.error));
	if (err)
		return err;
	/* An exit that nobody can serve is the guest's failure, not the target's. */
	(void)vm_run(&m->vm, &budget, m->cpu);
	timer_close(&budget);
	if (m->vm.vcpus[0].stop == VCPU_STOP_KICK && target_interrupted)
		return -EINTR;
	note_statistics(m, rep);
	end_by_stop(m, rq, rep);
	return 0;
}

/* A row that the host times. */
static int drive(const struct target *t, const struct boot_request *rq,
		 const struct vm_config *config, struct boot_report *rep,
		 struct target_error *err)
{
	const struct state *s = t->state;
	const struct driver *driver = driver_find(rq->bench->id, t->arch);
	struct drive d = {
		.kvm_fd = s->kvm_fd,
		.cpu = s->cpu,
		.config = config,
		.rq = rq,
		.rep = rep,
		.err = err,
	};

	if (!driver)
		return target_fail(err, -ENOENT, "%s has no driver", rq->bench->id);
	return driver->run(&d);
}

/* Makes the config the row's own; what it then lacks for the row, or NULL. */
static const char *suit(const struct bench *row, const struct stage *stage,
			struct vm_config *config, struct abi_params *params)
{
	if (row->needs & NEEDS_IRQCHIP && config->irqchip != VM_IRQCHIP_KERNEL)
		return "its subject is the in-kernel interrupt controller, which this "
		       "config leaves out";
	if (row->needs & NEEDS_VCPUS_2) {
		if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
			return "needs two CPUs: on one, two vCPUs can only take turns";
		/* A driver's second thread may be its own. */
		if (!(row->needs & NEEDS_DRIVER))
			config->vcpus = 2;
	}
	if (stage && stage->configure)
		stage->configure(config, params);
	return NULL;
}

static int kvm_boot(struct target *t, const struct boot_request *request,
		    struct boot_report *rep, struct target_error *err)
{
	const struct state *s = t->state;
	struct boot_request own = *request;
	const struct boot_request *rq = &own;
	const struct stage *stage = stage_find(rq->bench->id, t->arch);
	const char *lacks;
	struct vm_config config;
	struct meter *m;
	char why[256];
	int rc;

	boot_report_init(rep);
	if (rq->bench->needs & NEEDS_HARDWARE && !kvm_flavour_is_hardware(s->flavour)) {
		boot_end(rep, BOOT_SKIP,
			 "needs hardware virtualization; this is a software KVM");
		return 0;
	}
	rc = config_apply(rq->config, s->kvm_fd, &config, why, sizeof(why));
	if (rc) {
		boot_end(rep, BOOT_SKIP, "%s", why);
		return 0;
	}
	lacks = suit(rq->bench, stage, &config, &own.params);
	if (lacks) {
		boot_end(rep, BOOT_SKIP, "%s", lacks);
		return 0;
	}
	if (rq->bench->needs & NEEDS_DRIVER)
		return drive(t, rq, &config, rep, err);
	m = calloc(1, sizeof(*m));
	if (!m)
		return target_fail(err, -ENOMEM, "out of memory");
	m->stage = stage;
	m->rep = rep;
	m->cpu = s->cpu;
	rc = boot_in_vm(m, &config, s->kvm_fd, rq, rep);
	if (rc == -EINTR)
		target_fail(err, rc, "interrupted");
	else if (rc)
		target_fail(err, rc, "%s", m->vm.error);
	if (s->trace_states)
		trace(&m->vm);
	vm_destroy(&m->vm);
	free(m);
	return rc;
}

const struct target_ops target_kvm_ops = {
	.kind = "kvm",
	.probe = kvm_probe,
	.open = kvm_target_open,
	.describe = kvm_describe,
	.boot = kvm_boot,
	.close = kvm_target_close,
};
