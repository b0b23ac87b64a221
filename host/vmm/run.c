/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running all vCPUs of a VM: one thread each, until one of them stops. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

/* A run of all vCPUs; the first of them that stops for good ends it. */
struct crew {
	struct vm *vm;
	int first; /* atomic: its index; -1: all run */
};

/* A vCPU's thread, and what it says went wrong there. */
struct worker {
	struct crew *crew;
	struct vcpu *vcpu;
	pthread_t thread;
	bool stop; /* atomic */
	int err;
	char error[VM_ERROR_BYTES];
	char *dump;
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

/* `vcpu` has stopped. The index of the first that did. */
static unsigned int note_stop(struct crew *crew, const struct vcpu *vcpu)
{
	int first = -1;

	if (__atomic_compare_exchange_n(&crew->first, &first, (int)vcpu->index, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return vcpu->index;
	return (unsigned int)first;
}

static void *vcpu_thread(void *ctx)
{
	struct worker *w = ctx;

	leave_signals_to_boot_cpu();
	do
		w->err = vcpu_run(w->vcpu, NULL);
	while (!w->err && w->vcpu->stop == VCPU_STOP_KICK &&
	       !__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST));
	if (w->vcpu->stop != VCPU_STOP_KICK &&
	    note_stop(w->crew, w->vcpu) == w->vcpu->index)
		vcpu_kick(&w->crew->vm->vcpus[0]);
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

static int start(struct worker *w, struct crew *crew, unsigned int index, int cpu)
{
	struct vcpu *vcpu = &crew->vm->vcpus[index];
	char where[32] = "";
	int err;

	*w = (struct worker){ .crew = crew, .vcpu = vcpu };
	vcpu->error = w->error;
	vcpu->dump = &w->dump;
	err = vm_thread(&w->thread, cpu, vcpu_thread, w);
	if (!err)
		return 0;
	vcpu->error = crew->vm->error;
	vcpu->dump = &crew->vm->dump;
	if (cpu >= 0)
		snprintf(where, sizeof(where), " on CPU %d", cpu);
	return vm_fail(crew->vm, err, "vCPU %u: cannot start its thread%s: %s", index,
		       where, strerror(-err));
}

/* Ends the thread; its error and dump become the VM's if it was the first to stop. */
static int finish(struct worker *w, bool first)
{
	struct vcpu *vcpu = w->vcpu;
	struct vm *vm = w->crew->vm;

	__atomic_store_n(&w->stop, true, __ATOMIC_SEQ_CST);
	vcpu_kick(vcpu);
	pthread_join(w->thread, NULL);
	vcpu->error = vm->error;
	vcpu->dump = &vm->dump;
	if (!first) {
		free(w->dump);
		return 0;
	}
	vm_fail(vm, 0, "vCPU %u: %.*s", vcpu->index, VM_ERROR_BYTES - 16, w->error);
	free(vm->dump);
	vm->dump = w->dump;
	return w->err;
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

int vm_run(struct vm *vm, struct run_timer *budget, const int *cpus)
{
	struct worker workers[VM_VCPUS_MAX];
	struct crew crew = { .vm = vm, .first = -1 };
	struct vcpu *boot = &vm->vcpus[0];
	unsigned int started = 1, i;
	int err = 0, failed;
	bool ran;

	vm->stop = VCPU_STOP_NONE;
	vm->stopped_by = 0;
	while (!err && started < vm->config.vcpus) {
		err = start(&workers[started], &crew, started, cpus ? cpus[started] : -1);
		started += !err;
	}
	ran = !err;
	if (ran) {
		err = vm->config.bare_loop ? vcpu_run_bare(boot, budget)
					   : vcpu_run(boot, budget);
		/* What happens to the boot CPU after another has stopped is ignored. */
		vm->stopped_by = note_stop(&crew, boot);
		if (vm->stopped_by)
			err = 0;
	}
	for (i = 1; i < started; i++) {
		failed = finish(&workers[i], vm->stopped_by == i);
		err = err ? err : failed;
	}
	if (ran)
		vm->stop = vm->vcpus[vm->stopped_by].stop;
	/* The kick by which the first to stop told the boot CPU. */
	if (vm->stopped_by)
		__atomic_store_n(&boot->kicked, false, __ATOMIC_SEQ_CST);
	return err;
}
