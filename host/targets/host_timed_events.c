/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host-timed benchmarks of events that interrupt a guest: injected interrupts, kicks of
 * another thread, and run timers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/arch.h"
#include "host/vmm/timer.h"
#include "host/vmm/io.h"

/*
 * ---- injection: from the host to the guest's handler ----
 *
 * At each doorbell the vCPU's own thread raises the line and re-enters the guest. The
 * handler stores the time of the shared clock. An injection from another CPU would add
 * the kick, which kick_* measure.
 */

struct injection {
	struct host_timed *timed;
	struct vm vm;
	bool by_eventfd; /* else by KVM_IRQ_LINE */
	int eventfd;
	uint32_t line;
	uint32_t n, rung;
	uint64_t *sent;
	int err;
};

static int raise_line(struct injection *j)
{
	const uint64_t one = 1;

	if (!j->by_eventfd)
		return irq_set_line(&j->vm, j->line, true);
	return write(j->eventfd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static void on_inject_doorbell(void *ctx, uint32_t value)
{
	struct injection *j = ctx;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || j->rung >= j->n || j->err)
		return;
	/* Ends the edge of the previous interrupt, outside of the timed part. */
	if (!j->by_eventfd)
		j->err = irq_set_line(&j->vm, j->line, false);
	j->sent[j->rung++] = clock_now();
	if (!j->err)
		j->err = raise_line(j);
}

static int collect(struct injection *j, enum abi_phase stamps, uint64_t offset,
		   uint64_t *series)
{
	uint32_t i;

	for (i = 0; i < j->rung; i++) {
		uint64_t stamp = host_timed_stamp(&j->vm, stamps, i) - offset;

		if ((int64_t)(stamp - j->sent[i]) < 0)
			return -ERANGE;
		series[i] = stamp - j->sent[i];
	}
	return 0;
}

static int run_injections(struct injection *j, enum abi_phase stamps, uint64_t *series)
{
	const struct vm_listener listener = { .ctx = j, .doorbell = on_inject_doorbell };
	struct host_timed *h = j->timed;
	uint64_t offset;
	int err;

	err = host_timed_open(h, &j->vm, ABI_COMMAND_INTERRUPT, &listener);
	if (err)
		return err;
	if (clock_guest_offset(&j->vm.vcpus[0], &offset))
		return host_timed_skip(
			h,
			"this KVM does not report the offset of the guest's clock (KVM_VCPU_TSC_OFFSET, Linux 5.16)");
	if (j->by_eventfd) {
		j->eventfd = irq_fd(&j->vm, j->line);
		if (j->eventfd < 0)
			return error_set(h->err, j->eventfd, "%s", j->vm.error.text);
	}
	err = host_timed_run(h, &j->vm, NULL, VCPU_STOP_DOORBELL);
	if (err == -ECANCELED && h->rep->outcome == BOOT_SKIP)
		return host_timed_skip(
			h, "the machine has no in-kernel interrupt controller");
	if (err)
		return err == -ECANCELED ? 0 : err;
	if (j->err)
		return error_set(h->err, j->err, "%s", j->vm.error.text);
	if (!j->rung || j->rung != host_timed_stamped(h, &j->vm))
		return host_timed_crash(h, "%u doorbells of %u arrived", j->rung, j->n);
	if (collect(j, stamps, offset, series))
		return host_timed_skip(h,
				       "guest and host do not read the same clock here");
	host_timed_shorten(h, ABI_PHASE_EVENT, j->rung);
	return host_timed_done(h);
}

static int inject(struct host_timed *h, bool by_eventfd, enum abi_phase stamps)
{
	struct injection j = {
		.timed = h,
		.by_eventfd = by_eventfd,
		.line = vmm_arch == ARCH_X86_64 ? ABI_X86_64_IRQ_LINE
						: ABI_AARCH64_IRQ_LINE,
	};
	uint64_t *series = host_timed_series(h, ABI_SERIES_MAX, &j.n);
	int err;

	if (!series)
		return -ENOMEM;
	j.sent = host_timed_array(h, j.n);
	if (!j.sent)
		return -ENOMEM;
	err = run_injections(&j, stamps, series);
	host_timed_close(h, &j.vm);
	free(j.sent);
	return err;
}

int host_timed_irq_inject(struct host_timed *h)
{
	return inject(h, false, ABI_PHASE_EVENT);
}

int host_timed_irq_inject_eoi(struct host_timed *h)
{
	return inject(h, false, ABI_PHASE_TWIN);
}

/*
 * All events: KVM injects from a work item, whose path changes with the state of the
 * workqueue, and a block that repeats can be one of the rarer kind.
 */
int host_timed_irqfd_inject(struct host_timed *h)
{
	struct boot_request rq = *h->rq;
	struct host_timed own = *h;

	rq.params.repeat = 0;
	own.rq = &rq;
	return inject(&own, true, ABI_PHASE_EVENT);
}

/* ---- kicks: from one thread's kick to the return of another thread's KVM_RUN ---- */

#define KICK_EVENTS 2000

/* Between kicks: the vCPU enters the guest before the next kick. */
#define PAUSE_NS 20000

struct kicker {
	struct vcpu *vcpu;
	uint64_t kicked; /* atomic: time of the last kick; 0: KVM_RUN has returned */
	bool stop;	 /* atomic */
};

static void pause_ns(long ns)
{
	const struct timespec t = { .tv_nsec = ns };

	nanosleep(&t, NULL);
}

static void *kick_all(void *ctx)
{
	struct kicker *k = ctx;

	while (!__atomic_load_n(&k->stop, __ATOMIC_SEQ_CST)) {
		pause_ns(PAUSE_NS);
		__atomic_store_n(&k->kicked, clock_now(), __ATOMIC_SEQ_CST);
		vcpu_kick(k->vcpu);
		while (__atomic_load_n(&k->kicked, __ATOMIC_SEQ_CST)) {
			if (__atomic_load_n(&k->stop, __ATOMIC_SEQ_CST))
				return NULL;
			arch_relax();
		}
	}
	return NULL;
}

/* A kick that comes before KVM_RUN does not count. */
static int take_kicks(struct host_timed *h, struct vm *vm, uint64_t *series, uint32_t n)
{
	struct kicker k = { .vcpu = &vm->vcpus[0] };
	pthread_t thread;
	uint32_t i = 0;
	int err;

	err = vm_thread(&thread, h->cpus ? h->cpus[1] : -1, kick_all, &k);
	if (err)
		return error_set(h->err, err, "cannot start the kicking thread: %s",
				 strerror(-err));
	while (i < n && !err) {
		uint64_t kicked;

		err = host_timed_run(h, vm, NULL, VCPU_STOP_KICK);
		kicked = __atomic_exchange_n(&k.kicked, 0, __ATOMIC_SEQ_CST);
		if (vm->vcpus[0].left)
			series[i++] = vm->vcpus[0].left - kicked;
	}
	__atomic_store_n(&k.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	return err;
}

static int kick(struct host_timed *h, enum vm_kick how)
{
	struct vm_config config = *h->config;
	struct host_timed own = *h;
	struct vm vm;
	uint64_t *series;
	uint32_t n;
	int err;

	series = host_timed_series(h, KICK_EVENTS, &n);
	if (!series)
		return -ENOMEM;
	config.kick = how;
	own.config = &config;
	err = host_timed_boot(&own, &vm, ABI_COMMAND_WAIT);
	if (!err)
		err = take_kicks(h, &vm, series, n);
	vm_destroy(&vm);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

int host_timed_kick_signal(struct host_timed *h)
{
	return kick(h, VM_KICK_SIGNAL_MASK);
}

int host_timed_kick_immediate_exit(struct host_timed *h)
{
	return kick(h, VM_KICK_IMMEDIATE_EXIT);
}

/* ---- run timers: how late a budgeted run ends ---- */

/* Long enough that the guest runs when the budget ends. */
#define BUDGET_NS     200000u
#define BUDGET_CYCLES 200000u
#define BUDGET_INSNS  100000u

/* A run ends up to a timer tick of the host after its budget in an emulator. */
#define TIMER_EVENTS 20

static uint64_t ticks_of_ns(uint64_t ns, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)ns * hz / 1000000000u);
}

/*
 * The overshoot of one run, in the unit that the timer counts. False: the budget had
 * passed before KVM_RUN.
 */
static bool run_over_budget(struct host_timed *h, struct vm *vm, struct run_timer *timer,
			    uint64_t hz, uint64_t *late, int *err)
{
	const struct vcpu *vcpu = &vm->vcpus[0];

	*err = host_timed_run(h, vm, timer, VCPU_STOP_BUDGET);
	if (timer->kind == TIMER_POSIX)
		*late = vcpu->left - vcpu->began - ticks_of_ns(timer->budget, hz);
	else
		*late = timer_count(timer) - timer->budget;
	return vcpu->left;
}

static int overshoot(struct host_timed *h, enum timer_kind kind, uint64_t budget)
{
	struct run_timer timer;
	uint64_t *series, hz = clock_hz();
	struct vm vm;
	struct error why;
	uint32_t n, i;
	int err;

	if (timer_open(&timer, kind, budget, &why))
		return host_timed_skip(h, "%s", why.text);
	if (kind == TIMER_POSIX && !hz) {
		timer_close(&timer);
		return host_timed_skip(h, "the rate of the host's clock is unknown");
	}
	series = host_timed_series(h, TIMER_EVENTS, &n);
	if (!series) {
		timer_close(&timer);
		return -ENOMEM;
	}
	if (kind != TIMER_POSIX) {
		/* A count, not a time: the cost of reading the clock does not apply. */
		memset(h->rep->series[ABI_PHASE_NULL], 0, n * sizeof(uint64_t));
		h->rep->unit = kind == TIMER_CYCLES ? "cycles" : "insns";
	}
	err = host_timed_boot(h, &vm, ABI_COMMAND_SPIN);
	/* The first run is the warm-up. */
	for (i = 0; !err && i <= n;) {
		uint64_t late;

		if (run_over_budget(h, &vm, &timer, hz, &late, &err) && i++)
			series[i - 2] = late;
	}
	/* Protected KVM (Linux 6.12 to 7.3): a counter that excludes the host counts
	 * nothing. */
	if (err == -ECANCELED && kind == TIMER_INSNS && !timer_count(&timer) &&
	    vm.vcpus[0].stop == VCPU_STOP_TIMEOUT)
		(void)host_timed_skip(
			h, "perf does not count what a guest of this KVM executes");
	vm_destroy(&vm);
	timer_close(&timer);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

int host_timed_overshoot_posix(struct host_timed *h)
{
	return overshoot(h, TIMER_POSIX, BUDGET_NS);
}

int host_timed_overshoot_perf(struct host_timed *h)
{
	return overshoot(h, TIMER_CYCLES, BUDGET_CYCLES);
}

int host_timed_insn_stop(struct host_timed *h)
{
	return overshoot(h, TIMER_INSNS, BUDGET_INSNS);
}
