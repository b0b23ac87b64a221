/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host-timed benchmarks of memory slots: the dirty log, splitting a huge page, creating,
 * moving and deleting a slot, and pre-faulting.
 *
 * The guest stores to all pages of the slot and rings the doorbell, where its run stops.
 * Between two runs the host changes the slot, and times the one request that the row is
 * about. What the guest's next stores do to the log, or how often they exit, proves that
 * the request had its effect.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/targets/host_timed_pages.h"
#include "host/vmm/memory.h"
#include "host/vmm/timer.h"

/*
 * Before a sample the guest faults on each page: a million instructions. Without noise
 * few samples have the median of many (README.md of the labs).
 */
#define EVENTS	     20
#define EXACT_EVENTS 5

/* Of arch/x86/kvm/mmu/mmu.c: pages that one fault maps, at most. */
#define PTE_PREFETCH_NUM 8u

/* ---- what the rows share: the guest's stores, and the log ---- */

static void stop_at_doorbell(void *ctx, uint32_t value)
{
	struct pages *p = ctx;

	(void)value;
	vcpu_kick(&p->vm.vcpus[0]);
}

static enum vm_answer count_stray(void *ctx, struct vcpu *vcpu,
				  const struct vm_access *access)
{
	struct pages *p = ctx;

	(void)vcpu;
	(void)access;
	p->strays++;
	return VM_ANSWERED;
}

int pages_open(struct pages *p, enum abi_command command, uint64_t bytes,
	       const struct slot_options *options)
{
	const struct vm_listener listener = { .ctx = p,
					      .doorbell = stop_at_doorbell,
					      .access = count_stray };
	struct host_timed own = *p->timed;
	struct boot_request rq = *own.rq;
	const long host = sysconf(_SC_PAGESIZE);
	int err;

	/* The log has a bit for each page of the host; the guest stores to each of its
	 * own. */
	if (host != PAGE_BYTES)
		return error_set(own.err, -ENOTSUP,
				 "the row needs pages of %llu bytes, the host has %ld",
				 PAGE_BYTES, host);
	rq.params.operand = p->touched;
	rq.params.events = (uint32_t)(bytes / PAGE_BYTES);
	own.rq = &rq;
	err = host_timed_open(&own, &p->vm, command, &listener);
	if (err)
		return err;
	p->slot = p->vm.slots;
	err = slot_add(&p->vm, SLOT_GPA, bytes, options);
	return err ? error_set(own.err, err, "%s", p->vm.error.text) : 0;
}

/*
 * The guest stores to its pages, all of which are in the slot. `*exits`: how often the
 * guest exited; NULL: not wanted.
 * -ECANCELED with the outcome set; -ENOTSUP if KVM does not count exits.
 */
static int store_to_pages(struct pages *p, int64_t *exits)
{
	int64_t before = vcpu_kvm_stat(&p->vm.vcpus[0], STATISTIC_exits), after;
	int err = host_timed_run(p->timed, &p->vm, NULL, VCPU_STOP_KICK);

	after = vcpu_kvm_stat(&p->vm.vcpus[0], STATISTIC_exits);
	if (err)
		return err;
	if (p->strays) {
		host_timed_crash(p->timed,
				 "%u of the guest's stores exited to user space: no slot",
				 p->strays);
		return -ECANCELED;
	}
	if (!exits)
		return 0;
	*exits = after - before;
	if (before >= 0 && after >= 0)
		return 0;
	return error_set(
		p->timed->err, -ENOTSUP,
		"this KVM does not count exits, which prove the row (KVM_GET_STATS_FD, Linux 5.14)");
}

static int failed(struct pages *p, int err)
{
	return err ? error_set(p->timed->err, err, "%s", p->vm.error.text) : 0;
}

/* -ECANCELED with the outcome set unless the log that was read has `expected` pages. */
static int expect_dirty(struct pages *p, uint32_t expected)
{
	uint32_t dirty = 0, i;

	for (i = 0; i < PAGES / 64; i++)
		dirty += (uint32_t)__builtin_popcountll(p->log[i]);
	if (dirty == expected)
		return 0;
	host_timed_crash(p->timed, "the dirty log has %u pages instead of %u", dirty,
			 expected);
	return -ECANCELED;
}

