/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of memory slots on hosts that are not here: with pages of 64 KiB, with a KVM that
 * does not count exits, with requests that return 0 without an effect. The functions that
 * need a VM are the test's own: they model a slot of 512 pages.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/counters.h"
#include "host/vmm/memory.h"
#include "host/vmm/timer.h"

#define EVENTS 3

static long page_bytes = 4096;
static bool counts_exits = true, dirty_log_manual = true;
static bool counts_huge_pages = true; /* x86_64 */
static bool keeps_tables; /* of small pages, in whose place no huge page is mapped */
static uint32_t pages_of_fault = 1; /* that KVM maps */
static enum kvm_flavour flavour = KVM_FLAVOUR_VMX;

/* The requests that have no effect. */
enum {
	NO_UNMAP = 1,
	NO_DELETION = 2,
	NO_CREATION = 4,
	NO_MOVE_AWAY = 8,
	NO_MOVE_BACK = 16,
	NO_GET = 32,
	NO_CLEAR = 64,
	NO_CONVERSION = 128,
	NO_PRE_FAULT = 256,
	NO_HUGE_PAGE = 512,
};
static unsigned int without_effect;

/* The slot, the guest's mappings of it, and its dirty log. */
static struct {
	uint64_t gpa;
	bool exists, is_logged, is_private;
	uint32_t mapped; /* pages of 4 KiB; or all, by one huge page */
	bool is_huge, is_backed_by_huge, has_table;
	int64_t huge_pages;
	uint64_t dirty[512 / 64];
	int64_t exits;
	struct vm_listener listener;
} slot;

static void forget_mappings(void)
{
	slot.mapped = 0;
	slot.is_huge = false;
	slot.huge_pages = 0;
}

/* What the next fault maps. */
static void choose_size(void)
{
	slot.is_huge = slot.is_backed_by_huge && !slot.is_logged &&
		       !(keeps_tables && slot.has_table) &&
		       !(without_effect & NO_HUGE_PAGE);
}

/* Logs that were switched on for small pages. */
static unsigned int small_starts;

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
	touched = h->rq->params.operand;
	memset(vm, 0, sizeof(*vm));
	memset(&slot, 0, sizeof(slot));
	slot.listener = *listener;
	return 0;
}

/* The guest stores to its pages, each of which may exit, and rings the doorbell. */
int host_timed_run(struct host_timed *h, struct vm *vm, struct run_timer *budget,
		   enum vcpu_stop why)
{
	static const struct vm_access store = { .address = SLOT_GPA, .is_write = true };
	uint32_t i;

