/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host-timed benchmarks of whole VMs: creation, the first exit, checkpoints. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/timer.h"

/* Milliseconds each: enough for a median. Of an exact target every third one waits. */
#define CREATE_EVENTS	    20
#define EXACT_CREATE_EVENTS 12

/* From nothing to a VM with memory, interrupt controller and a vCPU. */
int host_timed_vm_create(struct host_timed *h)
{
	uint32_t n, i;

	kvm_spare_vms_destroy();
	if (!host_timed_series(h, host_timed_most(h, CREATE_EVENTS, EXACT_CREATE_EVENTS),
			       &n))
		return -ENOMEM;
	for (i = 0; i < n && !host_timed_is_long(h, i); i++) {
		struct vm vm;
		uint64_t start;
		int err;

		host_timed_wait_begin(h);
		start = clock_now();
		err = vm_create(&vm, h->kvm_fd, h->config, &host_timed_ignore);
		host_timed_note(h, i, start, clock_now());
		host_timed_wait_end(h);
		if (err)
			error_set(h->err, err, "%s", vm.error.text);
		vm_destroy(&vm);
		if (err)
			return err;
		if (host_timed_late(h))
			return 0;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i);
	return host_timed_done(h);
}

/*
 * From a VM whose guest has run, with its memory mapped, to nothing. What destroys a VM
 * is the last close() of it, in the thread that calls it.
 */
int host_timed_vm_destroy(struct host_timed *h)
{
	uint32_t n, i;

	kvm_spare_vms_destroy();
	if (!host_timed_series(h, host_timed_most(h, CREATE_EVENTS, EXACT_CREATE_EVENTS),
			       &n))
		return -ENOMEM;
	for (i = 0; i < n && !host_timed_is_long(h, i); i++) {
		struct vm vm;
		uint64_t start;
		int err = host_timed_boot(h, &vm, ABI_COMMAND_SPIN);

		host_timed_wait_begin(h);
		start = clock_now();
		vm_destroy(&vm);
		host_timed_note(h, i, start, clock_now());
		host_timed_wait_end(h);
		if (err)
			return err == -ECANCELED ? 0 : err;
		if (host_timed_late(h))
			return 0;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i);
	return host_timed_done(h);
}

/* A VM whose guest does nothing but stop, run to its first stop. */
static int open_switched(struct host_timed *h, struct vm *vm)
{
	int err = host_timed_open(h, vm, ABI_COMMAND_STOP, &host_timed_ignore);

	return err ? err : host_timed_run(h, vm, NULL, VCPU_STOP_DOORBELL);
}

