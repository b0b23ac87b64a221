/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of memory slots on hosts that are not here: with pages of 64 KiB, with a KVM that
 * does not count exits. The functions that need a VM are the test's own.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/memory.h"
#include "host/vmm/timer.h"

#define EVENTS 3

static long page_bytes = 4096;
static int64_t exits = -1;
static unsigned int runs;
static uint32_t touched, most_samples;
static uint32_t repeat; /* of the parameters: not 0 on an exact target */

long sysconf(int name)
{
	long (*real)(int);

	if (name == _SC_PAGESIZE)
		return page_bytes;
	*(void **)&real = dlsym(RTLD_NEXT, "sysconf");
	return real(name);
}

int host_timed_open(struct host_timed *h, struct vm *vm, enum abi_command command,
		    const struct vm_listener *listener)
{
	(void)command;
	(void)listener;
	touched = h->rq->params.operand;
	memset(vm, 0, sizeof(*vm));
	return 0;
}

int host_timed_run(struct host_timed *h, struct vm *vm, struct run_timer *budget,
		   enum vcpu_stop why)
{
	(void)h;
	(void)vm;
	(void)budget;
	(void)why;
	runs++;
	return 0;
}

uint64_t *host_timed_series(struct host_timed *h, uint32_t most, uint32_t *n)
{
	static uint64_t series[EVENTS];

	(void)h;
	most_samples = most;
	*n = EVENTS;
	return series;
}

uint32_t host_timed_most(const struct host_timed *h, uint32_t noisy, uint32_t exact)
{
	return h->rq->params.repeat ? exact : noisy;
}

bool host_timed_suffice(struct host_timed *h, const uint64_t *of, uint32_t n)
{
	(void)h;
	(void)of;
	(void)n;
	return false;
}

void host_timed_shorten(struct host_timed *h, enum abi_phase phase, uint32_t n)
{
	(void)h;
	(void)phase;
	(void)n;
}

void host_timed_wait_begin(struct host_timed *h)
{
	(void)h;
}

void host_timed_wait_end(struct host_timed *h)
{
	h->rep->waits.switches++;
	h->rep->waits.events++;
}

bool host_timed_late(struct host_timed *h)
{
	(void)h;
	return false;
}

uint64_t host_timed_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i)
{
	(void)vm;
	(void)phase;
	return i;
}

int host_timed_done(struct host_timed *h)
{
	h->rep->outcome = BOOT_DONE;
	return 0;
}

static int stop(struct host_timed *h, enum boot_outcome outcome, const char *fmt,
		va_list args)
{
	h->rep->outcome = outcome;
	vsnprintf(h->rep->reason, sizeof(h->rep->reason), fmt, args);
	return 0;
}

int host_timed_skip(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(h, BOOT_SKIP, fmt, args);
	va_end(args);
	return 0;
}

int host_timed_crash(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(h, BOOT_CRASH, fmt, args);
	va_end(args);
	return 0;
}

int64_t vcpu_kvm_stat(const struct vcpu *vcpu, enum kvm_stat stat)
{
	(void)vcpu;
	(void)stat;
	return exits;
}

uint64_t clock_now(void)
{
	static uint64_t now;

	return now++;
}

void vcpu_kick(struct vcpu *vcpu)
{
	(void)vcpu;
}

int vm_thread(pthread_t *thread, int cpu, void *(*work)(void *ctx), void *ctx)
{
	(void)cpu;
	return -pthread_create(thread, NULL, work, ctx);
}

void vm_destroy(struct vm *vm)
{
	(void)vm;
}

int slot_add(struct vm *vm, uint64_t gpa, uint64_t bytes, const struct slot_options *o)
{
	(void)vm;
	(void)gpa;
	(void)bytes;
	(void)o;
	return 0;
}

int slot_unmap(struct vm *vm, uint64_t gpa)
{
	(void)vm;
	(void)gpa;
	return 0;
}

