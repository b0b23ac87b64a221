/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running all vCPUs of a VM: one thread each, until the boot CPU stops. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

struct worker {
	struct vcpu *vcpu;
	pthread_t thread;
	int cpu;   /* -1: not pinned */
	bool stop; /* atomic */
};

/* Signals that the user sends are the boot CPU's to handle. */
static void leave_signals_to_boot_cpu(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	cpu_set_t set;

	leave_signals_to_boot_cpu();
	if (w->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(w->cpu, &set);
		/* Checked for the boot CPU; here it only makes figures worse. */
		(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	}
	while (!__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST))
		if (vcpu_run(w->vcpu, NULL) || w->vcpu->stop != VCPU_STOP_KICK)
			break;
	return NULL;
}

int vm_reset(struct vm *vm, uint64_t entry)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++) {
		err = regs_push(&vm->vcpus[i]);
		if (!err)
			err = arch_vcpu_reset(&vm->vcpus[i], entry);
		regs_forget(&vm->vcpus[i]);
	}
	return err;
}

int vm_run(struct vm *vm, struct run_timer *budget, int cpu)
{
	struct worker workers[VM_VCPUS_MAX];
	unsigned int n, i;
	int err = 0;

	for (n = 1; n < vm->config.vcpus; n++) {
		workers[n] = (struct worker){
			.vcpu = &vm->vcpus[n],
			.cpu = cpu < 0 ? -1 : cpu + (int)n,
		};
		err = -pthread_create(&workers[n].thread, NULL, work, &workers[n]);
		if (err) {
			vm_fail(vm, err, "cannot start a vCPU thread: %s",
				strerror(-err));
			break;
		}
	}
	if (!err && vm->config.bare_loop)
		err = vcpu_run_bare(&vm->vcpus[0], budget);
	else if (!err)
		err = vcpu_run(&vm->vcpus[0], budget);
	for (i = 1; i < n; i++) {
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_SEQ_CST);
		vcpu_kick(&vm->vcpus[i]);
		pthread_join(workers[i].thread, NULL);
	}
	return err;
}