/* From the entry of a VM to its next stop; `vms` VMs in turns. */
static int take_turns(struct host_timed *h, uint32_t vms)
{
	struct vm *vm = calloc(vms, sizeof(*vm));
	uint64_t *series;
	uint32_t n, opened = 0, i;
	int err = 0;

	if (!vm)
		return error_set(h->err, -ENOMEM, "out of memory");
	series = host_timed_series(h, ABI_SERIES_MAX, &n);
	if (!series)
		err = -ENOMEM;
	while (!err && opened < vms)
		err = open_switched(h, &vm[opened++]);
	/* The first turn of each VM is the warm-up. */
	for (i = 0; !err && i < n + vms; i++) {
		const struct vcpu *vcpu = &vm[i % vms].vcpus[0];

		if (i > vms && host_timed_suffice(h, series, i - vms))
			break;
		err = host_timed_run(h, &vm[i % vms], NULL, VCPU_STOP_DOORBELL);
		if (i >= vms)
			series[i - vms] = vcpu->ended - vcpu->began;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i > vms ? i - vms : 0);
	while (opened)
		vm_destroy(&vm[--opened]);
	free(vm);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

int host_timed_vm_switch(struct host_timed *h)
{
	return take_turns(h, 2);
}

int host_timed_vm_stay(struct host_timed *h)
{
	return take_turns(h, 1);
}

struct first {
	struct host_timed *timed;
	uint64_t ticks;
	struct vcpu *vcpu;
};

static void on_first_exit(void *ctx, uint32_t value)
{
	struct first *f = ctx;

	(void)value;
	f->ticks = clock_now();
	host_timed_wait_end(f->timed);
	vcpu_kick(f->vcpu);
}

/*
 * From nothing to the first exit that user space sees. The guest does as little before it
 * as its runtime can: it takes no samples, and reads the clock once.
 */
int host_timed_first_exit(struct host_timed *h)
{
	struct host_timed own = *h;
	struct boot_request rq = *h->rq;
	uint32_t n, i;

	kvm_spare_vms_destroy();
	if (!host_timed_series(h, host_timed_most(h, CREATE_EVENTS, EXACT_CREATE_EVENTS),
			       &n))
		return -ENOMEM;
	rq.params.events = rq.params.batch = rq.params.batches = rq.params.pace = 0;
	rq.params.clock_reads = 1;
	own.rq = &rq;
	for (i = 0; i < n && !host_timed_is_long(h, i); i++) {
		struct vm vm;
		struct first first = { .timed = h, .vcpu = &vm.own[0] };
		const struct vm_listener listener = { .ctx = &first,
						      .doorbell = on_first_exit };
		uint64_t start;
		int err;

		host_timed_wait_begin(h);
		start = clock_now();
		err = host_timed_open(&own, &vm, ABI_COMMAND_SPIN, &listener);
		if (!err)
			err = host_timed_run(&own, &vm, NULL, VCPU_STOP_KICK);
		host_timed_note(h, i, start, first.ticks);
		vm_destroy(&vm);
		if (err)
			return err == -ECANCELED ? 0 : err;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i);
	return host_timed_done(h);
}

/* Megabytes each: enough for a median, as a timer tick is in up to a third of them. */
#define CHECKPOINT_EVENTS  5
/* Not timed: the first save allocates the file's pages, the next ones extend the heap. */
#define CHECKPOINT_WARM_UP 3

/* A VM that has booted and does not run again, and its checkpoint. */
struct saved {
	struct vm vm;
	struct checkpoint_pages pages;
	int fd;
};

static int save(struct host_timed *h, struct saved *s)
{
	int err = checkpoint_save_pages(&s->vm, s->fd, &s->pages);

	return err ? error_set(h->err, err, "%s", s->vm.error.text) : 0;
}

static int time_save(struct host_timed *h, struct saved *s, uint32_t i)
{
	uint64_t start = clock_now();
	int err = save(h, s);

	host_timed_note(h, i, start, clock_now());
	return err;
}

/* Into a new VM, which is destroyed. */
static int time_restore(struct host_timed *h, struct saved *s, uint32_t i)
{
	struct vm fresh;
	uint64_t start;
	int err = vm_create(&fresh, h->kvm_fd, h->config, &s->vm.listener);

	if (!err) {
		start = clock_now();
		err = checkpoint_restore(&fresh, s->fd);
		host_timed_note(h, i, start, clock_now());
	}
	if (err)
		error_set(h->err, err, "%s", fresh.error.text);
	vm_destroy(&fresh);
	return err;
}

static void on_restored_doorbell(void *ctx, uint32_t value)
{
	struct vcpu **vcpu = ctx;

	(void)value;
	vcpu_kick(*vcpu);
}

/* The guest of the last file continues in a new VM: it rings the doorbell again. */
static int prove_restored(struct host_timed *h, const struct saved *s)
{
	struct vm fresh;
	struct vcpu *vcpu = &fresh.own[0];
	const struct vm_listener listener = { .ctx = &vcpu,
					      .doorbell = on_restored_doorbell };
	int err = vm_create(&fresh, h->kvm_fd, h->config, &listener);

	if (!err)
		err = checkpoint_restore(&fresh, s->fd);
	if (err)
		error_set(h->err, err, "%s", fresh.error.text);
	else
		err = host_timed_run(h, &fresh, NULL, VCPU_STOP_KICK);
	vm_destroy(&fresh);
	return err;
}

static int run_checkpoints(struct host_timed *h, struct saved *s, bool restore,
			   uint32_t n)
{
	uint32_t i;
	int err = 0;

	/* The guest has booted; its last exit may be incomplete. */
	if (vcpu_drain(&s->vm.vcpus[0]))
		err = error_set(h->err, -EIO, "%s", s->vm.error.text);
	/*
	 * Not timed: a VMM that logs dirty pages knows which are not zero, and a search
	 * through all memory would be nine tenths of the figure.
	 */
	if (!err && checkpoint_find_pages(&s->vm, &s->pages))
		err = error_set(h->err, -EIO, "%s", s->vm.error.text);
	for (i = 0; !err && i < CHECKPOINT_WARM_UP; i++)
		err = save(h, s);
	for (i = 0; !err && i < n && !host_timed_is_long(h, i); i++) {
		if (host_timed_late(h))
			err = -ECANCELED;
		else
			err = (restore ? time_restore : time_save)(h, s, i);
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i);
	return err;
}

static int checkpoint(struct host_timed *h, bool restore)
{
	struct saved s = { .pages = { .count = { 0 } } };
	uint32_t n;
	int err;

	kvm_spare_vms_destroy();
	if (!host_timed_series(h, CHECKPOINT_EVENTS, &n))
		return -ENOMEM;
	s.fd = checkpoint_create();
	if (s.fd < 0)
		return error_set(h->err, s.fd, "cannot make a file in memory: %s",
				 strerror(-s.fd));
	err = host_timed_boot(h, &s.vm, ABI_COMMAND_DOORBELL);
	if (!err)
		err = run_checkpoints(h, &s, restore, n);
	if (!err)
		err = prove_restored(h, &s);
	checkpoint_pages_free(&s.pages);
	vm_destroy(&s.vm);
	close(s.fd);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

int host_timed_checkpoint_save(struct host_timed *h)
{
	return checkpoint(h, false);
}

int host_timed_checkpoint_restore(struct host_timed *h)
{
	return checkpoint(h, true);
}
