/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of drivers, and what they have in common. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/interrupt.h"
#include "bench/mark.h"
#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/clock.h"
#include "host/vmm/timer.h"

static const struct driver drivers[] = {
	{ "kvm_run_immediate_exit", ARCHS_ALL, drive_immediate_exit, "driven" },
	{ "vm_create", ARCHS_ALL, drive_vm_create, "driven" },
	{ "first_exit", ARCHS_ALL, drive_first_exit, "driven" },
	{ "exit_out", ARCHS_ALL, drive_exit_out, "driven" },
	{ "exit_in", ARCHS_ALL, drive_exit_in, "driven" },
	{ "kick_signal", ARCHS_ALL, drive_kick_signal, "driven" },
	{ "kick_immediate_exit", ARCHS_ALL, drive_kick_immediate_exit, "driven" },
	{ "timer_overshoot_posix", ARCHS_ALL, drive_overshoot_posix, "driven" },
	{ "timer_overshoot_perf", ARCHS_ALL, drive_overshoot_perf, "driven" },
	{ "insn_stop_skid", ARCHS_ALL, drive_insn_stop, "driven" },
	{ "vmm_overhead", 1u << ARCH_X86_64, drive_vmm_overhead, "pio_out_user" },
	{ "vmm_overhead", 1u << ARCH_AARCH64, drive_vmm_overhead, "mmio_write_user" },
	{ "irq_inject", ARCHS_ALL, drive_irq_inject, "driven" },
	{ "irq_inject_eoi", ARCHS_ALL, drive_irq_inject_eoi, "driven" },
	{ "irqfd_inject", ARCHS_ALL, drive_irqfd_inject, "driven" },
	{ "checkpoint_save", ARCHS_ALL, drive_checkpoint_save, "driven" },
	{ "checkpoint_restore", ARCHS_ALL, drive_checkpoint_restore, "driven" },
	{ "state_get_all", ARCHS_ALL, drive_state_get_all, "driven" },
	{ "state_sync_lazy", ARCHS_ALL, drive_state_sync_lazy, "driven" },
	{ "state_sync_always", ARCHS_ALL, drive_state_sync_always, "driven" },
	{ "state_sync_regs", ARCHS_X86_64, drive_state_sync_regs, "driven" },
	{ .id = NULL },
};

const struct driver *driver_find(const char *id, enum arch arch)
{
	const struct driver *d;

	for (d = drivers; d->id; d++)
		if (!strcmp(d->id, id) && d->archs & 1u << arch)
			return d;
	return NULL;
}

int drive_open(struct drive *d, struct vm *vm, enum abi_command command,
	       const struct vm_listener *listener)
{
	struct abi_params params = d->rq->params;
	uint64_t entry;
	int err;

	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_DOORBELL;
	params.command = command;
	params.pmc_events = params.spins = 0;
	err = vm_create(vm, d->kvm_fd, d->config, listener);
	if (!err)
		err = vm_load(vm, d->rq->image, d->rq->image_bytes, &entry);
	if (!err)
		err = vm_write(vm, vm->ram_gpa + ABI_PAGE_OFFSET, &params,
			       sizeof(params));
	if (!err)
		err = vm_reset(vm, entry);
	return err ? error_set(d->err, err, "%s", vm->error.text) : 0;
}

static void on_first_doorbell(void *ctx, uint32_t value)
{
	struct drive *d = ctx;

	(void)value;
	if (d->booting)
		vcpu_kick(d->booting);
	d->booting = NULL;
}

int drive_boot(struct drive *d, struct vm *vm, enum abi_command command)
{
	const struct vm_listener listener = { .ctx = d, .doorbell = on_first_doorbell };
	int err;

	d->booting = &vm->vcpus[0];
	err = drive_open(d, vm, command, &listener);
	return err ? err : drive_run(d, vm, NULL, VCPU_STOP_KICK);
}

void drive_close(struct vm *vm)
{
	vm_destroy(vm);
}

