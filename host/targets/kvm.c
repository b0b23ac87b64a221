/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target `kvm`: payloads on the KVM of this machine, in the VMM of this process. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/targets/kvm.h"
#include "host/targets/host_timed.h"
#include "host/targets/rows.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

struct state {
	int kvm_fd;
	int cpu;	   /* pinned to; -1: not */
	cpu_set_t allowed; /* CPUs of this process before it was pinned */
	bool trace_states, host_counters;
	enum kvm_flavour flavour;
	struct kvm_apart apart;
};

static int kvm_probe(const struct target *t, const struct job *job, struct error *err)
{
	int fd = kvm_open(err);

	(void)t;
	(void)job;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int pin(int cpu, cpu_set_t *before, struct error *err)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(*before), before))
		return error_set(err, -errno, "sched_getaffinity: %m");
	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return error_set(err, -errno, "cannot pin to CPU %d: %m", cpu);
	return 0;
}

/* A software KVM is slow. */
static void software_defaults(struct target *t)
{
	t->default_boots = 6; /* the least for a 95 % interval */
	t->default_events = 500;
	t->default_warmup = 100;
}

static int kvm_target_open(struct target *t, const struct job *job, struct error *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	t->state = s;
	kvm_apart_init(&s->apart);
	s->cpu = job->cpu;
	s->trace_states = job->trace_states;
	s->host_counters = job->host_counters;
	s->kvm_fd = kvm_open(err);
	if (s->kvm_fd < 0)
		return s->kvm_fd;
	rc = pin(job->cpu, &s->allowed, err);
	s->flavour = kvm_flavour(s->kvm_fd);
	if (!kvm_flavour_is_hardware(s->flavour) && !t->exact)
		software_defaults(t);
	return rc;
}

static void kvm_target_close(struct target *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	kvm_apart_stop(&s->apart);
	if (s->kvm_fd >= 0)
		close(s->kvm_fd);
	free(s);
	t->state = NULL;
}

/*
 * The compiler of this kernel: "Linux version RELEASE (BUILDER) (COMPILER, LINKER) ...",
 * with parentheses within the parentheses. NULL: unknown.
 */
static const char *find_compiler(struct result *r)
{
	char text[1024], *start = text;
	FILE *f = fopen("/proc/version", "re");
	int depth = 0, groups = 0;

	if (!f)
		return NULL;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	for (char *c = text; *c; c++) {
		if (*c == '(' && !depth++)
			start = c + 1;
		if (groups == 1 && depth == 1 && *c == ',')
			return result_format(r, "%.*s", (int)(c - start), start);
		if (*c == ')' && depth && !--depth)
			groups++;
	}
	return NULL;
}

static int kvm_describe(struct target *t, struct result **out, struct error *err)
{
	struct result *r = *out;
	const struct state *s = t->state;
	struct utsname uts;

	uname(&uts);
	r->subject.kernel = result_string(r, uts.release);
	r->subject.compiler = find_compiler(r);
	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.hypervisor = kvm_flavour_name(s->flavour);
	r->target.exact = t->exact;
	r->machine.pinned = s->cpu;
	r->clock.name = t->arch == ARCH_X86_64 ? "TSC" : "CNTVCT_EL0";
	r->clock.unit = t->exact ? "insns" : "ticks";
	r->clock.hz = t->arch == ARCH_X86_64 ? kvm_tsc_hz(s->kvm_fd) : 0;
	if (s->flavour == KVM_FLAVOUR_SOFTWARE)
		result_warn(
			r, "software-kvm",
			"software KVM, without VMX and SVM: the figures do not represent hardware, and the in-kernel handler of an exit is unknown");
	(void)err;
	return 0;
}

/*
 * As runtime_pace() in guest/runtime.c: the shortest of several equal loops, in ticks. Of
 * the longest loop of the guest's, which is long against any clock.
 */
#define PACE_LOOPS 20

static uint64_t time_pace(uint32_t multiplications)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; multiplications && i < PACE_LOOPS; i++) {
		uint64_t start = clock_now(), x = start, ticks;

		for (uint32_t n = multiplications; n; n--) {
			x *= 0x9e3779b97f4a7c15ull;
			__asm__ volatile("" : "+r"(x));
		}
		ticks = clock_now() - start;
		least = ticks < least ? ticks : least;
	}
	return multiplications ? least : 0;
}

/* What a host-timed boot on a noisy target is checked for; it counts no exits. */
struct surroundings {
	struct interference interference;
	uint64_t pace;
};

/* On a software KVM no boot is judged by its pace: accept_boot(). */
static void look_around(const struct state *s, uint32_t pace, struct surroundings *now)
{
	now->pace = s->flavour == KVM_FLAVOUR_SOFTWARE ? 0 : time_pace(pace);
	interference_read(&now->interference);
	now->interference.interrupts = interrupts_taken(s->cpu);
}

