/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers: from one thread's kick to the return of another thread's KVM_RUN. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/arch.h"
#include "host/vmm/clock.h"

#define KICK_EVENTS 2000

/* Between kicks, so that the vCPU is in the guest again when the next one comes. */
#define PAUSE_NS 20000

struct kicker {
	struct vcpu *vcpu;
	uint32_t n;
	uint64_t kicked; /* atomic: when the last kick was sent; 0: answered */
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
	uint32_t i;

	for (i = 0; i < k->n; i++) {
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

static int take_kicks(struct drive *d, struct vm *vm, uint64_t *series, uint32_t n)
{
	struct kicker k = { .vcpu = &vm->vcpus[0], .n = n };
	pthread_t thread;
	uint32_t i;
	int err;

	err = vm_thread(&thread, d->cpus ? d->cpus[1] : -1, kick_all, &k);
	if (err)
		return error_set(d->err, err, "cannot start a thread that kicks: %s",
				 strerror(-err));
	for (i = 0; i < n && !err; i++) {
		uint64_t now;

		err = drive_run(d, vm, NULL, VCPU_STOP_KICK);
		now = clock_now();
		series[i] = now - __atomic_exchange_n(&k.kicked, 0, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&k.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	return err;
}

static int drive_kick(struct drive *d, enum vm_kick how)
{
	struct vm_config config = *d->config;
	struct drive own = *d;
	struct vm vm;
	uint64_t *series;
	uint32_t n;
	int err;

	series = drive_series(d, KICK_EVENTS, &n);
	if (!series)
		return -ENOMEM;
	config.kick = how;
	own.config = &config;
	err = drive_boot(&own, &vm, ABI_COMMAND_WAIT);
	if (!err)
		err = take_kicks(d, &vm, series, n);
	drive_close(&vm);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}

int drive_kick_signal(struct drive *d)
{
	return drive_kick(d, VM_KICK_SIGNAL_MASK);
}

int drive_kick_immediate_exit(struct drive *d)
{
	return drive_kick(d, VM_KICK_IMMEDIATE_EXIT);
}
