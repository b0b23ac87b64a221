/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host-timed benchmarks of message-signalled interrupts: KVM_SIGNAL_MSI or an irqfd to
 * the local APIC or to the ITS, one message and a stream of messages.
 *
 * As in irq_inject, the vCPU's own thread sends the messages at a doorbell and re-enters
 * the guest. The handler of the last message ends the sample. A message that is lost
 * leaves the guest waiting: the watchdog fails the boot.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/arch.h"
#include "host/vmm/io.h"
#include "host/vmm/timer.h"

struct stream {
	struct vm vm;
	struct irq_message message[ABI_AARCH64_MSI_EVENTS];
	uint32_t messages; /* of one sample */
	bool by_eventfd;   /* else by KVM_SIGNAL_MSI */
	int eventfd;
	uint32_t n, rung; /* events: the samples, and the first, which is the warm-up */
	uint64_t *sent;
	int err;
};

static void on_doorbell(void *ctx, uint32_t value)
{
	struct stream *s = ctx;
	uint32_t i;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || s->rung >= s->n || s->err)
		return;
	s->sent[s->rung++] = clock_now();
	for (i = 0; i < s->messages && !s->err; i++)
		s->err = irq_msi_send(&s->vm, &s->message[i]);
}

/* As on_doorbell(), of one message by its irqfd. */
static void on_doorbell_irqfd(void *ctx, uint32_t value)
{
	const uint64_t one = 1;
	struct stream *s = ctx;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || s->rung >= s->n || s->err)
		return;
	s->sent[s->rung++] = clock_now();
	if (write(s->eventfd, &one, sizeof(one)) != sizeof(one))
		s->err = error_set(&s->vm.error, -errno, "the irqfd: %m");
}

/* The messages of one sample; the guest's ITS or local APIC must know them. */
static int prepare(struct stream *s)
{
	const bool pc = vmm_arch == ARCH_X86_64;
	uint32_t i;
	int err = pc ? 0 : irq_its(&s->vm);

	for (i = 0; !err && i < s->messages; i++)
		err = irq_msi_init(&s->vm, &s->message[i],
				   pc ? ABI_X86_64_MSI_GPA : ABI_AARCH64_MSI_GPA,
				   pc ? ABI_X86_64_MSI_VECTOR : i);
	if (err || !s->by_eventfd)
		return err;
	s->eventfd = irq_fd_msi(&s->vm, &s->message[0]);
	return s->eventfd < 0 ? s->eventfd : 0;
}

static int run(struct host_timed *h, struct stream *s, uint64_t *series)
{
	const struct vm_listener listener = {
		.ctx = s,
		.doorbell = s->by_eventfd ? on_doorbell_irqfd : on_doorbell,
	};
	struct boot_request rq = *h->rq;
	struct host_timed own = *h;
	uint64_t offset;
	uint32_t i;
	int err;

	rq.params.operand = s->messages;
	rq.params.events = s->n;
	own.rq = &rq;
	err = host_timed_open(&own, &s->vm, ABI_COMMAND_INTERRUPT, &listener);
	if (err)
		return err;
	if (clock_guest_offset(&s->vm.vcpus[0], &offset))
		return host_timed_skip(
			h,
			"this KVM does not report the offset of the guest's clock (KVM_VCPU_TSC_OFFSET, Linux 5.16)");
	err = prepare(s);
	if (err == -ENOTSUP)
		return host_timed_skip(h, "%s", s->vm.error.text);
	if (err)
		return error_set(h->err, err, "%s", s->vm.error.text);
	err = host_timed_run(h, &s->vm, NULL, VCPU_STOP_DOORBELL);
	if (err == -ECANCELED && h->rep->outcome == BOOT_SKIP)
		return host_timed_skip(
			h, "the machine has no in-kernel interrupt controller or no ITS");
	if (s->err)
		return error_set(h->err, s->err, "%s", s->vm.error.text);
	if (err)
		return err == -ECANCELED ? 0 : err;
	if (!s->rung || s->rung != host_timed_stamped(&own, &s->vm))
		return host_timed_crash(h, "%u doorbells of %u arrived", s->rung, s->n);
	for (i = 1; i < s->rung; i++) {
		series[i - 1] = host_timed_stamp(&s->vm, ABI_PHASE_EVENT, i) - offset -
				s->sent[i];
		if ((int64_t)series[i - 1] < 0)
			return host_timed_skip(
				h, "guest and host do not read the same clock here");
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, s->rung - 1);
	return host_timed_done(h);
}

static int stream(struct host_timed *h, uint32_t messages, bool by_eventfd)
{
	struct stream s = { .messages = messages, .by_eventfd = by_eventfd };
	uint64_t *series = host_timed_series(h, ABI_SERIES_MAX - 1, &s.n);
	int err;

	if (!series)
		return -ENOMEM;
	s.sent = host_timed_array(h, ++s.n);
	if (!s.sent)
		return -ENOMEM;
	err = run(h, &s, series);
	host_timed_close(h, &s.vm);
	free(s.sent);
	return err;
}

int host_timed_msi_inject(struct host_timed *h)
{
	return stream(h, 1, false);
}

int host_timed_msi_irqfd_inject(struct host_timed *h)
{
	return stream(h, 1, true);
}

int host_timed_its_lpi_stream(struct host_timed *h)
{
	return stream(h, ABI_AARCH64_MSI_EVENTS, false);
}
