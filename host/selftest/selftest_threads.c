/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: kicks, several vCPUs, and the counters of a vCPU thread. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/targets/target.h"
#include "host/vmm/arch.h"
#include "host/vmm/counters.h"
#include "host/vmm/timer.h"

/* ---- kicks at random moments, of which none may be lost ---- */

#define KICKS	      100000u
#define KICKS_ONE_CPU 50u /* where kicker and vCPU take turns, each turn is long */
/* And no longer: on a busy machine, each kick can wait for a turn of the other thread. */
#define KICKS_S	      20
#define SPINS_MAX     4000u
#define PATIENCE_S    10

struct stress {
	struct vcpu *vcpu;
	uint32_t n, asked, served; /* atomic */
	bool lost;		   /* atomic: the kicker gave up */
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

/* Waits for kick `i` to be served; false after PATIENCE_S. */
static bool await(struct stress *s, uint32_t i)
{
	uint64_t start = now_s();

	while (__atomic_load_n(&s->served, __ATOMIC_SEQ_CST) < i) {
		if (now_s() - start > PATIENCE_S)
			return false;
		sched_yield();
	}
	return true;
}

static void *kick_at_random(void *ctx)
{
	struct stress *s = ctx;
	uint32_t seed = 1, i, spins;
	uint64_t start = now_s();

	for (i = 1; i <= s->n; i++) {
		/* The last one. */
		if (i >= KICKS_ONE_CPU && now_s() - start >= KICKS_S)
			__atomic_store_n(&s->n, i, __ATOMIC_SEQ_CST);
		/* Numerical Recipes' generator: any will do, the same each time. */
		seed = seed * 1664525u + 1013904223u;
		for (spins = (seed >> 16) % SPINS_MAX; spins; spins--)
			__asm__ volatile("" ::: "memory");
		__atomic_store_n(&s->asked, i, __ATOMIC_SEQ_CST);
		vcpu_kick(s->vcpu);
		if (!await(s, i)) {
			__atomic_store_n(&s->lost, true, __ATOMIC_SEQ_CST);
			/* Lets the vCPU's thread end, if this one still can. */
			vcpu_kick(s->vcpu);
			break;
		}
	}
	return NULL;
}

/* A kick that was sent while the last one was being taken is served by the next run. */
static void take_kicks(struct stress *s, struct run_timer *patience)
{
	while (s->served < __atomic_load_n(&s->n, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&s->lost, __ATOMIC_SEQ_CST)) {
		if (vcpu_run(s->vcpu, patience) || s->vcpu->stop != VCPU_STOP_KICK)
			return;
		__atomic_store_n(&s->served, __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST),
				 __ATOMIC_SEQ_CST);
	}
}

static enum selftest_verdict stress(struct selftest *t, enum vm_kick how)
{
	const struct abi_params params = { .command = SELFTEST_SPIN };
	const struct vm_listener listener = { 0 };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct stress s = { 0 };
	struct run_timer patience;
	pthread_t kicker;
	struct vm vm;
	uint32_t kicks;
	int err;

	config.kick = how;
	err = selftest_open(t, &vm, &config, &listener, &params);
	s.vcpu = &vm.vcpus[0];
	s.n = kicks = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? KICKS : KICKS_ONE_CPU;
	if (!err)
		err = timer_open(&patience, TIMER_POSIX, 2 * PATIENCE_S * 1000000000ull,
				 &vm.error);
	if (!err)
		err = -pthread_create(&kicker, NULL, kick_at_random, &s);
	if (err) {
		verdict = selftest_error(t, &vm, err);
		goto out;
	}
	take_kicks(&s, &patience);
	timer_close(&patience);
	if (s.served < s.n)
		__atomic_store_n(&s.served, s.n, __ATOMIC_SEQ_CST); /* ends the kicker */
	pthread_join(kicker, NULL);
	if (s.n < kicks)
		snprintf(t->note, sizeof(t->note), "busy machine: %u of %u kicks in %d s",
			 s.n, kicks, KICKS_S);
	if (s.lost)
		verdict = selftest_fail(t, "kick %u of %u was lost", s.asked, s.n);
	else if (s.vcpu->stop != VCPU_STOP_KICK)
		verdict = selftest_fail(t, "the vCPU stopped for another reason: %s",
					vm.error.text);
	else
		verdict = SELFTEST_PASS;
out:
	vm_destroy(&vm);
	return verdict;
}

enum selftest_verdict selftest_kick_mask(struct selftest *t)
{
	return stress(t, VM_KICK_SIGNAL_MASK);
}

enum selftest_verdict selftest_kick_immediate(struct selftest *t)
{
	return stress(t, VM_KICK_IMMEDIATE_EXIT);
}

/* ---- several vCPUs: one vCPU, or all of them, end the run ---- */

#define VCPUS 2u

/* On one CPU the vCPUs take turns, and each answer takes a turn of each. */
enum selftest_verdict selftest_vcpus_2(struct selftest *t)
{
	const struct abi_params params = {
		.command = SELFTEST_VCPUS,
		.events = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 50 : 5,
		.batches = VCPUS,
	};
	struct vm_config config = selftest_config();

	config.vcpus = VCPUS;
	return selftest_simple(t, &config, NULL, &params);
}

