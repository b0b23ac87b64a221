/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver: what the full run loop costs over the least one that could do the job. The
 * payload of the plainest exit to user space runs under each; the least loop's samples
 * are the series that gets subtracted.
 */
#include <errno.h>

#include "host/targets/drive.h"

static void no_doorbell(void *ctx, uint32_t value)
{
	(void)ctx;
	(void)value;
}

static const struct vm_listener deaf = { .doorbell = no_doorbell };

/* One boot of that payload, whose timed events go into `series`. */
static int run(struct drive *d, bool bare, uint64_t *series, uint32_t n)
{
	struct vm_config config = *d->config;
	struct boot_request rq = *d->rq;
	struct drive own = *d;
	struct vm vm;
	uint32_t i;
	int err;

	config.bare_loop = bare;
	rq.params.events = n;
	rq.params.batch = 0;
	own.config = &config;
	own.rq = &rq;
	err = drive_open(&own, &vm, 0, &deaf);
	if (!err)
		err = drive_run(&own, &vm, NULL, VCPU_STOP_DOORBELL);
	for (i = 0; !err && i < n; i++)
		series[i] = drive_stamp(&vm, ABI_PHASE_EVENT, i);
	drive_close(&vm);
	return err;
}

int drive_vmm_overhead(struct drive *d)
{
	uint64_t *series;
	uint32_t n;
	int err;

	series = drive_series(d, ABI_SERIES_MAX, &n);
	if (!series)
		return -ENOMEM;
	err = run(d, true, d->rep->series[ABI_PHASE_NULL], n);
	if (!err)
		err = run(d, false, series, n);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}
