/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers: what it costs to make a VM, to reach its first exit, and to call KVM_RUN. */
#include <errno.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/clock.h"

/* Milliseconds each: enough for a median. */
#define CREATE_EVENTS 20

static void no_doorbell(void *ctx, uint32_t value)
{
	(void)ctx;
	(void)value;
}

static const struct vm_listener deaf = { .doorbell = no_doorbell };

/* KVM_RUN that never enters the guest: the cost of asking. */
int drive_immediate_exit(struct drive *d)
{
	struct vm vm;
	uint64_t *series;
	uint32_t n, i;
	int err;

	series = drive_series(d, ABI_SERIES_MAX, &n);
	if (!series)
		return -ENOMEM;
	err = drive_open(d, &vm, ABI_COMMAND_SPIN, &deaf);
	for (i = 0; !err && i < n; i++) {
		uint64_t start = clock_now();

		err = vcpu_enter_immediate(&vm.vcpus[0]);
		series[i] = clock_now() - start;
		if (err)
			error_set(d->err, err, "%s", vm.error.text);
		else if (drive_late(d))
			err = -ECANCELED;
	}
	drive_close(&vm);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}

/* From nothing to a VM with memory, interrupt controller and a vCPU. */
int drive_vm_create(struct drive *d)
{
	uint64_t *series;
	uint32_t n, i;

	series = drive_series(d, CREATE_EVENTS, &n);
	if (!series)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint64_t start = clock_now();
		struct vm vm;
		int err = vm_create(&vm, d->kvm_fd, d->config, &deaf);

		series[i] = clock_now() - start;
		if (err)
			error_set(d->err, err, "%s", vm.error.text);
		vm_destroy(&vm);
		if (err)
			return err;
		if (drive_late(d))
			return 0;
	}
	return drive_done(d);
}

struct first {
	uint64_t ticks;
	struct vcpu *vcpu;
};

static void first_doorbell(void *ctx, uint32_t value)
{
	struct first *f = ctx;

	(void)value;
	f->ticks = clock_now();
	vcpu_kick(f->vcpu);
}

/* From nothing to the first exit that user space sees. */
int drive_first_exit(struct drive *d)
{
	uint64_t *series;
	uint32_t n, i;

	series = drive_series(d, CREATE_EVENTS, &n);
	if (!series)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct vm vm;
		struct first first = { .vcpu = &vm.vcpus[0] };
		const struct vm_listener listener = { .ctx = &first,
						      .doorbell = first_doorbell };
		uint64_t start = clock_now();
		int err = drive_open(d, &vm, ABI_COMMAND_SPIN, &listener);

		if (!err)
			err = drive_run(d, &vm, NULL, VCPU_STOP_KICK);
		series[i] = first.ticks - start;
		drive_close(&vm);
		if (err)
			return err == -ECANCELED ? 0 : err;
	}
	return drive_done(d);
}
