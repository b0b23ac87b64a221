/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vCPU run loop: states, entry, time limit, kick.
 *
 *   IDLE -> RUNNING -> RUNNING_SERVICE -> RUNNING                    no answer due
 *                                      -> RUNNING_SERVICE_COMPLETION -> RUNNING_SERVICE
 *                                      -> IDLE                       the guest stopped
 */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/vmm/arch.h"
#include "host/vmm/exits.h"

/* Ends a boot's time budget; SIGALRM's default action would end the program. */
#define TIMEOUT_SIGNAL SIGALRM

/*
 * What the signal handlers of this thread may touch. KVM looks at
 * immediate_exit after it has disabled interrupts and before it enters the
 * guest, so a kick between our last look and KVM_RUN is not lost.
 */
static __thread struct kvm_run *volatile running;
static __thread volatile sig_atomic_t timed_out;

void vcpu_kick_self(void)
{
	if (running)
		running->immediate_exit = 1;
}

static void on_timeout(int sig)
{
	(void)sig;
	timed_out = 1;
	vcpu_kick_self();
}

static int timer_arm(struct vm *vm, uint64_t timeout_ns, timer_t *timer)
{
	struct sigaction action = { .sa_handler = on_timeout };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = TIMEOUT_SIGNAL,
	};
	struct itimerspec when = {
		.it_value.tv_sec = (time_t)(timeout_ns / 1000000000u),
		.it_value.tv_nsec = (long)(timeout_ns % 1000000000u),
	};

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	timed_out = 0;
	sigemptyset(&action.sa_mask);
	if (sigaction(TIMEOUT_SIGNAL, &action, NULL))
		return vm_fail(vm, -errno, "sigaction: %m");
	if (timer_create(CLOCK_MONOTONIC, &event, timer))
		return vm_fail(vm, -errno, "timer_create: %m");
	if (timer_settime(*timer, 0, &when, NULL)) {
		int err = -errno;

		timer_delete(*timer);
		return vm_fail(vm, err, "timer_settime: %m");
	}
	return 0;
}

static void stop(struct vcpu *vcpu, enum vcpu_stop why)
{
	vcpu->stop = why;
	vcpu->state = VCPU_IDLE;
}

/* One KVM_RUN. */
static void enter(struct vcpu *vcpu)
{
	if (!ioctl(vcpu->fd, KVM_RUN, 0)) {
		vcpu->stats.vm_exits++;
		vcpu->state = VCPU_RUNNING_SERVICE;
		return;
	}
	if (errno == EAGAIN)
		return; /* arm64: try again */
	if (errno != EINTR) {
		vm_fail(vcpu->vm, -errno, "KVM_RUN: %m");
		stop(vcpu, VCPU_STOP_ERROR);
		return;
	}
	/*
	 * A signal; or, on arm64 without an in-kernel GIC, a timer or PMU line
	 * that changed: then nobody asked us to leave.
	 */
	vcpu->stats.exit_signal++;
	if (timed_out)
		stop(vcpu, VCPU_STOP_TIMEOUT);
	else if (vcpu->run->immediate_exit)
		stop(vcpu, VCPU_STOP_KICK);
}

static void serve(struct vcpu *vcpu)
{
	switch (exits_serve(vcpu)) {
	case EXITS_HANDLED:
		vcpu->state = VCPU_RUNNING;
		break;
	case EXITS_ANSWERED:
		vcpu->state = VCPU_RUNNING_SERVICE_COMPLETION;
		break;
	case EXITS_STOP_BELL:
		stop(vcpu, VCPU_STOP_BELL);
		break;
	case EXITS_STOP_SHUTDOWN:
		stop(vcpu, VCPU_STOP_SHUTDOWN);
		break;
	case EXITS_UNHANDLED:
		stop(vcpu, VCPU_STOP_ERROR);
		break;
	}
}

int vcpu_run(struct vcpu *vcpu, uint64_t timeout_ns)
{
	timer_t timer;
	int err;

	vcpu->stop = VCPU_STOP_NONE;
	vcpu->run->immediate_exit = 0;
	running = vcpu->run;
	if (timeout_ns) {
		err = timer_arm(vcpu->vm, timeout_ns, &timer);
		if (err)
			goto out;
	}
	vcpu->state = VCPU_RUNNING;
	while (vcpu->state != VCPU_IDLE) {
		if (vcpu->state == VCPU_RUNNING_SERVICE)
			serve(vcpu);
		else
			enter(vcpu);
	}
	err = vcpu->stop == VCPU_STOP_ERROR ? -EIO : 0;
	if (timeout_ns)
		timer_delete(timer);
out:
	running = NULL;
	return err;
}

int vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	return arch_vcpu_reset(vcpu, entry);
}

void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	arch_vcpu_dump(vcpu, text, bytes);
}