/* Reads the log of no page. A request without an effect leaves the bitmap full. */
static int expect_clean(struct pages *p)
{
	int err;

	memset(p->log, 0xff, sizeof(p->log));
	err = dirty_log_get(&p->vm, p->slot, p->log);
	return err ? failed(p, err) : expect_dirty(p, 0);
}

/*
 * The least number of faults of the guest's stores if no page is mapped. With its older
 * MMU code (shadow paging, kvm.tdp_mmu=0) KVM maps a block of pages at a fault.
 */
static uint32_t least_faults(const struct pages *p)
{
	return (p->touched + PTE_PREFETCH_NUM - 1) / PTE_PREFETCH_NUM;
}

/* -ECANCELED if the stores exited more than `most` times. */
static int expect_mapped(struct pages *p, int64_t most, const char *what)
{
	int64_t exits;
	int err = store_to_pages(p, &exits);

	if (err || exits <= most)
		return err;
	host_timed_crash(p->timed, "%s: the guest's stores exited %lld times", what,
			 (long long)exits);
	return -ECANCELED;
}

/*
 * -ECANCELED unless the guest's stores exited, and then the doorbell. Of a software KVM
 * only the page faults that it does not handle itself are counted.
 */
static int expect_unmapped(struct pages *p, const char *what)
{
	int64_t exits;
	int err = store_to_pages(p, &exits);

	if (err || exits > least_faults(p) || !p->counts_faults)
		return err;
	host_timed_crash(p->timed, "%s: the guest's stores exited %lld times", what,
			 (long long)exits);
	return -ECANCELED;
}

/* One sample into `*ticks`; 0, or a negative errno with timed->err or the outcome set. */
typedef int page_sample(struct pages *p, uint64_t *ticks);

