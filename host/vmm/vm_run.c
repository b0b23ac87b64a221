/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running all vCPUs of a VM, one thread each, until the first of them stops. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/vmm.h"

/* One vm_run(). */
struct run {
	struct vm *vm;
	int first; /* the index of the first vCPU that stopped, -1: none; atomic */
};

/* The thread of a vCPU other than the boot CPU. */
struct worker {
	struct run *run;
	struct vcpu *vcpu;
	pthread_t thread;
	bool stop; /* atomic */
	int err;
	struct error error;
	char *dump;
};

/* The boot CPU's thread handles signals from the user. */
static void block_user_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* `vcpu` has stopped. Returns the index of the first vCPU that did. */
static unsigned int note_stop(struct run *run, const struct vcpu *vcpu)
{
	int first = -1;

	if (__atomic_compare_exchange_n(&run->first, &first, (int)vcpu->index, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return vcpu->index;
	return (unsigned int)first;
}

static void *vcpu_thread(void *ctx)
{
	struct worker *w = ctx;

	block_user_signals();
	do
		w->err = vcpu_run(w->vcpu, NULL);
	while (!w->err && w->vcpu->stop == VCPU_STOP_KICK &&
	       !__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST));
	if (w->vcpu->stop != VCPU_STOP_KICK &&
	    note_stop(w->run, w->vcpu) == w->vcpu->index)
		vcpu_kick(&w->run->vm->vcpus[0]);
	return NULL;
}

int vm_thread(pthread_t *thread, int cpu, void *(*work)(void *ctx), void *ctx)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	if (cpu >= 0) {
		CPU_ZERO(&set);
		if (cpu < CPU_SETSIZE)
			CPU_SET(cpu, &set);
		err = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	if (!err)
		err = pthread_create(thread, &attr, work, ctx);
	pthread_attr_destroy(&attr);
	return -err;
}

static int start(struct worker *w, struct run *run, unsigned int index, int cpu)
{
	struct vcpu *vcpu = &run->vm->vcpus[index];
	char where[32] = "";
	int err;

	*w = (struct worker){ .run = run, .vcpu = vcpu };
	vcpu->error = &w->error;
	vcpu->dump = &w->dump;
	err = vm_thread(&w->thread, cpu, vcpu_thread, w);
	if (!err)
		return 0;
	vcpu->error = &run->vm->error;
	vcpu->dump = &run->vm->dump;
	if (cpu >= 0)
		snprintf(where, sizeof(where), " on CPU %d", cpu);
	return error_set(&run->vm->error, err, "vCPU %u: cannot start its thread%s: %s",
			 index, where, strerror(-err));
}

/* Ends the thread; its error and dump become the VM's if it was the first to stop. */
static int finish(struct worker *w, bool first)
{
	struct vcpu *vcpu = w->vcpu;
	struct vm *vm = w->run->vm;

	__atomic_store_n(&w->stop, true, __ATOMIC_SEQ_CST);
	vcpu_kick(vcpu);
	pthread_join(w->thread, NULL);
	vcpu->error = &vm->error;
	vcpu->dump = &vm->dump;
	if (!first) {
		free(w->dump);
		return 0;
	}
	error_set(&vm->error, 0, "vCPU %u: %s", vcpu->index, w->error.text);
	free(vm->dump);
	vm->dump = w->dump;
	return w->err;
}

int vm_run(struct vm *vm, struct run_timer *budget, const int *cpus)
{
	struct worker workers[VM_VCPUS_MAX];
	struct run run = { .vm = vm, .first = -1 };
	struct vcpu *boot = &vm->vcpus[0];
	unsigned int started = 1, i;
	int err = 0, failed;
	bool ran;

	vm->stop = VCPU_STOP_NONE;
	vm->stopped_by = 0;
	while (!err && started < vm->config.vcpus) {
		err = start(&workers[started], &run, started, cpus ? cpus[started] : -1);
		started += !err;
	}
	ran = !err;
	if (ran) {
		err = vm->config.bare_loop ? vcpu_run_bare(boot, budget)
					   : vcpu_run(boot, budget);
		/* The boot CPU's own stop counts only if it was the first. */
		vm->stopped_by = note_stop(&run, boot);
		if (vm->stopped_by)
			err = 0;
	}
	for (i = 1; i < started; i++) {
		failed = finish(&workers[i], vm->stopped_by == i);
		err = err ? err : failed;
	}
	if (ran)
		vm->stop = vm->vcpus[vm->stopped_by].stop;
	/* The kick that another vCPU's thread sent to the boot CPU. */
	if (vm->stopped_by)
		__atomic_store_n(&boot->kicked, false, __ATOMIC_SEQ_CST);
	return err;
}
