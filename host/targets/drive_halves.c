/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers: the two halves of an exit to user space, on the clock that guest and host
 * share (host/vmm/clock.h). The guest reads it before and after it rings; the host
 * when the doorbell reaches it, and last thing before it goes back. Each reading must lie
 * between its neighbours, or the clocks are not one and nothing is reported.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/clock.h"

struct halves {
	struct drive *drive;
	struct vm vm;
	uint32_t n, rung;
	/* The host's readings, one per doorbell. */
	uint64_t *arrived, *left;
};

static void on_doorbell(void *ctx, uint32_t value)
{
	struct halves *h = ctx;
	uint64_t now = clock_now();

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || h->rung >= h->n)
		return;
	h->arrived[h->rung] = now;
	h->left[h->rung++] = clock_now();
}

/* The samples of one direction; -ERANGE if a reading is out of order. */
static int subtract(const struct halves *h, bool out, uint64_t offset, uint64_t *series)
{
	uint32_t i;

	for (i = 0; i < h->n; i++) {
		uint64_t before = drive_stamp(&h->vm, ABI_PHASE_EVENT, i) - offset;
		uint64_t after = drive_stamp(&h->vm, ABI_PHASE_TWIN, i) - offset;

		if ((int64_t)(h->arrived[i] - before) < 0 ||
		    (int64_t)(after - h->left[i]) < 0)
			return -ERANGE;
		series[i] = out ? h->arrived[i] - before : after - h->left[i];
	}
	return 0;
}

static int measure(struct halves *h, bool out, uint64_t *series)
{
	const struct vm_listener listener = { .ctx = h, .doorbell = on_doorbell };
	struct drive *d = h->drive;
	uint64_t offset;
	int err;

	err = drive_open(d, &h->vm, ABI_COMMAND_STAMP, &listener);
	if (err)
		return err;
	if (clock_guest_offset(&h->vm.vcpus[0], &offset))
		return drive_skip(
			d, "this KVM does not tell the offset of the guest's clock "
			   "(KVM_VCPU_TSC_OFFSET, Linux 5.16)");
	err = drive_run(d, &h->vm, NULL, VCPU_STOP_DOORBELL);
	if (err)
		return err == -ECANCELED ? 0 : err;
	if (h->rung != h->n)
		return drive_crash(d, "%u doorbells of %u arrived", h->rung, h->n);
	if (subtract(h, out, offset, series))
		return drive_skip(d, "guest and host do not read the same clock here");
	return drive_done(d);
}

static int drive_half(struct drive *d, bool out)
{
	struct halves h = { .drive = d };
	uint64_t *series = drive_series(d, ABI_SERIES_MAX, &h.n);
	int err;

	if (!series)
		return -ENOMEM;
	h.arrived = calloc(h.n, sizeof(*h.arrived));
	h.left = calloc(h.n, sizeof(*h.left));
	if (h.arrived && h.left) {
		err = measure(&h, out, series);
		drive_close(&h.vm);
	} else {
		err = error_set(d->err, -ENOMEM, "out of memory");
	}
	free(h.arrived);
	free(h.left);
	return err;
}

int drive_exit_out(struct drive *d)
{
	return drive_half(d, true);
}

int drive_exit_in(struct drive *d)
{
	return drive_half(d, false);
}