/* What vm_run() has to say when vCPU 1 breaks so. */
static const struct {
	enum vcpu_stop stop;
	const char *error_x86_64, *error_aarch64; /* NULL: the payload has reported it */
} ends[SELFTEST_BREAKS] = {
	[SELFTEST_BREAK_EXCEPTION] = { VCPU_STOP_DOORBELL, NULL, NULL },
	[SELFTEST_BREAK_EXIT] = { VCPU_STOP_ERROR,
				  "vCPU 1: KVM_EXIT_HLT: the guest halted",
				  "vCPU 1: KVM_RUN: Function not implemented; pc 0x" },
	[SELFTEST_BREAK_OFF] = { VCPU_STOP_SHUTDOWN,
				 "vCPU 1: the guest shut down: triple fault; rip 0x",
				 "vCPU 1: the guest shut down: power off; pc 0x" },
};

static enum selftest_verdict judge(struct selftest *t, const struct vm *vm,
				   enum selftest_break how)
{
	const char *error = vmm_arch == ARCH_X86_64 ? ends[how].error_x86_64
						    : ends[how].error_aarch64;
	struct abi_report guest;
	struct boot_report rep;

	if (vm->stop != ends[how].stop || vm->stopped_by != 1)
		return selftest_fail(t, "break %d: vCPU %u stopped for reason %d: %s",
				     (int)how, vm->stopped_by, (int)vm->stop,
				     vm->error.text);
	if (error && strncmp(vm->error.text, error, strlen(error)))
		return selftest_fail(t, "break %d: the error is '%s'", (int)how,
				     vm->error.text);
	if (how == SELFTEST_BREAK_EXIT && (!vm->dump || strncmp(vm->dump, "vCPU 1, ", 8)))
		return selftest_fail(t, "the dump is not vCPU 1's");
	if (error)
		return SELFTEST_PASS;
	if (boot_is_done(vm->ram, &guest, &rep) || guest.state != ABI_STATE_FAULT)
		return selftest_fail(t, "the exception is not in the guest's report");
	return SELFTEST_PASS;
}

/* Breaks the vCPUs whose bits are set in `which`, and has vm_run() say so. */
static enum selftest_verdict break_some(struct selftest *t, enum selftest_break how,
					uint32_t which)
{
	const struct abi_params params = { .command = SELFTEST_BREAK,
					   .events = how,
					   .operand = which,
					   .batches = VCPUS };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct run_timer budget;
	struct vm vm;
	int err;

	config.vcpus = VCPUS;
	config.irqchip = VM_IRQCHIP_USER;
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = selftest_budget(&vm, &budget);
	if (err) {
		verdict = selftest_error(t, &vm, err);
	} else {
		(void)vm_run(&vm, &budget, NULL);
		timer_close(&budget);
		if (which == 2)
			verdict = judge(t, &vm, how);
		else if (vm.stop == ends[how].stop)
			verdict = SELFTEST_PASS;
		else
			verdict = selftest_fail(t, "break %d of all: reason %d: %s",
						(int)how, (int)vm.stop, vm.error.text);
	}
	vm_destroy(&vm);
	return verdict;
}

/* A failure of vCPU 1 fails the run, with its number, cause and pc. */
enum selftest_verdict selftest_vcpus_2_break(struct selftest *t)
{
	enum selftest_verdict verdict = SELFTEST_PASS;
	unsigned int how;

	for (how = 0; verdict == SELFTEST_PASS && how < SELFTEST_BREAKS; how++)
		verdict = break_some(t, (enum selftest_break)how, 2);
	/* Both at the same time: one of them is reported, once. */
	if (verdict == SELFTEST_PASS)
		verdict = break_some(t, SELFTEST_BREAK_EXIT, 3);
	return verdict;
}

/* ---- host counters of a vCPU thread ---- */

#define WRITES 2000u

static enum selftest_verdict judge_counters(struct selftest *t,
					    const struct perf_values *a,
					    const struct perf_values *b)
{
	int event;

	if (!b->counted[PERF_TASK_CLOCK_NS] ||
	    b->value[PERF_TASK_CLOCK_NS] <= a->value[PERF_TASK_CLOCK_NS])
		return selftest_fail(t, "the task clock did not move");
	for (event = 0; event < PERF_TASK_CLOCK_NS; event++)
		if (b->counted[event] && b->value[event] <= a->value[event])
			return selftest_fail(t, "%s did not move", perf_name(event));
	/* Each write is some instructions of the guest, and far more of the host. */
	if (b->counted[PERF_GUEST_INSNS] &&
	    (b->value[PERF_GUEST_INSNS] - a->value[PERF_GUEST_INSNS] < 2 * WRITES ||
	     b->value[PERF_HOST_INSNS] - a->value[PERF_HOST_INSNS] < 100 * WRITES))
		return selftest_fail(t, "the counts of guest and host are not separated");
	return SELFTEST_PASS;
}

enum selftest_verdict selftest_perf(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_WRITES, .events = WRITES };
	const struct vm_config config = selftest_config();
	struct perf_values before, after;
	struct perf_counters counters;
	enum selftest_verdict verdict;

	if (perf_open(&counters)) {
		perf_close(&counters);
		return selftest_skip(t, "%s", counters.why);
	}
	if (perf_read(&counters, &before)) {
		verdict = selftest_fail(t, "the counters cannot be read");
	} else {
		verdict = selftest_simple(t, &config, NULL, &params);
		if (verdict == SELFTEST_PASS && perf_read(&counters, &after))
			verdict = selftest_fail(t, "the counters cannot be read");
		if (verdict == SELFTEST_PASS)
			verdict = judge_counters(t, &before, &after);
	}
	if (verdict == SELFTEST_PASS && counters.fd[PERF_GUEST_CYCLES] < 0)
		verdict = selftest_skip(t, "software events work; %s", counters.why);
	perf_close(&counters);
	return verdict;
}