static void note_surroundings(const struct surroundings *a, const struct surroundings *b,
			      struct boot_report *rep)
{
	const struct interference *before = &a->interference, *now = &b->interference;
	struct boot_counts *c = &rep->counts[ABI_PHASE_EVENT];

	if (before->interrupts >= 0 && now->interrupts >= 0)
		c->interrupts = now->interrupts - before->interrupts;
	if (before->involuntary_switches >= 0 && now->involuntary_switches >= 0)
		c->involuntary_switches =
			now->involuntary_switches - before->involuntary_switches;
	c->migrations = now->cpu_now != before->cpu_now;
	rep->guest.pace[ABI_PACE_BEGIN] = a->pace;
	rep->guest.pace[ABI_PACE_END] = b->pace;
}

static int boot_host_timed(const struct state *s, const struct host_row *row,
			   const struct boot_request *rq, const struct vm_config *config,
			   const int *cpus, bool exact, struct boot_report *rep,
			   struct error *err)
{
	struct host_timed h = {
		.exact = exact,
		.kvm_fd = s->kvm_fd,
		.cpus = cpus,
		.config = config,
		.rq = rq,
		.rep = rep,
		.err = err,
	};
	struct surroundings begin, end;
	struct watchdog limit;
	int rc = watchdog_start(&limit, boot_limit_ns(rq), !rq->slowdown, err);

	if (rc)
		return rc;
	if (!exact)
		look_around(s, rq->params.pace, &begin);
	rc = row->host_timed(&h);
	if (!exact) {
		look_around(s, rq->params.pace, &end);
		note_surroundings(&begin, &end, rep);
	}
	watchdog_stop(&limit);
	return rc;
}

/* Adapts the config to the row. Returns why the row cannot run under it, or NULL. */
static const char *suit(const struct state *s, const struct bench *row,
			const struct host_row *host, struct vm_config *config,
			struct abi_params *params)
{
	config->nested = row->needs & NEEDS_NESTED;
	/* A split controller has its local APICs in the kernel. */
	if ((row->needs & NEEDS_IRQCHIP && config->irqchip != VM_IRQCHIP_KERNEL) ||
	    (row->needs & NEEDS_LAPIC && config->irqchip == VM_IRQCHIP_USER))
		return "needs the in-kernel interrupt controller, which this config disables";
	if (row->needs & NEEDS_VCPUS_2) {
		if (CPU_COUNT(&s->allowed) < 2)
			return "needs two CPUs (labs *-smp have them): on one, two vCPUs can only take turns";
		/* A host-timed row starts its second thread itself. */
		if (!(row->needs & TIMED_BY_HOST))
			config->vcpus = 2;
	}
	/* By CNTPCT, the clock that guest and host share (guest/aarch64/clock.h). */
	if (config->counter_offset && host && host->reads && strchr(host->reads, 'g'))
		return "the row reads the physical counter in its timed part, and the read traps";
	if (host && host->configure)
		host->configure(config, params);
	return NULL;
}

/* An error of a row is the target's if KVM cannot create VMs any more. */
static int check_lost(const struct state *s, int rc, struct error *err)
{
	if (rc && rc != -ENOMEM && rc != -EINTR && kvm_try_vm(s->kvm_fd))
		return error_set(err, -ESHUTDOWN, "KVM_CREATE_VM: %m");
	return rc;
}

/*
 * Pins the threads of a boot with a scale: each to a core of its own, else to a CPU of
 * its own, else not. `env->cpus` are chosen.
 */
static void choose_cpus(const struct state *s, unsigned int n, int *cpus,
			struct kvm_boot_env *env)
{
	char why[160];
	int first = s->cpu;

	for (int cpu = 0; first < 0 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &s->allowed))
			first = cpu;
	env->cpus = cpus;
	if (!cpus_choose("/sys", &s->allowed, first, n, cpus, why, sizeof(why)))
		env->share = BOOT_SHARE_NOTHING;
	else if (cpus_any(&s->allowed, first, n, cpus))
		env->share = BOOT_SHARE_CORES;
	else
		*env = (struct kvm_boot_env){ .kvm_fd = env->kvm_fd,
					      .cpu = -1,
					      .share = BOOT_SHARE_CPUS };
}