/* The boot's time limit has passed; where the guest was, if it is to blame. */
static void time_out(struct drive *d, const struct vcpu *vcpu)
{
	char registers[320];

	vcpu_dump(vcpu, registers, sizeof(registers));
	drive_crash(d, "the guest hung: no end after %.1f s; %s",
		    (double)d->rq->timeout_ns / 1e9, registers);
}

bool drive_late(struct drive *d)
{
	if (!watchdog_expired())
		return false;
	drive_crash(d, "the host was not done after %.1f s",
		    (double)d->rq->timeout_ns / 1e9);
	return true;
}

int drive_run(struct drive *d, struct vm *vm, struct run_timer *budget,
	      enum vcpu_stop why)
{
	static const char *const stops[] = {
		[VCPU_STOP_NONE] = "did not stop",
		[VCPU_STOP_DOORBELL] = "finished",
		[VCPU_STOP_BUDGET] = "used up its time",
		[VCPU_STOP_KICK] = "was kicked",
		[VCPU_STOP_DRAINED] = "was drained",
	};
	struct vcpu *vcpu = &vm->vcpus[0];
	struct abi_report guest;

	if (vm->config.bare_loop)
		(void)vcpu_run_bare(vcpu, budget);
	else
		(void)vcpu_run(vcpu, budget);
	if (interrupted)
		return error_set(d->err, -EINTR, "interrupted");
	if (vcpu->stop == VCPU_STOP_DOORBELL && !boot_is_done(vm->ram, &guest, d->rep))
		return -ECANCELED;
	if (vcpu->stop == why)
		return 0;
	if (vcpu->stop == VCPU_STOP_TIMEOUT)
		time_out(d, vcpu);
	else if (vcpu->stop == VCPU_STOP_SHUTDOWN || vcpu->stop == VCPU_STOP_ERROR)
		drive_crash(d, "%s", vm->error.text);
	else
		drive_crash(d, "the guest %s where that was not expected",
			    stops[vcpu->stop]);
	return -ECANCELED;
}

static int add_series(struct drive *d, enum abi_phase phase, uint32_t n)
{
	d->rep->series[phase] = calloc(n, sizeof(uint64_t));
	if (!d->rep->series[phase])
		return error_set(d->err, -ENOMEM, "out of memory");
	d->rep->guest.samples[phase] = n;
	return 0;
}

uint64_t *drive_series(struct drive *d, uint32_t most, uint32_t *n)
{
	uint32_t i;

	*n = d->rq->params.events < most ? d->rq->params.events : most;
	if (add_series(d, ABI_PHASE_EVENT, *n) || add_series(d, ABI_PHASE_NULL, *n))
		return NULL;
	MARK_HERE(MARK_PHASE_BEGIN(ABI_PHASE_NULL));
	for (i = 0; i < *n; i++) {
		uint64_t start = clock_now();

		d->rep->series[ABI_PHASE_NULL][i] = clock_now() - start;
	}
	MARK_HERE(MARK_PHASE_BEGIN(ABI_PHASE_EVENT));
	return d->rep->series[ABI_PHASE_EVENT];
}

uint64_t drive_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i)
{
	uint64_t ticks = 0;

	/* Cannot fail: i < ABI_SERIES_MAX, and the series lie in RAM. */
	(void)vm_read(vm,
		      vm->ram_gpa + ABI_SERIES_OFFSET +
			      ((uint64_t)phase * ABI_SERIES_MAX + i) * sizeof(ticks),
		      &ticks, sizeof(ticks));
	return ticks;
}

int drive_done(struct drive *d)
{
	MARK_HERE(MARK_PHASE_END(ABI_PHASE_EVENT));
	d->rep->outcome = BOOT_DONE;
	return 0;
}

static int finish(struct drive *d, enum boot_outcome outcome, const char *fmt,
		  va_list args)
{
	d->rep->outcome = outcome;
	vsnprintf(d->rep->reason, sizeof(d->rep->reason), fmt, args);
	return 0;
}

int drive_skip(struct drive *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	finish(d, BOOT_SKIP, fmt, args);
	va_end(args);
	return 0;
}

int drive_crash(struct drive *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	finish(d, BOOT_CRASH, fmt, args);
	va_end(args);
	return 0;
}