/* The samples of a row, `most` at most, after one that is the warm-up. */
static int time_samples(struct pages *p, const struct slot_options *options,
			page_sample *sample, uint32_t most)
{
	struct host_timed *h = p->timed;
	uint64_t *series, unused;
	uint32_t n, i;
	int err;

	series = host_timed_series(h, most, &n);
	if (!series)
		return -ENOMEM;
	p->counts_faults = kvm_flavour(h->kvm_fd) != KVM_FLAVOUR_SOFTWARE;
	err = pages_open(p, ABI_COMMAND_TOUCH, SLOT_BYTES, options);
	for (i = 0; !err && i <= n; i++) {
		if (i && host_timed_suffice(h, series, i - 1))
			break;
		err = sample(p, i ? &series[i - 1] : &unused);
		if (!i)
			h->rep->waits = (struct boot_waits){ 0 };
		if (!err && host_timed_late(h))
			err = -ECANCELED;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i ? i - 1 : 0);
	vm_stat_close(&p->huge);
	vm_destroy(&p->vm);
	if (err == -ENOTSUP)
		return host_timed_skip(h, "%s", h->err->text);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

/* A row whose figure depends on the pages: the guest stores to all of them. */
static int time_pages(struct host_timed *h, const struct slot_options *options,
		      bool timed_one, page_sample *sample)
{
	struct pages p = { .timed = h, .timed_one = timed_one, .touched = PAGES };

	return time_samples(&p, options, sample,
			    host_timed_most(h, EVENTS, EXACT_EVENTS));
}

/* ---- the dirty log ---- */

/* Two requests: reading the log, and clearing it. */
static int measure_log(struct pages *p, uint64_t *ticks)
{
	uint64_t start;
	int err;

	if (!p->timed_one && !p->vm.dirty_log_manual)
		return error_set(
			p->timed->err, -ENOTSUP,
			"this KVM clears the log when it is read (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, Linux 5.2)");
	err = store_to_pages(p, NULL);
	if (err)
		return err;
	memset(p->log, 0, sizeof(p->log));
	start = clock_now();
	err = dirty_log_get(&p->vm, p->slot, p->log);
	*ticks = clock_now() - start;
	err = err ? failed(p, err) : expect_dirty(p, PAGES);
	if (err)
		return err;
	if (p->timed_one) {
		err = dirty_log_clear(&p->vm, p->slot, p->log);
	} else {
		start = clock_now();
		err = dirty_log_clear(&p->vm, p->slot, p->log);
		*ticks = clock_now() - start;
	}
	return err ? failed(p, err) : expect_clean(p);
}

static int time_log(struct host_timed *h, bool get)
{
	const struct slot_options options = { .dirty_log = true, .populate = true };

	return time_pages(h, &options, get, measure_log);
}

int host_timed_dirty_log_get(struct host_timed *h)
{
	return time_log(h, true);
}

int host_timed_dirty_log_clear(struct host_timed *h)
{
	return time_log(h, false);
}

/* With KVM_DIRTY_LOG_INITIALLY_SET a new log is full, and KVM splits when it is cleared.
 */
static int empty_log(struct pages *p)
{
	int err;

	if (!p->vm.dirty_log_manual)
		return 0;
	err = failed(p, dirty_log_get(&p->vm, p->slot, p->log));
	if (!err)
		err = failed(p, dirty_log_clear(&p->vm, p->slot, p->log));
	return err ? err : expect_clean(p);
}

/*
 * The guest stores to all pages of the slot, which was unmapped. `*huge`: one huge page
 * maps them. Where KVM maps a block of eight small pages at a fault, there are as many
 * exits as blocks; besides KVM counts its pages by their size, but for a software KVM.
 */
static int map_slot(struct pages *p, bool *huge)
{
	const int64_t before = vm_stat_read(&p->huge);
	int64_t exits;
	int err = store_to_pages(p, &exits);

	*huge = !err && exits < PAGES / 8 &&
		(before < 0 || !p->counts_faults || vm_stat_read(&p->huge) > before);
	return err;
}

/*
 * -ECANCELED with the outcome set unless one huge page maps the slot.
 *
 * KVM's older MMU code (shadow paging, kvm.tdp_mmu=0) keeps the table of small pages when
 * it drops them. On CPUs with the mitigation of iTLB multihit (kvm.nx_huge_pages), Linux
 * before 6.2 then maps no huge page in its place: disallowed_hugepage_adjust() in
 * arch/x86/kvm/mmu/mmu.c. A new slot has no table.
 */
static int map_huge(struct pages *p)
{
	static const struct slot_options off = { false };
	bool huge = false;
	int err = failed(p, slot_unmap(&p->vm, SLOT_GPA));

	if (!p->huge.is_open)
		vm_stat_open(&p->huge, &p->vm, "pages_2m");
	if (!err)
		err = map_slot(p, &huge);
	if (err || huge)
		return err;
	err = failed(p, slot_delete(&p->vm, p->slot));
	if (!err)
		err = failed(p, slot_register(&p->vm, p->slot, SLOT_GPA, &off));
	if (!err)
		err = map_slot(p, &huge);
	if (err || huge)
		return err;
	host_timed_crash(p->timed,
			 "no huge page: small pages map what the guest stores to");
	return -ECANCELED;
}

/*
 * Two requests: switching the log on for a slot that the guest has mapped by one huge
 * page, and off again. With the log on, each page of 4 KiB is logged; without the split
 * there would be one dirty bit at most before the next fault.
 */
static int measure_switch(struct pages *p, uint64_t *ticks)
{
	static const struct slot_options on = { .dirty_log = true }, off = { false };
	uint64_t start;
	int err = map_huge(p);

	if (err)
		return err;
	start = clock_now();
	err = slot_register(&p->vm, p->slot, SLOT_GPA, &on);
	if (p->timed_one)
		*ticks = clock_now() - start;
	err = failed(p, err);
	if (!err)
		err = empty_log(p);
	if (!err)
		err = store_to_pages(p, NULL);
	memset(p->log, 0, sizeof(p->log));
	if (!err)
		err = failed(p, dirty_log_get(&p->vm, p->slot, p->log));
	if (!err)
		err = expect_dirty(p, PAGES);
	if (err)
		return err;
	start = clock_now();
	err = slot_register(&p->vm, p->slot, SLOT_GPA, &off);
	if (!p->timed_one)
		*ticks = clock_now() - start;
	return failed(p, err);
}

static int time_switch(struct host_timed *h, bool start)
{
	const struct slot_options options = { .huge = true, .populate = true };

	return time_pages(h, &options, start, measure_switch);
}

int host_timed_dirty_log_start(struct host_timed *h)
{
	return time_switch(h, true);
}

int host_timed_dirty_log_stop(struct host_timed *h)
{
	return time_switch(h, false);
}

/* ---- private and shared memory ---- */

/* Two requests: the pages that the guest has mapped become private, and shared again. */
static int measure_attributes(struct pages *p, uint64_t *ticks)
{
	uint64_t start, times[2];
	int err, i;

	err = store_to_pages(p, NULL);
	for (i = 0; !err && i < 2; i++) {
		start = clock_now();
		err = memory_convert(&p->vm, SLOT_GPA, SLOT_BYTES, !i);
		times[i] = clock_now() - start;
		if (err)
			return failed(p, err);
		err = expect_unmapped(p, "the conversion unmapped nothing");
	}
	if (!err)
		*ticks = times[!p->timed_one];
	return err;
}

static const struct slot_options with_private = { .private = true };

int host_timed_attributes_private(struct host_timed *h)
{
	return time_pages(h, &with_private, true, measure_attributes);
}

int host_timed_attributes_shared(struct host_timed *h)
{
	return time_pages(h, &with_private, false, measure_attributes);
}

/* ---- the life of a slot ---- */

static const struct slot_options plain = { .populate = true };

/*
 * Deletes the slot that the guest has mapped, and creates it again. The next sample's
 * stores exit, because the slot was deleted, and not to user space, because it was
 * created.
 */
static int measure_life(struct pages *p, uint64_t *ticks)
{
	uint64_t start;
	int err = expect_unmapped(p, "the slot was not deleted");

	if (err)
		return err;
	host_timed_wait_begin(p->timed);
	start = clock_now();
	err = slot_delete(&p->vm, p->slot);
	if (!p->timed_one) {
		*ticks = clock_now() - start;
		host_timed_wait_end(p->timed);
	}
	if (err)
		return failed(p, err);
	host_timed_wait_begin(p->timed);
	start = clock_now();
	err = slot_register(&p->vm, p->slot, SLOT_GPA, &plain);
	if (p->timed_one) {
		*ticks = clock_now() - start;
		host_timed_wait_end(p->timed);
	}
	return failed(p, err);
}

/* Moves the slot away from the guest's mappings, and back, which the next stores prove.
 */
static int measure_move(struct pages *p, uint64_t *ticks)
{
	uint64_t start;
	int err = expect_unmapped(p, "the slot was not moved");

	if (err)
		return err;
	host_timed_wait_begin(p->timed);
	start = clock_now();
	err = slot_register(&p->vm, p->slot, SLOT_GPA + SLOT_BYTES, &plain);
	*ticks = clock_now() - start;
	host_timed_wait_end(p->timed);
	if (!err)
		err = slot_register(&p->vm, p->slot, SLOT_GPA, &plain);
	return failed(p, err);
}

/* KVM has dropped what the guest mapped: the number of pages does not matter. */
int host_timed_memslot_create(struct host_timed *h)
{
	struct pages p = { .timed = h, .timed_one = true, .touched = 1 };

	return time_samples(&p, &plain, measure_life, EVENTS);
}

int host_timed_memslot_delete(struct host_timed *h)
{
	return time_pages(h, &plain, false, measure_life);
}

int host_timed_memslot_move(struct host_timed *h)
{
	return time_pages(h, &plain, false, measure_move);
}

/* ---- pre-faulting ---- */

static int measure_pre_fault(struct pages *p, uint64_t *ticks)
{
	uint64_t start;
	int err = failed(p, slot_unmap(&p->vm, SLOT_GPA));

	if (err)
		return err;
	start = clock_now();
	err = slot_pre_fault(&p->vm, p->slot);
	*ticks = clock_now() - start;
	return err ? failed(p, err)
		   : expect_mapped(p, least_faults(p), "no page was pre-faulted");
}

int host_timed_pre_fault(struct host_timed *h)
{
	return time_pages(h, &plain, false, measure_pre_fault);
}