/* A payload on each of several vCPUs or VMs. */
static int boot_scaled(const struct state *s, const struct vm_config *config,
		       const struct host_row *host, const struct boot_request *rq,
		       const struct target *t, struct boot_report *rep, struct error *err)
{
	const char *why = kvm_scale_refuses(rq->bench, host, config, &rq->scale);
	const unsigned int n = boot_scale_n(&rq->scale);
	struct kvm_boot_env env = { .kvm_fd = s->kvm_fd, .cpu = s->cpu };
	int cpus[BOOT_SCALE_MAX];
	cpu_set_t set, before;
	int rc;

	if (why) {
		boot_end(rep, BOOT_SKIP, "%s", why);
		return 0;
	}
	choose_cpus(s, n, cpus, &env);
	/* Whatever topology an emulator reports. */
	if (t->exact && env.share == BOOT_SHARE_CORES)
		env.share = BOOT_SHARE_NOTHING;
	if (t->exact && env.share == BOOT_SHARE_CPUS) {
		boot_end(rep, BOOT_SKIP,
			 "needs %u CPUs: the machine has %d (labs *-smp have two)", n,
			 CPU_COUNT(&s->allowed));
		return 0;
	}
	/* This thread runs the first vCPU. Unpinned, it may run on all CPUs. */
	if (sched_getaffinity(0, sizeof(before), &before))
		return error_set(err, -errno, "sched_getaffinity: %m");
	set = s->allowed;
	if (env.cpus) {
		CPU_ZERO(&set);
		CPU_SET(cpus[0], &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set))
		return error_set(err, -errno, "cannot pin the first vCPU: %m");
	rc = kvm_boot_scaled(&env, config, host, rq, t->takes_turns, rep, err);
	(void)sched_setaffinity(0, sizeof(before), &before);
	return rc;
}

static int boot_here(struct target *t, const struct boot_request *request,
		     struct boot_report *rep, struct error *err)
{
	const struct state *s = t->state;
	struct boot_request own = *request;
	const struct boot_request *rq = &own;
	const struct host_row *host = host_row_find(rq->bench->id);
	const char *lacks;
	struct vm_config config;
	int cpus[VM_VCPUS_MAX];
	const struct kvm_boot_env env = {
		.kvm_fd = s->kvm_fd,
		.cpu = s->cpu,
		.cpus = s->cpu < 0 ? NULL : cpus,
		.trace_states = s->trace_states,
		.host_counters = s->host_counters,
	};
	struct error why;
	int rc;

	boot_report_init(rep);
	if (rq->bench->needs & NEEDS_HARDWARE && !kvm_flavour_is_hardware(s->flavour)) {
		boot_end(
			rep, BOOT_SKIP, "%s",
			rq->bench->needs & NEEDS_VCPUS_2
				? "needs hardware virtualization: a software KVM may leave an interrupt pending on a running vCPU"
				: "needs hardware virtualization; this is a software KVM");
		return 0;
	}
	rc = config_apply(rq->config, s->kvm_fd, &config, &why);
	if (rc) {
		boot_end(rep, BOOT_SKIP, "%s", why.text);
		return 0;
	}
	if (rq->bench->needs & NEEDS_NESTED && vm_nested_available(s->kvm_fd, &why)) {
		boot_end(rep, BOOT_SKIP, "%s", why.text);
		return 0;
	}
	lacks = suit(s, rq->bench, host, &config, &own.params);
	if (!lacks && s->host_counters && config.pmu_access == VM_PMU_PASSTHROUGH)
		lacks = "--host-counters: this config passes the counters through to the guest";
	if (lacks) {
		boot_end(rep, BOOT_SKIP, "%s", lacks);
		return 0;
	}
	if (boot_scale_n(&rq->scale)) {
		rc = boot_scaled(s, &config, host, rq, t, rep, err);
		goto out;
	}
	if (env.cpus && cpus_choose(t->exact ? NULL : "/sys", &s->allowed, s->cpu,
				    rq->bench->needs & NEEDS_VCPUS_2 ? 2 : config.vcpus,
				    cpus, why.text, sizeof(why.text))) {
		boot_end(rep, BOOT_SKIP, "%s", why.text);
		return 0;
	}
	if (host && host->host_timed)
		rc = boot_host_timed(s, host, rq, &config, env.cpus, t->exact, rep, err);
	else
		rc = kvm_boot_payload(&env, &config, host, rq, rep, err);
out:
	if (!rc && rep->outcome == BOOT_DONE && *config.lacks)
		snprintf(rep->reason, sizeof(rep->reason),
			 "without settings that this KVM does not offer: %s",
			 config.lacks);
	return check_lost(s, rc, err);
}

static int kvm_boot(struct target *t, const struct boot_request *rq,
		    struct boot_report *rep, struct error *err)
{
	struct state *s = t->state;

	/* In a lab, the emulator is the confinement. */
	if (t->exact || confine_is_off())
		return boot_here(t, rq, rep, err);
	return kvm_apart_run(&s->apart, boot_here, s->kvm_fd, t, rq, rep, err);
}

const struct target_ops target_kvm_ops = {
	.kind = "kvm",
	.probe = kvm_probe,
	.open = kvm_target_open,
	.describe = kvm_describe,
	.boot = kvm_boot,
	.close = kvm_target_close,
};
