/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers: from the host's injection of an interrupt to the guest's handler. At each
 * doorbell the vCPU's own thread raises the line and goes back in; the handler stamps the
 * shared clock. (An injection from another CPU adds the kick: see kick_*.)
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/arch.h"
#include "host/vmm/clock.h"
#include "host/vmm/irq.h"

struct injection {
	struct drive *drive;
	struct vm vm;
	bool by_eventfd; /* else by KVM_IRQ_LINE */
	int eventfd;
	uint32_t line;
	uint32_t n, rung;
	uint64_t *sent;
	int err;
};

static int inject(struct injection *j)
{
	const uint64_t one = 1;

	if (!j->by_eventfd)
		return irq_set_line(&j->vm, j->line, true);
	return write(j->eventfd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static void on_doorbell(void *ctx, uint32_t value)
{
	struct injection *j = ctx;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || j->rung >= j->n || j->err)
		return;
	/* The edge of the last one ends here, outside of what is timed. */
	if (!j->by_eventfd)
		j->err = irq_set_line(&j->vm, j->line, false);
	j->sent[j->rung++] = clock_now();
	if (!j->err)
		j->err = inject(j);
}

static int collect(struct injection *j, enum abi_phase stamps, uint64_t offset,
		   uint64_t *series)
{
	uint32_t i;

	for (i = 0; i < j->n; i++) {
		uint64_t stamp = drive_stamp(&j->vm, stamps, i) - offset;

		if ((int64_t)(stamp - j->sent[i]) < 0)
			return -ERANGE;
		series[i] = stamp - j->sent[i];
	}
	return 0;
}

static int run(struct injection *j, enum abi_phase stamps, uint64_t *series)
{
	const struct vm_listener listener = { .ctx = j, .doorbell = on_doorbell };
	struct drive *d = j->drive;
	uint64_t offset;
	int err;

	err = drive_open(d, &j->vm, ABI_COMMAND_INTERRUPT, &listener);
	if (err)
		return err;
	if (clock_guest_offset(&j->vm.vcpus[0], &offset))
		return drive_skip(
			d, "this KVM does not tell the offset of the guest's clock "
			   "(KVM_VCPU_TSC_OFFSET, Linux 5.16)");
	if (j->by_eventfd) {
		j->eventfd = irq_fd(&j->vm, j->line);
		if (j->eventfd < 0)
			return error_set(d->err, j->eventfd, "%s", j->vm.error.text);
	}
	err = drive_run(d, &j->vm, NULL, VCPU_STOP_DOORBELL);
	if (err == -ECANCELED && d->rep->outcome == BOOT_SKIP)
		return drive_skip(d, "the machine has no in-kernel interrupt controller");
	if (err)
		return err == -ECANCELED ? 0 : err;
	if (j->err)
		return error_set(d->err, j->err, "%s", j->vm.error.text);
	if (j->rung != j->n)
		return drive_crash(d, "%u doorbells of %u arrived", j->rung, j->n);
	if (collect(j, stamps, offset, series))
		return drive_skip(d, "guest and host do not read the same clock here");
	return drive_done(d);
}

static int drive_inject(struct drive *d, bool by_eventfd, enum abi_phase stamps)
{
	struct injection j = {
		.drive = d,
		.by_eventfd = by_eventfd,
		.line = vmm_arch == ARCH_X86_64 ? ABI_X86_64_IRQ_LINE
						: ABI_AARCH64_IRQ_LINE,
	};
	uint64_t *series = drive_series(d, ABI_SERIES_MAX, &j.n);
	int err;

	if (!series)
		return -ENOMEM;
	j.sent = calloc(j.n, sizeof(*j.sent));
	if (!j.sent)
		return error_set(d->err, -ENOMEM, "out of memory");
	err = run(&j, stamps, series);
	drive_close(&j.vm);
	free(j.sent);
	return err;
}

int drive_irq_inject(struct drive *d)
{
	return drive_inject(d, false, ABI_PHASE_EVENT);
}

int drive_irq_inject_eoi(struct drive *d)
{
	return drive_inject(d, false, ABI_PHASE_TWIN);
}

int drive_irqfd_inject(struct drive *d)
{
	return drive_inject(d, true, ABI_PHASE_EVENT);
}
