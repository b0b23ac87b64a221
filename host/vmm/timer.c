/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run timers: POSIX timers and perf-event overflow, aimed at one thread. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/vmm/signals.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

static __thread volatile sig_atomic_t expired, overdue;

static void on_timer(int sig)
{
	(void)sig;
	expired = 1;
	vcpu_leave_self();
}

bool timer_expired(void)
{
	return expired;
}

static void on_watchdog(int sig)
{
	(void)sig;
	overdue = 1;
	vcpu_leave_self();
}

bool watchdog_expired(void)
{
	return overdue;
}

/* A timer that sends `signal`, which `handler` takes, to the calling thread. */
static int create_posix(timer_t *posix, int signal, void (*handler)(int sig), char *why,
			size_t why_bytes)
{
	struct sigaction action = { .sa_handler = handler };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = signal,
	};
	int err;

	sigemptyset(&action.sa_mask);
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (!sigaction(signal, &action, NULL) &&
	    !timer_create(CLOCK_MONOTONIC, &event, posix))
		return 0;
	err = -errno;
	snprintf(why, why_bytes, "timer_create: %s", strerror(-err));
	return err;
}

static int open_event(const struct run_timer *t, uint64_t config, int leader_fd)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = t->budget,
		.wakeup_events = 1,
		.disabled = leader_fd < 0,
		.pinned = leader_fd < 0,
		.exclude_host = t->kind == TIMER_INSNS,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, leader_fd,
			    PERF_FLAG_FD_CLOEXEC);
}

/*
 * Guest cycles beside the guest instructions, with the same period and nobody to signal.
 * QEMU (7.2 and later) looks for the overflow of an event counter one count before
 * it is due, finds none, and does not look again until the guest is left for some other
 * reason, which is the host's next tick: 3.9 million instructions late in the lab. It
 * looks at all counters when the cycle counter is due, and that is on time. Hardware
 * needs none of this, and does not mind.
 */
static int open_companion(const struct run_timer *t)
{
	if (t->kind != TIMER_INSNS)
		return -1;
	return open_event(t, PERF_COUNT_HW_CPU_CYCLES, t->perf_fd);
}

static int open_perf(struct run_timer *t, char *why, size_t why_bytes)
{
	struct f_owner_ex owner = {
		.type = F_OWNER_TID,
		.pid = (pid_t)syscall(SYS_gettid),
	};
	int err;

	t->perf_fd = open_event(t,
				t->kind == TIMER_CYCLES ? PERF_COUNT_HW_CPU_CYCLES
							: PERF_COUNT_HW_INSTRUCTIONS,
				-1);
	if (t->perf_fd < 0) {
		err = -errno;
		snprintf(why, why_bytes, "no hardware event for a run timer: %s",
			 strerror(-err));
		return err;
	}
	if (fcntl(t->perf_fd, F_SETFL, O_ASYNC | O_NONBLOCK) ||
	    fcntl(t->perf_fd, F_SETSIG, SIGNAL_TIMER) ||
	    fcntl(t->perf_fd, F_SETOWN_EX, &owner)) {
		err = -errno;
		snprintf(why, why_bytes, "cannot aim a perf event at a thread: %m");
		close(t->perf_fd);
		t->perf_fd = -1;
		return err;
	}
	t->companion_fd = open_companion(t);
	return 0;
}

int timer_open(struct run_timer *t, enum timer_kind kind, uint64_t budget, char *why,
	       size_t why_bytes)
{
	struct sigaction action = { .sa_handler = on_timer };

	*t = (struct run_timer){
		.kind = kind, .budget = budget, .perf_fd = -1, .companion_fd = -1
	};
	if (kind == TIMER_POSIX)
		return create_posix(&t->posix, SIGNAL_TIMER, on_timer, why, why_bytes);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL_TIMER, &action, NULL)) {
		snprintf(why, why_bytes, "sigaction: %m");
		return -errno;
	}
	return open_perf(t, why, why_bytes);
}

void timer_close(struct run_timer *t)
{
	if (t->companion_fd >= 0)
		close(t->companion_fd);
	if (t->perf_fd >= 0)
		close(t->perf_fd);
	else if (t->kind == TIMER_POSIX)
		timer_delete(t->posix);
	t->perf_fd = t->companion_fd = -1;
}

static int set_posix(timer_t posix, uint64_t ns)
{
	const struct itimerspec when = {
		.it_value.tv_sec = (time_t)(ns / 1000000000u),
		.it_value.tv_nsec = (long)(ns % 1000000000u),
	};

	return timer_settime(posix, 0, &when, NULL) ? -errno : 0;
}

int watchdog_start(struct watchdog *w, uint64_t ns, char *why, size_t why_bytes)
{
	int err = create_posix(&w->posix, SIGNAL_WATCHDOG, on_watchdog, why, why_bytes);

	w->running = !err;
	overdue = 0;
	if (!err)
		err = set_posix(w->posix, ns);
	if (err && w->running) {
		snprintf(why, why_bytes, "timer_settime: %s", strerror(-err));
		watchdog_stop(w);
	}
	return err;
}

void watchdog_stop(struct watchdog *w)
{
	if (w->running)
		timer_delete(w->posix);
	w->running = false;
	overdue = 0;
}

int timer_arm(struct run_timer *t)
{
	expired = 0;
	if (!t)
		return 0;
	if (t->kind == TIMER_POSIX)
		return set_posix(t->posix, t->budget);
	/* IOC_PERIOD makes what is left of the last period void. */
	if (t->companion_fd >= 0 &&
	    ioctl(t->companion_fd, PERF_EVENT_IOC_PERIOD, &t->budget))
		return -errno;
	if (ioctl(t->perf_fd, PERF_EVENT_IOC_RESET, 0) ||
	    ioctl(t->perf_fd, PERF_EVENT_IOC_PERIOD, &t->budget) ||
	    ioctl(t->perf_fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

void timer_disarm(struct run_timer *t)
{
	if (!t)
		return;
	if (t->kind == TIMER_POSIX)
		set_posix(t->posix, 0);
	else
		ioctl(t->perf_fd, PERF_EVENT_IOC_DISABLE, 0);
}

uint64_t timer_count(const struct run_timer *t)
{
	uint64_t count = 0;

	if (t->perf_fd < 0 || read(t->perf_fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}
