/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: kicks at random moments, of which none may be lost. */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/timer.h"

#define KICKS	      100000u
#define KICKS_ONE_CPU 50u /* where kicker and vCPU take turns, each turn is long */
#define SPINS_MAX     4000u
#define PATIENCE_S    10

struct stress {
	struct vcpu *vcpu;
	uint32_t n;
	uint32_t asked, served; /* atomic */
	bool lost;		/* atomic: the kicker gave up */
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

	for (i = 1; i <= s->n; i++) {
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
	while (s->served < s->n && !__atomic_load_n(&s->lost, __ATOMIC_SEQ_CST)) {
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
	int err;

	config.kick = how;
	err = selftest_open(t, &vm, &config, &listener, &params);
	s.vcpu = &vm.vcpus[0];
	s.n = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? KICKS : KICKS_ONE_CPU;
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
