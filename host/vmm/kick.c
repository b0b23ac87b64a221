/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting a vCPU out of the guest.
 *
 * `kicked` says that somebody wants it; the signal only makes the thread look. It
 * may come at any moment:
 *   in KVM_RUN          KVM_RUN returns EINTR, and kick_taken() sees the flag;
 *   just before it      the handler has set immediate_exit (or, with the mask, the
 *                       signal is pending): KVM_RUN returns at once;
 *   long before         kick_begin() and the first look find the flag;
 *   after we looked     the flag is gone; KVM_RUN returns once more for nothing.
 * So none is lost, and a stale signal costs one entry.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/vmm/kick.h"
#include "host/vmm/signals.h"
#include "host/vmm/timer.h"

/* The vCPU that this thread runs. For signal handlers, so it must be a global. */
static __thread struct vcpu *volatile self;

void vcpu_leave_self(void)
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
	vcpu_leave_self();
}

static void block_kicks(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_KICK);
	pthread_sigmask(how, &set, NULL);
}

/* In KVM_RUN alone, the thread's mask without the kick. */
static int set_mask(struct vcpu *vcpu)
{
	union {
		struct kvm_signal_mask head;
		/* The kernel's sigset_t, which is not the C library's, behind it. */
		uint8_t room[sizeof(struct kvm_signal_mask) + sizeof(uint64_t)];
	} mask = { .head.len = sizeof(uint64_t) };
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	sigdelset(&now, SIGNAL_KICK);
	memcpy(mask.head.sigset, &now, sizeof(uint64_t));
	if (ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask))
		return vcpu_fail(vcpu, -errno, "KVM_SET_SIGNAL_MASK: %m");
	return 0;
}

int kick_init(struct vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL_KICK, &action, NULL))
		return vcpu_fail(vcpu, -errno, "sigaction: %m");
	vcpu->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vcpu->answer_fd < 0)
		return vcpu_fail(vcpu, -errno, "eventfd: %m");
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
		/* Left pending, it would hit whatever this thread does next. */
		discard_pending();
		block_kicks(SIG_UNBLOCK);
	}
	if (self)
		__atomic_store_n(&self->tid, 0, __ATOMIC_SEQ_CST);
	self = NULL;
}

bool kick_taken(struct vcpu *vcpu)
{
	/* Before the look: a kick that comes after it sets the flag again. */
	vcpu->run->immediate_exit = 0;
	if (vcpu->vm->config.kick == VM_KICK_SIGNAL_MASK)
		discard_pending();
	return __atomic_exchange_n(&vcpu->kicked, false, __ATOMIC_SEQ_CST);
}

/*
 * By thread id and not by pthread_t: that of a thread which has been joined meanwhile is
 * not to be used, but an id without a thread is only refused. If it has become another
 * thread's, that one enters its guest once more for nothing.
 */
void vcpu_kick(struct vcpu *vcpu)
{
	int tid;

	/* Not yet noticed: one kick with the last one. */
	if (__atomic_exchange_n(&vcpu->kicked, true, __ATOMIC_SEQ_CST))
		return;
	tid = __atomic_load_n(&vcpu->tid, __ATOMIC_SEQ_CST);
	if (tid)
		(void)syscall(SYS_tgkill, getpid(), tid, SIGNAL_KICK);
}

void vcpu_answer(struct vcpu *vcpu, const void *data, size_t bytes)
{
	uint64_t one = 1;

	if (bytes > sizeof(vcpu->run->mmio.data))
		bytes = sizeof(vcpu->run->mmio.data);
	memcpy(vcpu->run->mmio.data, data, bytes);
	/* Cannot fail: the counter is far from full. */
	(void)!write(vcpu->answer_fd, &one, sizeof(one));
}

/* Signals arrive in ppoll() alone: one that comes after the look ends the wait. */
int kick_wait_answer(struct vcpu *vcpu)
{
	struct pollfd answered = { .fd = vcpu->answer_fd, .events = POLLIN };
	sigset_t all, before, waiting;
	uint64_t answers;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	waiting = before;
	sigdelset(&waiting, SIGNAL_KICK);
	if (!__atomic_load_n(&vcpu->kicked, __ATOMIC_SEQ_CST) && !timer_expired() &&
	    !watchdog_expired())
		(void)ppoll(&answered, 1, NULL, &waiting);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (read(vcpu->answer_fd, &answers, sizeof(answers)) == sizeof(answers))
		return 0;
	return -EINTR;
}
