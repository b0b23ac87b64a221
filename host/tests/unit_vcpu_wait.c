/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends a vCPU thread's wait for a device's answer, and when a boot's limit has
 * passed. There is no VM: the test owns the run page. Criterion's timeout ends a test
 * whose wait does not end.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "host/lib/process.h"
#include "host/vmm/exits.h"
#include "host/vmm/timer.h"

static struct vm vm;
static struct kvm_run run;

static struct vcpu *begin(void)
{
	struct vcpu *vcpu = &vm.own[0];

	*vcpu = (struct vcpu){ .vm = &vm, .fd = -1, .run = &run, .error = &vm.error };
	cr_assert_eq(kick_init(vcpu), 0, "%s", vm.error.text);
	kick_begin(vcpu);
	return vcpu;
}

static void end(struct vcpu *vcpu)
{
	kick_end();
	close(vcpu->answer_fd);
}

/* The signal has been handled before the thread waits. */
Test(vcpu_wait, a_kick_before_the_wait_ends_it, .timeout = 10)
{
	struct vcpu *vcpu = begin();

	vcpu_kick(vcpu);
	cr_expect_eq(vcpu_wait_answer(vcpu), -EINTR);
	cr_expect(kick_consume(vcpu));
	end(vcpu);
}

Test(vcpu_wait, a_deadline_before_the_wait_ends_it, .timeout = 10)
{
	struct vcpu *vcpu = begin();
	struct watchdog limit;
	struct error why;

	cr_assert_eq(watchdog_start(&limit, 1, false, &why), 0, "%s", why.text);
	while (!watchdog_expired())
		;
	cr_expect_eq(vcpu_wait_answer(vcpu), -EINTR);
	watchdog_stop(&limit);
	cr_expect_not(watchdog_expired());
	end(vcpu);
}

Test(vcpu_wait, an_answer_ends_it_once, .timeout = 10)
{
	const uint32_t answer = 0x12345678;
	struct vcpu *vcpu = begin();

	vcpu_answer(vcpu, &answer, sizeof(answer));
	cr_expect_eq(vcpu_wait_answer(vcpu), 0);
	cr_expect_eq(memcmp(run.mmio.data, &answer, sizeof(answer)), 0);
	/* The answer is consumed: only the kick ends the next wait. */
	vcpu_kick(vcpu);
	cr_expect_eq(vcpu_wait_answer(vcpu), -EINTR);
	end(vcpu);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Spins until the thread has used so much time of a processor. False: the limit came. */
static bool spin(uint64_t until_ns)
{
	while (cpu_ns() < until_ns)
		if (watchdog_expired())
			return false;
	return true;
}

#define BUSY 8

/* Processes that have this processor for a second, and leave little of it to this one. */
static void be_busy(pid_t busy[BUSY])
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	for (int i = 0; i < BUSY; i++) {
		busy[i] = fork();
		if (!busy[i]) {
			alarm(1);
			for (;;)
				;
		}
	}
	cr_assert_neq(nice(10), -1);
}

/*
 * Eight processes have one processor for a second, and this one least of it: a limit of
 * 0.3 s has passed several times when the thread has run for 0.2 s.
 */
Test(watchdog, waits_for_a_busy_processor_do_not_count, .timeout = 60)
{
	const uint64_t ms = 1000000, begin = cpu_ns();
	struct watchdog limit;
	pid_t busy[BUSY];
	struct error why;

	be_busy(busy);
	cr_assert_eq(watchdog_start(&limit, 300 * ms, true, &why), 0, "%s", why.text);
	cr_expect(spin(begin + 200 * ms), "the limit came after %llu ms of CPU",
		  (unsigned long long)((cpu_ns() - begin) / ms));
	/* A thread that runs, and one that sleeps, reach it. */
	cr_expect_not(spin(begin + 10000 * ms));
	watchdog_stop(&limit);
	cr_assert_eq(watchdog_start(&limit, 100 * ms, true, &why), 0, "%s", why.text);
	for (int i = 0; i < 100 && !watchdog_expired(); i++)
		usleep(20000);
	cr_expect(watchdog_expired());
	watchdog_stop(&limit);
	for (int i = 0; i < BUSY; i++)
		waitpid(busy[i], NULL, 0);
}

/* As the emulator of a bare machine: 0.3 s for a child that has run for 0.2 s. */
Test(watchdog, waits_of_a_child_for_a_busy_processor_do_not_count, .timeout = 60)
{
	const uint64_t ms = 1000000;
	struct process child = { .pid = 0 };
	int status = -1;
	pid_t busy[BUSY];

	be_busy(busy);
	child.pid = fork();
	if (!child.pid)
		_exit(spin(cpu_ns() + 200 * ms) ? 7 : 0);
	cr_expect_eq(process_wait(&child, 300 * ms, &status), 0);
	cr_expect_eq(status, 7 << 8, "0x%x", status);
	/* A child that runs, and one that sleeps, reach it. */
	for (int sleeps = 0; sleeps < 2; sleeps++) {
		child.pid = fork();
		if (!child.pid) {
			if (sleeps)
				for (;;)
					pause();
			_exit(spin(cpu_ns() + 30000 * ms));
		}
		cr_expect_eq(process_wait(&child, 300 * ms, &status), -ETIMEDOUT);
		process_stop(&child);
	}
	for (int i = 0; i < BUSY; i++)
		waitpid(busy[i], NULL, 0);
}

/*
 * Of three threads with one processor, two wait at any time: waits that add up would be
 * longer than the time that passes, and only PROCESS_WALL would end the guest.
 */
Test(watchdog, waits_of_threads_at_one_time_count_once)
{
	const uint64_t passed_ns = 3000;
	const struct process_waits then = {
		.n = 3, .threads = { { 10, 0 }, { 11, 0 }, { 12, 0 } }
	};
	const struct process_waits now = {
		.n = 3, .threads = { { 10, 2000 }, { 11, 1990 }, { 12, 2010 } }
	};

	cr_expect_eq(process_waited_ns(&then, &now), 2010);
	cr_expect_lt(process_waited_ns(&then, &now), passed_ns);
}

/* A thread that had waited long before is not taken for the one that waits now. */
Test(watchdog, the_longest_wait_is_that_since_then)
{
	const struct process_waits then = { .n = 2,
					    .threads = { { 10, 9000 }, { 11, 100 } } };
	const struct process_waits now = {
		.n = 3, .threads = { { 11, 700 }, { 10, 9100 }, { 12, 50 } }
	};

	cr_expect_eq(process_waited_ns(&then, &now), 600);
	cr_expect_eq(process_waited_ns(&now, &now), 0);
}

/* Where the host is busy, a later look could find that the processor was waited for. */
Test(vcpu_wait, what_has_expired_is_not_extended, .timeout = 10)
{
	struct watchdog limit;
	struct error why;

	cr_assert_eq(watchdog_start(&limit, 1, true, &why), 0, "%s", why.text);
	while (!watchdog_expired())
		;
	limit.limit_ns = UINT64_MAX / (2 * PROCESS_WALL);
	cr_expect(watchdog_expired());
	watchdog_stop(&limit);
	cr_expect_not(watchdog_expired());
}
