/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What host-timed benchmarks share: a VM with a payload, its run, and the series. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/mark.h"
#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/targets/host_timed.h"
#include "host/vmm/timer.h"

static void ignore_doorbell(void *ctx, uint32_t value)
{
	(void)ctx;
	(void)value;
}

const struct vm_listener host_timed_ignore = { .doorbell = ignore_doorbell };

int host_timed_open(struct host_timed *h, struct vm *vm, enum abi_command command,
		    const struct vm_listener *listener)
{
	struct abi_params params = h->rq->params;
	uint64_t entry;
	int err;

	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_DOORBELL;
	if (config_has_pmu(h->config) && !h->config->pmu_idle)
		params.flags |= ABI_FLAG_PMU;
	params.command = command;
	params.pmc_events = params.spins = 0;
	/* The guest takes no samples. */
	if (command == ABI_COMMAND_SPIN)
		params.repeat = 0;
	err = vm_create(vm, h->kvm_fd, h->config, listener);
	if (!err)
		err = vm_load(vm, h->rq->image, h->rq->image_bytes, &entry);
	if (!err)
		err = vm_write(vm, vm->ram_gpa + ABI_PAGE_OFFSET, &params,
			       sizeof(params));
	if (!err)
		err = vm_reset(vm, entry);
	return err ? error_set(h->err, err, "%s", vm->error.text) : 0;
}

static void on_first_doorbell(void *ctx, uint32_t value)
{
	struct host_timed *h = ctx;

	(void)value;
	if (h->booting)
		vcpu_kick(h->booting);
	h->booting = NULL;
}

int host_timed_boot(struct host_timed *h, struct vm *vm, enum abi_command command)
{
	const struct vm_listener listener = { .ctx = h, .doorbell = on_first_doorbell };
	int err;

	h->booting = &vm->own[0]; /* before vm_create() */
	err = host_timed_open(h, vm, command, &listener);
	return err ? err : host_timed_run(h, vm, NULL, VCPU_STOP_KICK);
}

/* The time limit of the boot has passed: reports where the guest was. */
static void time_out(struct host_timed *h, const struct vcpu *vcpu)
{
	char registers[320];

	vcpu_dump(vcpu, registers, sizeof(registers));
	host_timed_crash(h, "the guest hung: no end after %.1f s; %s",
			 (double)h->rq->timeout_ns / 1e9, registers);
}

bool host_timed_late(struct host_timed *h)
{
	if (!watchdog_expired())
		return false;
	host_timed_crash(h, "the host was not done after %.1f s",
			 (double)h->rq->timeout_ns / 1e9);
	return true;
}

void host_timed_close(const struct host_timed *h, struct vm *vm)
{
	if (!boot_keeps_vm(h->rq, config_has_pmu(h->config)))
		vm_destroy(vm);
}

int host_timed_run(struct host_timed *h, struct vm *vm, struct run_timer *budget,
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
		return error_set(h->err, -EINTR, "interrupted");
	if (vcpu->stop == VCPU_STOP_DOORBELL && !boot_is_done(vm->ram, &guest, h->rep))
		return -ECANCELED;
	if (vcpu->stop == why)
		return 0;
	if (vcpu->stop == VCPU_STOP_TIMEOUT)
		time_out(h, vcpu);
	else if (vcpu->stop == VCPU_STOP_SHUTDOWN || vcpu->stop == VCPU_STOP_ERROR)
		host_timed_crash(h, "%s", vm->error.text);
	else
		host_timed_crash(h, "the guest %s unexpectedly", stops[vcpu->stop]);
	return -ECANCELED;
}

uint64_t *host_timed_array(struct host_timed *h, uint32_t n)
{
	volatile uint64_t *array = calloc(n ? n : 1, sizeof(*array));

	if (!array)
		error_set(h->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; array && i < n; i += 4096 / sizeof(*array))
		array[i] = 0;
	/* It begins anywhere in a page. */
	if (array && n)
		array[n - 1] = 0;
	return (uint64_t *)array;
}

static int add_series(struct host_timed *h, enum abi_phase phase, uint32_t n)
{
	h->rep->series[phase] = host_timed_array(h, n);
	if (!h->rep->series[phase])
		return -ENOMEM;
	h->rep->guest.samples[phase] = n;
	return 0;
}

uint64_t *host_timed_series(struct host_timed *h, uint32_t most, uint32_t *n)
{
	uint32_t i;

	*n = h->rq->params.events < most ? h->rq->params.events : most;
	if (add_series(h, ABI_PHASE_EVENT, *n) || add_series(h, ABI_PHASE_NULL, *n))
		return NULL;
	MARK_HERE(MARK_PHASE_BEGIN(ABI_PHASE_NULL));
	for (i = 0; i < *n; i++) {
		uint64_t start = clock_now();

		h->rep->series[ABI_PHASE_NULL][i] = clock_now() - start;
	}
	MARK_HERE(MARK_PHASE_BEGIN(ABI_PHASE_EVENT));
	return h->rep->series[ABI_PHASE_EVENT];
}

