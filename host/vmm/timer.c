/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rate of the shared clock, measured because not every machine has it in a register;
 * run timers and the watchdog: POSIX timers and perf-event overflow that signal one
 * thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/vmm/exits.h"
#include "host/vmm/timer.h"

/* Long enough for six digits. */
#define SPAN_NS 10000000u

/* CLOCK_MONOTONIC, which POSIX timers count, too. */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Both clocks at nearly one moment. */
struct moment {
	uint64_t ns, ticks;
};

/* The closest of several pairs of reads: no interruption lies between them. */
#define PAIRS 5

static struct moment both_clocks(void)
{
	struct moment best = { 0, 0 };
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < PAIRS; i++) {
		uint64_t before = clock_glance(), ns = now_ns(),
			 apart = clock_glance() - before;

		if (apart >= least)
			continue;
		least = apart;
		best = (struct moment){ ns, before + apart / 2 };
	}
	return best;
}

uint64_t clock_hz(void)
{
	const struct moment start = both_clocks();
	struct moment end;

	do
		end = both_clocks();
	while (end.ns - start.ns < SPAN_NS);
	return (uint64_t)((double)(end.ticks - start.ticks) * 1e9 /
				  (double)(end.ns - start.ns) +
			  0.5);
}

static __thread volatile sig_atomic_t expired, overdue, given_up;

static void on_timer(int sig)
{
	(void)sig;
	expired = 1;
	kick_leave_self();
}

bool timer_expired(void)
{
	return expired;
}

static void on_watchdog(int sig)
{
	(void)sig;
	overdue = 1;
	kick_leave_self();
}

/* A timer that sends `signal` to the calling thread. */
static int create_posix(timer_t *posix, int signal, void (*handler)(int sig),
			struct error *err)
{
	struct sigaction action = { .sa_handler = handler };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = signal,
	};

	sigemptyset(&action.sa_mask);
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (sigaction(signal, &action, NULL) ||
	    timer_create(CLOCK_MONOTONIC, &event, posix))
		return error_set(err, -errno, "timer_create: %m");
	return 0;
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
 * Counts guest cycles beside the guest instructions, with the same period, and signals
 * no one. QEMU (7.2 and later) checks an event counter one count before its overflow is
 * due, finds none, and checks again only when the guest exits for another reason, the
 * host's next tick: 3.9 million instructions late in the lab. QEMU checks all counters
 * when the cycle counter is due, which is on time. Hardware does not need the companion,
 * nor does it change the result there.
 */
static int open_companion(const struct run_timer *t)
{
	if (t->kind != TIMER_INSNS)
		return -1;
	return open_event(t, PERF_COUNT_HW_CPU_CYCLES, t->perf_fd);
}

static int open_perf(struct run_timer *t, struct error *err)
{
	struct sigaction action = { .sa_handler = on_timer };
	struct f_owner_ex owner = {
		.type = F_OWNER_TID,
		.pid = (pid_t)syscall(SYS_gettid),
	};
	int rc;

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL_TIMER, &action, NULL))
		return error_set(err, -errno, "sigaction: %m");
	t->perf_fd = open_event(t,
				t->kind == TIMER_CYCLES ? PERF_COUNT_HW_CPU_CYCLES
							: PERF_COUNT_HW_INSTRUCTIONS,
				-1);
	if (t->perf_fd < 0 && (errno == ENOENT || errno == EOPNOTSUPP))
		return error_set(err, -errno,
				 "a run timer needs a PMU, and perf has none here");
	if (t->perf_fd < 0)
		return error_set(err, -errno, "no hardware event for a run timer: %m");
	if (fcntl(t->perf_fd, F_SETFL, O_ASYNC | O_NONBLOCK) ||
	    fcntl(t->perf_fd, F_SETSIG, SIGNAL_TIMER) ||
	    fcntl(t->perf_fd, F_SETOWN_EX, &owner)) {
		rc = error_set(err, -errno, "perf event: cannot set the signal: %m");
		close(t->perf_fd);
		t->perf_fd = -1;
		return rc;
	}
	t->companion_fd = open_companion(t);
	return 0;
}

int timer_open(struct run_timer *t, enum timer_kind kind, uint64_t budget,
	       struct error *err)
{
	*t = (struct run_timer){
		.kind = kind, .budget = budget, .perf_fd = -1, .companion_fd = -1
	};
	if (kind == TIMER_POSIX)
		return create_posix(&t->posix, SIGNAL_TIMER, on_timer, err);
	return open_perf(t, err);
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

static __thread struct watchdog *own;
static __thread struct process_waits own_waits; /* at its start */

/* Whether the host was busy: then, the timer is set again for the rest. */
static bool extend(struct watchdog *w)
{
	uint64_t passed = now_ns() - w->begin_ns;
	const struct process_waits now = process_waits(getpid());
	uint64_t waited = process_waited_ns(&own_waits, &now);
	uint64_t spent = waited < passed ? passed - waited : 0;

	if (spent >= w->limit_ns || passed >= PROCESS_WALL * w->limit_ns)
		return false;
	overdue = 0;
	if (!set_posix(w->posix, w->limit_ns - spent))
		return true;
	overdue = 1;
	return false;
}

bool watchdog_expired(void)
{
	/*
	 * A wait is counted when it has ended, so that a later look could extend the
	 * limit again, of a vCPU that has been let on because of the first.
	 */
	if (given_up || !overdue)
		return given_up;
	given_up = !(own && extend(own));
	return given_up;
}

int watchdog_start(struct watchdog *w, uint64_t ns, bool shared, struct error *err)
{
	int rc = create_posix(&w->posix, SIGNAL_WATCHDOG, on_watchdog, err);

	w->running = !rc;
	own = shared ? w : NULL;
	overdue = given_up = 0;
	if (shared) {
		w->limit_ns = ns;
		w->begin_ns = now_ns();
		own_waits = process_waits(getpid());
	}
	if (rc)
		return rc;
	rc = set_posix(w->posix, ns);
	if (rc) {
		error_set(err, rc, "timer_settime: %s", strerror(-rc));
		watchdog_stop(w);
	}
	return rc;
}

void watchdog_stop(struct watchdog *w)
{
	if (w->running)
		timer_delete(w->posix);
	w->running = false;
	own = NULL;
	overdue = given_up = 0;
}

int timer_arm(struct run_timer *t)
{
	expired = 0;
	if (!t)
		return 0;
	if (t->kind == TIMER_POSIX)
		return set_posix(t->posix, t->budget);
	/* IOC_PERIOD discards the rest of the last period. */
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
