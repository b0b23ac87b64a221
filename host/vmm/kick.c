/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kicks: another thread, a timer or a signal handler makes KVM_RUN return.
 *
 * `kicked` is the request; the signal only makes the vCPU thread check it. The signal can
 * arrive
 *   in KVM_RUN              KVM_RUN returns EINTR, then kick_consume() finds the flag;
 *   just before KVM_RUN     the handler has set immediate_exit (or, with the mask, the
 *                           signal is pending): KVM_RUN returns at once;
 *   before kick_begin()     the check before the first entry finds the flag;
 *   after kick_consume()      the flag is clear: KVM_RUN returns once without a request.
 * So no kick is lost, and a late signal costs one entry.
 */
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/vmm/exits.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/timer.h"

/* The vCPU that this thread runs; signal handlers have no other way to find it. */
static __thread struct vcpu *volatile self;

void kick_leave_self(void)
{
	if (self)
		self->run->immediate_exit = 1;
}

void vcpu_kick_self(void)
{
	if (!self)
		return;
	__atomic_store_n(&self->kicked, true, __ATOMIC_SEQ_CST);
	self->run->immediate_exit = 1;
}

static void on_kick(int sig)
{
	(void)sig;
	kick_leave_self();
}

static void block_kicks(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_KICK);
	pthread_sigmask(how, &set, NULL);
}

/* The signal mask of KVM_RUN: the thread's, with the kick unblocked. */
static int set_mask(struct vcpu *vcpu)
{
	union {
		struct kvm_signal_mask head;
		/* The kernel's sigset_t, which is smaller than the C library's. */
		uint8_t room[sizeof(struct kvm_signal_mask) + sizeof(uint64_t)];
	} mask = { .head.len = sizeof(uint64_t) };
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	sigdelset(&now, SIGNAL_KICK);
	memcpy(mask.head.sigset, &now, sizeof(uint64_t));
	return vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, &mask.head);
}

int kick_init(struct vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL_KICK, &action, NULL))
		return error_set(vcpu->error, -errno, "sigaction: %m");
	vcpu->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vcpu->answer_fd < 0)
		return error_set(vcpu->error, -errno, "eventfd: %m");
	return vcpu->vm->config.kick == VM_KICK_SIGNAL_MASK ? set_mask(vcpu) : 0;
}

void kick_begin(struct vcpu *vcpu)
{
	if (vcpu->vm->config.kick == VM_KICK_SIGNAL_MASK)
		block_kicks(SIG_BLOCK);
	vcpu->run->immediate_exit = 0;
	self = vcpu;
	__atomic_store_n(&vcpu->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
}

static void discard_pending(void)
{
	const struct timespec none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_KICK);
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
}

void kick_end(void)
{
	if (self && self->vm->config.kick == VM_KICK_SIGNAL_MASK) {
		/* Still pending, it would interrupt the thread's next system call. */
		discard_pending();
		block_kicks(SIG_UNBLOCK);
	}
	if (self)
		__atomic_store_n(&self->tid, 0, __ATOMIC_SEQ_CST);
	self = NULL;
}

bool kick_consume(struct vcpu *vcpu)
{
	/* Before the check: a kick after it sets the flag again. */
	vcpu->run->immediate_exit = 0;
	if (vcpu->vm->config.kick == VM_KICK_SIGNAL_MASK)
		discard_pending();
	return __atomic_exchange_n(&vcpu->kicked, false, __ATOMIC_SEQ_CST);
}

/* A pending signal ends KVM_RUN at once; a guest that runs on instead may never exit. */
#define PROOF_NS 1000000000ull

int vcpu_kick_prove(struct vcpu *vcpu)
{
	struct watchdog limit;
	bool sent, late;
	int err;

	if (vcpu->vm->config.kick != VM_KICK_SIGNAL_MASK)
		return 0;
	err = watchdog_start(&limit, PROOF_NS, true, vcpu->error);
	if (err)
		return err;
	kick_begin(vcpu);
	sent = !syscall(SYS_tgkill, getpid(), vcpu->tid, SIGNAL_KICK);
	err = sent ? vcpu_kvm_run(vcpu) : -errno;
	kick_end();
	/* The watchdog's handler is not that of a kick. */
	late = watchdog_expired();
	watchdog_stop(&limit);
	if (err && err != -EINTR)
		return error_set(vcpu->error, err, "%s: %s", sent ? "KVM_RUN" : "tgkill",
				 strerror(-err));
	if (err && !late)
		return 0;
	return error_set(
		vcpu->error, -EIO,
		"KVM_SET_SIGNAL_MASK returned 0 and has no effect: a pending signal does not end KVM_RUN");
}

/*
 * By thread id, not by pthread_t, which is invalid once the thread has been joined: the
 * signal to an id without a thread fails. If another thread got the id, that thread
 * enters its guest once more.
 */
void vcpu_kick(struct vcpu *vcpu)
{
	int tid;

	/* The vCPU has not yet noticed the last kick. */
	if (__atomic_exchange_n(&vcpu->kicked, true, __ATOMIC_SEQ_CST))
		return;
	tid = __atomic_load_n(&vcpu->tid, __ATOMIC_SEQ_CST);
	if (tid)
		(void)syscall(SYS_tgkill, getpid(), tid, SIGNAL_KICK);
}