uint32_t host_timed_most(const struct host_timed *h, uint32_t noisy, uint32_t exact)
{
	return h->rq->params.repeat ? exact : noisy;
}

/* One value is three of four samples. */
static bool are_settled(const uint64_t *series, uint32_t n)
{
	uint32_t i, k, same;

	/* Such a value is among the first quarter and one. */
	for (i = 0; i <= n / 4; i++) {
		for (k = 0, same = 0; k < n; k++)
			same += series[k] == series[i];
		if (same >= n - n / 4)
			return true;
	}
	return false;
}

bool host_timed_suffice(struct host_timed *h, const uint64_t *series, uint32_t n)
{
	const uint32_t block = h->rq->params.repeat;

	if (!block)
		return false;
	if (n < 2) {
		h->began = clock_glance();
		return false;
	}
	if (abi_repeats(series, n, block))
		return true;
	return n >= HOST_TIMED_LEAST && n % HOST_TIMED_STEP == 0 &&
	       clock_glance() - h->began >= HOST_TIMED_HEAVY && are_settled(series, n);
}

void host_timed_note(struct host_timed *h, uint32_t i, uint64_t start, uint64_t end)
{
	h->rep->series[ABI_PHASE_EVENT][i] = end - start;
	if (!i)
		h->first = start;
	h->last = end;
}

bool host_timed_is_long(const struct host_timed *h, uint32_t n)
{
	return h->rq->params.repeat && n >= HOST_TIMED_FEWEST &&
	       h->last - h->first >= HOST_TIMED_LONG;
}

void host_timed_shorten(struct host_timed *h, enum abi_phase phase, uint32_t n)
{
	h->rep->guest.samples[phase] = n;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* The wall clock is read outside of the others, so that the thread's time is not more. */
void host_timed_wait_begin(struct host_timed *h)
{
	struct rusage usage;

	if (!h->exact)
		h->begin.wall_ns = now_ns(CLOCK_MONOTONIC);
	getrusage(RUSAGE_THREAD, &usage);
	h->begin.switches = usage.ru_nvcsw;
	if (!h->exact)
		h->begin.cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
}

void host_timed_wait_end(struct host_timed *h)
{
	struct boot_waits *waits = &h->rep->waits;
	struct rusage usage;

	if (!h->exact)
		waits->cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - h->begin.cpu_ns;
	getrusage(RUSAGE_THREAD, &usage);
	waits->switches += usage.ru_nvcsw - h->begin.switches;
	if (!h->exact)
		waits->wall_ns += now_ns(CLOCK_MONOTONIC) - h->begin.wall_ns;
	waits->events++;
}

uint64_t host_timed_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i)
{
	uint64_t ticks = 0;

	/* Cannot fail: i < ABI_SERIES_MAX, and the series lie in RAM. */
	(void)vm_read(vm,
		      vm->ram_gpa + ABI_SERIES_OFFSET +
			      ((uint64_t)phase * ABI_SERIES_MAX + i) * sizeof(ticks),
		      &ticks, sizeof(ticks));
	return ticks;
}

uint32_t host_timed_stamped(const struct host_timed *h, const struct vm *vm)
{
	const struct abi_params *params = &h->rq->params;
	uint64_t n = 0;

	(void)vm_read(vm,
		      vm->ram_gpa + ABI_PAGE_OFFSET +
			      offsetof(struct abi_page, report.samples[ABI_PHASE_EVENT]),
		      &n, sizeof(n));
	if (n == params->events)
		return (uint32_t)n;
	/* A series that ended early: whole blocks, two at least (abi_repeats()). */
	if (n < params->events && params->repeat && n % params->repeat == 0 &&
	    n / params->repeat >= 2)
		return (uint32_t)n;
	return 0;
}

int host_timed_done(struct host_timed *h)
{
	MARK_HERE(MARK_PHASE_END(ABI_PHASE_EVENT));
	h->rep->outcome = BOOT_DONE;
	return 0;
}

int host_timed_skip(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	h->rep->outcome = BOOT_SKIP;
	va_start(args, fmt);
	vsnprintf(h->rep->reason, sizeof(h->rep->reason), fmt, args);
	va_end(args);
	return 0;
}

int host_timed_crash(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	h->rep->outcome = BOOT_CRASH;
	va_start(args, fmt);
	vsnprintf(h->rep->reason, sizeof(h->rep->reason), fmt, args);
	va_end(args);
	return 0;
}