	(void)h;
	(void)budget;
	(void)why;
	runs++;
	slot.exits++;
	for (i = 0; i < touched; i++) {
		if (!slot.exists || slot.gpa != SLOT_GPA) {
			slot.exits++;
			slot.listener.access(slot.listener.ctx, &vm->vcpus[0], &store);
			continue;
		}
		/* A write-protected page, and one that is not mapped. */
		if (i >= slot.mapped ||
		    (slot.is_logged && !(slot.dirty[i / 64] >> i % 64 & 1)))
			slot.exits++;
		slot.dirty[i / 64] |= 1ull << i % 64;
		if (i < slot.mapped)
			continue;
		slot.mapped = slot.is_huge ? 512 : i + pages_of_fault;
		slot.huge_pages += slot.is_huge;
		slot.has_table |= !slot.is_huge;
	}
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

int64_t vcpu_kvm_stat(struct vcpu *vcpu, enum bench_statistic_id stat)
{
	(void)vcpu;
	(void)stat;
	return counts_exits ? slot.exits : -1;
}

void vm_stat_open(struct vm_stat *stat, const struct vm *vm, const char *name)
{
	(void)vm;
	cr_expect_str_eq(name, "pages_2m");
	stat->is_open = true;
}

int64_t vm_stat_read(const struct vm_stat *stat)
{
	return stat->is_open && counts_huge_pages ? slot.huge_pages : -1;
}

void vm_stat_close(struct vm_stat *stat)
{
	stat->is_open = false;
}

enum kvm_flavour kvm_flavour(int kvm_fd)
{
	(void)kvm_fd;
	return flavour;
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
	(void)bytes;
	vm->dirty_log_manual = dirty_log_manual;
	slot.gpa = gpa;
	slot.exists = true;
	slot.is_logged = o->dirty_log;
	slot.is_backed_by_huge = o->huge;
	choose_size();
	return 0;
}

/* The next fault maps a huge page, unless the log is on. */
int slot_unmap(struct vm *vm, uint64_t gpa)
{
	(void)vm;
	(void)gpa;
	if (without_effect & NO_UNMAP)
		return 0;
	forget_mappings();
	choose_size();
	return 0;
}

/* KVM drops the mappings where something changes. */
int slot_register(struct vm *vm, uint32_t index, uint64_t gpa,
		  const struct slot_options *o)
{
	(void)vm;
	(void)index;
	if (!slot.exists && without_effect & NO_CREATION)
		return 0;
	if (slot.exists && gpa != slot.gpa &&
	    without_effect & (gpa == SLOT_GPA ? NO_MOVE_BACK : NO_MOVE_AWAY))
		return 0;
	small_starts += o->dirty_log && !slot.is_logged && !slot.is_huge;
	if (!slot.exists || gpa != slot.gpa || o->dirty_log != slot.is_logged) {
		memset(slot.dirty, 0, sizeof(slot.dirty));
		forget_mappings();
	}
	slot.is_logged = o->dirty_log;
	if (!slot.exists)
		choose_size();
	slot.exists = true;
	slot.gpa = gpa;
	return 0;
}

int slot_delete(struct vm *vm, uint32_t index)
{
	(void)vm;
	(void)index;
	if (without_effect & NO_DELETION)
		return 0;
	slot.exists = slot.has_table = false;
	forget_mappings();
	return 0;
}

int memory_convert(struct vm *vm, uint64_t gpa, uint64_t bytes, bool private)
{
	(void)vm;
	(void)gpa;
	(void)bytes;
	if (!(without_effect & NO_CONVERSION) && private != slot.is_private) {
		slot.is_private = private;
		forget_mappings();
	}
	return 0;
}

int slot_pre_fault(struct vm *vm, uint32_t index)
{
	(void)vm;
	(void)index;
	if (!(without_effect & NO_PRE_FAULT))
		slot.mapped = 512;
	return 0;
}

int dirty_log_get(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	(void)vm;
	(void)index;
	if (!(without_effect & NO_GET))
		memcpy(bitmap, slot.dirty, sizeof(slot.dirty));
	if (!dirty_log_manual)
		memset(slot.dirty, 0, sizeof(slot.dirty));
	return 0;
}

int dirty_log_clear(struct vm *vm, uint32_t index, uint64_t *bitmap)
{
	(void)vm;
	(void)index;
	(void)bitmap;
	if (dirty_log_manual && !(without_effect & NO_CLEAR))
		memset(slot.dirty, 0, sizeof(slot.dirty));
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

Test(memory_rows, what_exits_do_not_prove_is_skipped)
{
	int (*const rows[])(struct host_timed *) = {
		host_timed_dirty_log_start,    host_timed_dirty_log_stop,
		host_timed_pre_fault,	       host_timed_memslot_create,
		host_timed_memslot_delete,     host_timed_memslot_move,
		host_timed_attributes_private, host_timed_attributes_shared,
	};

	counts_exits = false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct boot_report rep = measured(rows[i]);

		cr_expect_eq(rep.outcome, BOOT_SKIP, "row %zu", i);
		cr_expect_not_null(strstr(rep.reason, "does not count exits"), "%s",
				   rep.reason);
	}
}

static void expect_failures(void)
{
	static const struct {
		int (*row)(struct host_timed *);
		unsigned int without;
		const char *why;
	} cases[] = {
		{ host_timed_dirty_log_get, NO_GET, "0 pages instead of 512" },
		{ host_timed_dirty_log_clear, NO_GET, "0 pages instead of 512" },
		{ host_timed_dirty_log_clear, NO_CLEAR, "512 pages instead of 0" },
		{ host_timed_dirty_log_start, NO_GET, "512 pages instead of 0" },
		{ host_timed_memslot_create, NO_DELETION | NO_CREATION, "not deleted" },
		{ host_timed_memslot_create, NO_CREATION, "no slot" },
		{ host_timed_memslot_delete, NO_DELETION, "not deleted" },
		{ host_timed_memslot_delete, NO_CREATION, "no slot" },
		{ host_timed_memslot_move, NO_MOVE_AWAY, "not moved" },
		{ host_timed_memslot_move, NO_MOVE_BACK, "no slot" },
		{ host_timed_attributes_private, NO_CONVERSION, "conversion" },
		{ host_timed_attributes_shared, NO_CONVERSION, "conversion" },
		{ host_timed_pre_fault, NO_PRE_FAULT, "no page was pre-faulted" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct boot_report rep;

		without_effect = 0;
		rep = measured(cases[i].row);
		cr_expect_eq(rep.outcome, BOOT_DONE, "case %zu: %s", i, rep.reason);
		without_effect = cases[i].without;
		rep = measured(cases[i].row);
		cr_expect_eq(rep.outcome, BOOT_CRASH, "case %zu", i);
		cr_expect_not_null(strstr(rep.reason, cases[i].why), "case %zu: %s", i,
				   rep.reason);
	}
}

Test(memory_rows, a_request_without_an_effect_fails_its_row)
{
	expect_failures();
}

/* Shadow paging, and kvm.tdp_mmu=0. */
Test(memory_rows, a_request_is_proved_where_kvm_prefetches_pages)
{
	pages_of_fault = 8;
	expect_failures();
}

/*
 * Shadow paging, and kvm.tdp_mmu=0, on a CPU that needs kvm.nx_huge_pages: after the
 * first sample KVM maps small pages, eight at a fault.
 */
Test(memory_rows, the_log_is_switched_on_for_a_huge_page_where_kvm_keeps_tables)
{
	keeps_tables = true;
	for (pages_of_fault = 1; pages_of_fault <= 8; pages_of_fault += 7) {
		small_starts = 0;
		cr_expect_eq(measured(host_timed_dirty_log_start).outcome, BOOT_DONE);
		cr_expect_eq(measured(host_timed_dirty_log_stop).outcome, BOOT_DONE);
		cr_expect_eq(small_starts, 0, "%u pages of a fault", pages_of_fault);
	}
}

Test(memory_rows, a_slot_without_a_huge_page_has_none_to_split)
{
	without_effect = NO_HUGE_PAGE;
	for (pages_of_fault = 1; pages_of_fault <= 8; pages_of_fault += 7) {
		const struct boot_report rep = measured(host_timed_dirty_log_start);

		cr_expect_eq(rep.outcome, BOOT_CRASH);
		cr_expect_not_null(strstr(rep.reason, "no huge page"), "%s", rep.reason);
	}
	/* arm64, which maps one page at a fault, does not count pages by their size. */
	counts_huge_pages = false;
	pages_of_fault = 1;
	cr_expect_eq(measured(host_timed_dirty_log_start).outcome, BOOT_CRASH);
	without_effect = 0;
	cr_expect_eq(measured(host_timed_dirty_log_start).outcome, BOOT_DONE);
}

/* A software KVM does not count the faults, but the guest sees whether there is a slot.
 */
Test(memory_rows, a_software_kvm_needs_no_exits)
{
	flavour = KVM_FLAVOUR_SOFTWARE;
	without_effect = NO_DELETION;
	cr_expect_eq(measured(host_timed_memslot_delete).outcome, BOOT_DONE);
	without_effect = NO_CREATION;
	cr_expect_eq(measured(host_timed_memslot_delete).outcome, BOOT_CRASH);
}

/* Without KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 the row would time a function that returns.
 */
Test(memory_rows, a_log_that_reading_clears_has_no_clearing)
{
	struct boot_report rep;

	dirty_log_manual = false;
	rep = measured(host_timed_dirty_log_clear);
	cr_expect_eq(rep.outcome, BOOT_SKIP);
	cr_expect_not_null(strstr(rep.reason, "when it is read"), "%s", rep.reason);
	cr_expect_eq(measured(host_timed_dirty_log_get).outcome, BOOT_DONE);
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
