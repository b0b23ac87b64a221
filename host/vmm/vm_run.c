/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running all vCPUs of a VM, one thread each, until the first of them stops; and vCPUs of
 * one or several VMs that have work of their own, until all have done it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/vmm/timer.h"
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

/* One vm_run_crew(). */
struct crew_run {
	struct vm_crew *crew;
	int first; /* the first that stopped before its end, -1: none; atomic */
	unsigned int finished; /* atomic */
};

struct crew_member {
	struct crew_run *run;
	unsigned int index;
	pthread_t thread;
	struct error error;
	char *dump;
};

/* How often the first vCPU's thread looks whether the others have finished. */
#define LOOK_NS 200000

static bool crew_has_ended(struct crew_run *run)
{
	return __atomic_load_n(&run->first, __ATOMIC_SEQ_CST) >= 0;
}

/* The first to call this has the reason; the others are stopped. */
static void end_crew(struct crew_run *run, unsigned int index, enum vcpu_stop why)
{
	struct vm_crew *crew = run->crew;
	int none = -1;

	if (!__atomic_compare_exchange_n(&run->first, &none, (int)index, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	crew->stopped_by = index;
	crew->stop = why;
	crew->broken(crew->ctx);
	for (unsigned int i = 0; i < crew->n; i++)
		if (i != index)
			vcpu_kick(crew->vcpus[i]);
}

/* The first vCPU, whose thread handles signals, also stops at a kick. */
static void run_member(struct crew_run *run, unsigned int index)
{
	struct vcpu *vcpu = run->crew->vcpus[index];
	int err;

	do
		err = vcpu_run(vcpu, NULL);
	while (index && !err && vcpu->stop == VCPU_STOP_KICK && !crew_has_ended(run));
	if (crew_has_ended(run))
		return;
	if (!err && vcpu->stop == VCPU_STOP_DOORBELL &&
	    run->crew->finished(run->crew->ctx, index))
		__atomic_add_fetch(&run->finished, 1, __ATOMIC_SEQ_CST);
	else
		end_crew(run, index, vcpu->stop);
}

static void *member_thread(void *ctx)
{
	struct crew_member *m = ctx;

	block_user_signals();
	run_member(m->run, m->index);
	return NULL;
}

static int start_member(struct crew_member *m, struct crew_run *run, unsigned int index)
{
	struct vm_crew *crew = run->crew;
	struct vcpu *vcpu = crew->vcpus[index];
	int cpu = crew->cpus ? crew->cpus[index] : -1, err;

	*m = (struct crew_member){ .run = run, .index = index };
	vcpu->error = &m->error;
	vcpu->dump = &m->dump;
	err = vm_thread(&m->thread, cpu, member_thread, m);
	if (!err)
		return 0;
	vcpu->error = &vcpu->vm->error;
	vcpu->dump = &vcpu->vm->dump;
	return error_set(&crew->error, err, "cannot start the thread of vCPU %u: %s",
			 index, strerror(-err));
}

/* The watchdog is the calling thread's: it ends the others' work, too. */
static void wait_for_others(struct crew_run *run)
{
	const struct timespec moment = { .tv_nsec = LOOK_NS };

	while (!crew_has_ended(run) &&
	       __atomic_load_n(&run->finished, __ATOMIC_SEQ_CST) < run->crew->n) {
		if (watchdog_expired())
			end_crew(run, 0, VCPU_STOP_TIMEOUT);
		else if (interrupted)
			end_crew(run, 0, VCPU_STOP_KICK);
		else
			nanosleep(&moment, NULL);
	}
}

static void join_member(struct crew_member *m, bool first)
{
	struct vm_crew *crew = m->run->crew;
	struct vcpu *vcpu = crew->vcpus[m->index];

	pthread_join(m->thread, NULL);
	vcpu->error = &vcpu->vm->error;
	vcpu->dump = &vcpu->vm->dump;
	__atomic_store_n(&vcpu->kicked, false, __ATOMIC_SEQ_CST);
	if (!first) {
		free(m->dump);
		return;
	}
	crew->error = m->error;
	crew->dump = m->dump;
}

/*
 * A crew of one has a second thread too, which sleeps. A process of one thread does not
 * share its table of files, and a system call then counts no reference of the file: the
 * path of KVM_RUN would be shorter than in larger crews.
 */
struct companion {
	pthread_t thread;
	sem_t end;
};

static void *companion_thread(void *ctx)
{
	struct companion *c = ctx;

	block_user_signals();
	while (sem_wait(&c->end) && errno == EINTR)
		;
	return NULL;
}

static int start_companion(struct companion *c, struct vm_crew *crew)
{
	int err;

	sem_init(&c->end, 0, 0);
	err = vm_thread(&c->thread, -1, companion_thread, c);
	return err ? error_set(&crew->error, err, "cannot start a second thread: %s",
			       strerror(-err))
		   : 0;
}

static void end_companion(struct companion *c)
{
	sem_post(&c->end);
	pthread_join(c->thread, NULL);
	sem_destroy(&c->end);
}

int vm_run_crew(struct vm_crew *crew)
{
	struct crew_member members[VM_VCPUS_MAX];
	struct crew_run run = { .crew = crew, .first = -1 };
	struct companion companion;
	unsigned int started = 1;
	int err = 0;

	crew->stop = VCPU_STOP_NONE;
	crew->stopped_by = 0;
	crew->dump = NULL;
	*crew->error.text = '\0';
	if (crew->n == 1) {
		err = start_companion(&companion, crew);
		if (err)
			return err;
	}
	while (!err && started < crew->n) {
		err = start_member(&members[started], &run, started);
		started += !err;
	}
	if (err) {
		end_crew(&run, 0, VCPU_STOP_NONE);
	} else {
		run_member(&run, 0);
		wait_for_others(&run);
	}
	for (unsigned int i = 1; i < started; i++)
		join_member(&members[i], run.first == (int)i);
	if (crew->n == 1)
		end_companion(&companion);
	if (!err && run.first == 0) {
		crew->error = crew->vcpus[0]->vm->error;
		crew->dump = crew->vcpus[0]->vm->dump;
		crew->vcpus[0]->vm->dump = NULL;
	}
	return err;
}
