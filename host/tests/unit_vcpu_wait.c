/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends a vCPU thread's wait for a device's answer. There is no VM: the test owns the
 * run page. Criterion's timeout ends a test whose wait does not end.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "host/vmm/exits.h"
#include "host/vmm/timer.h"

static struct vm vm;
static struct kvm_run run;

static struct vcpu *begin(void)
{
	struct vcpu *vcpu = &vm.vcpus[0];

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

	cr_assert_eq(watchdog_start(&limit, 1, &why), 0, "%s", why.text);
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