int slot_register(struct vm *vm, uint32_t index, uint64_t gpa,
		  const struct slot_options *o)
{
	(void)vm;
	(void)index;
	(void)gpa;
	(void)o;
	return 0;
}

int slot_delete(struct vm *vm, uint32_t index)
{
	(void)vm;
	(void)index;
	return 0;
}

int memory_convert(struct vm *vm, uint64_t gpa, uint64_t bytes, bool private)
{
	(void)vm;
	(void)gpa;
	(void)bytes;
	(void)private;
	return 0;
}

int slot_pre_fault(struct vm *vm, uint32_t index)
{
	(void)vm;
	(void)index;
	return 0;
}

/* All of the 512 pages. */
int dirty_log_get(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	(void)vm;
	(void)index;
	memset(bitmap, 0xff, 512 / 8);
	return 0;
}

int dirty_log_clear(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	(void)vm;
	(void)index;
	(void)bitmap;
	return 0;
}

static struct boot_report measured(int (*row)(struct host_timed *))
{
	static struct boot_report rep;
	struct boot_request rq = { .params.repeat = repeat };
	struct error err = { 0 };
	struct host_timed h = { .rq = &rq, .rep = &rep, .err = &err };

	memset(&rep, 0, sizeof(rep));
	rep.outcome = BOOT_CRASH;
	cr_expect_eq(row(&h), 0);
	return rep;
}

/* The guest stores to pages of 4 KiB, and the log would have a bit for 16 of them. */
Test(memory_rows, pages_of_64_kib_are_skipped)
{
	int (*const rows[])(struct host_timed *) = { host_timed_dirty_log_get,
						     host_timed_memslot_move,
						     host_timed_userfaultfd };

	page_bytes = 65536;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct boot_report rep = measured(rows[i]);

		cr_expect_eq(rep.outcome, BOOT_SKIP);
		cr_expect_not_null(strstr(rep.reason, "65536"), "%s", rep.reason);
	}
	cr_expect_eq(runs, 0);
}

Test(memory_rows, a_mapping_that_exits_do_not_prove_is_skipped)
{
	int (*const rows[])(struct host_timed *) = { host_timed_dirty_log_start,
						     host_timed_dirty_log_stop,
						     host_timed_pre_fault };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct boot_report rep = measured(rows[i]);

		cr_expect_eq(rep.outcome, BOOT_SKIP);
		cr_expect_not_null(strstr(rep.reason, "does not count exits"), "%s",
				   rep.reason);
	}
	exits = 0;
	cr_expect_eq(measured(host_timed_pre_fault).outcome, BOOT_DONE);
}

Test(memory_rows, waits_are_those_of_the_samples)
{
	const struct boot_report rep = measured(host_timed_memslot_delete);

	cr_expect_eq(rep.outcome, BOOT_DONE);
	cr_expect_eq(runs, EVENTS + 1);
	cr_expect_eq(rep.waits.events, EVENTS);
	cr_expect_eq(rep.waits.switches, EVENTS);
}

/* A figure that depends on the mapped pages is that of all 512, however few the samples.
 */
Test(memory_rows, exact_targets_have_few_samples_of_all_pages)
{
	int (*const rows[])(struct host_timed *) = {
		host_timed_dirty_log_get,   host_timed_dirty_log_clear,
		host_timed_memslot_move,    host_timed_memslot_delete,
		host_timed_dirty_log_start, host_timed_dirty_log_stop,
	};

	exits = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		repeat = 0;
		(void)measured(rows[i]);
		cr_expect_eq(most_samples, 20);
		cr_expect_eq(touched, 512);
		repeat = 24;
		(void)measured(rows[i]);
		cr_expect_eq(most_samples, 5);
		cr_expect_eq(touched, 512);
	}
	cr_expect_eq(measured(host_timed_memslot_create).outcome, BOOT_DONE);
	cr_expect_eq(touched, 1, "a new slot has no mapped page");
	cr_expect_eq(most_samples, 20, "its samples are cheap");
}
