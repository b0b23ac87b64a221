/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the series of a row that the host times ends: host_timed_suffice(). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/targets/host_timed.h"
#include "host/targets/rows.h"
#include "host/vmm/timer.h"

#define N 96

/* The first number of samples that suffices; 0: none. `heavy`: the row takes long. */
static uint32_t end_of(const uint64_t *series, uint32_t repeat, bool heavy)
{
	const struct boot_request rq = { .params.repeat = repeat };
	struct host_timed h = { .rq = &rq };
	uint32_t n;

	for (n = 0; n <= N; n++) {
		if (n == 2 && heavy)
			while (clock_now() - h.began < HOST_TIMED_HEAVY)
				;
		/* A busy machine makes no row heavy. */
		if (!heavy && n >= 2)
			h.began = clock_now();
		if (host_timed_suffice(&h, series, n))
			return n;
	}
	return 0;
}

/* `first` once, then the pattern of `period` values. */
static const uint64_t *pattern(uint64_t first, uint32_t period)
{
	static uint64_t series[N];

	for (uint32_t i = 0; i < N; i++)
		series[i] = 1000 + i % period;
	if (first)
		series[0] = first;
	return series;
}

Test(host_timed, a_series_ends_when_a_block_repeats)
{
	cr_expect_eq(end_of(pattern(0, 1), 24, false), 48);
	cr_expect_eq(end_of(pattern(9000, 1), 24, false), 72, "not the first block");
	cr_expect_eq(end_of(pattern(0, 8), 24, false), 48);
	cr_expect_eq(end_of(pattern(0, 5), 24, false), 0, "5 does not divide 24");
}

Test(host_timed, events_asked_for_are_all_taken)
{
	cr_expect_eq(end_of(pattern(0, 1), 0, false), 0);
	cr_expect_eq(end_of(pattern(0, 1), 0, true), 0);
}

Test(host_timed, a_heavy_series_ends_when_three_of_four_samples_are_one_value)
{
	uint64_t series[N];

	cr_expect_eq(end_of(pattern(0, 1), 24, true), 16, "8 may be a start-up phase");
	cr_expect_eq(end_of(pattern(9000, 1), 24, true), 16);
	cr_expect_eq(end_of(pattern(0, 2), 24, true), 48, "no value is three of four");
	/* One less than three of four at 16, 24, ..., 96. */
	for (uint32_t i = 0; i < N; i++)
		series[i] = i % 4 ? 1000 : 2000 + i;
	series[1] = 5;
	cr_expect_eq(end_of(series, 24, true), 0);
	series[16] = 1000;
	cr_expect_eq(end_of(series, 24, true), 24);
}

Test(host_timed, all_samples_of_a_row_that_takes_long_are_taken_if_asked_for)
{
	struct boot_request rq = { .params.repeat = 24 };
	const struct host_timed h = { .rq = &rq };

	cr_expect_eq(host_timed_most(&h, 20, 8), 8);
	rq.params.repeat = 0;
	cr_expect_eq(host_timed_most(&h, 20, 8), 20);
}

/* Rows whose events take long, by the table that the program uses. */
Test(host_timed, heavy_rows_have_two_blocks_of_events)
{
	static const char *const heavy[] = { "fault_first_touch_4k",
					     "fault_first_touch_2m", "fault_dirty_log",
					     "timer_expiry" };

	for (size_t i = 0; i < sizeof(heavy) / sizeof(heavy[0]); i++) {
		const struct host_row *row = host_row_find(heavy[i]);
		struct abi_params exact = { .events = 500, .repeat = 24 };
		struct abi_params asked = { .events = 500 };
		struct abi_params few = { .events = 20, .repeat = 24 };
		struct vm_config config = { 0 };

		cr_assert(row && row->configure, "%s", heavy[i]);
		row->configure(&config, &exact);
		cr_expect_eq(exact.events, 48);
		row->configure(&config, &asked);
		cr_expect_eq(asked.events, 500, "--events, or a noisy target");
		row->configure(&config, &few);
		cr_expect_eq(few.events, 20);
	}
}

/* Events of 4 x 10^8 instructions would end at the time limit of the boot. */
Test(host_timed, a_series_of_whole_vms_that_takes_long_has_three_events)
{
	const struct boot_request exact = { .params.repeat = 24 }, noisy = { .cpu = 0 };
	uint64_t series[4] = { 0 };
	struct boot_report rep = { .series[ABI_PHASE_EVENT] = series };
	struct host_timed h = { .rq = &exact, .rep = &rep };

	cr_expect(!host_timed_is_long(&h, 0));
	for (uint32_t i = 0; i < 4; i++) {
		const uint64_t start = 1000 + i * (uint64_t)HOST_TIMED_LONG;

		host_timed_note(&h, i, start, start + 7);
		cr_expect_eq(series[i], 7);
		h.rq = &exact;
		cr_expect_eq(host_timed_is_long(&h, i + 1), i >= 2, "%u", i);
		h.rq = &noisy;
		cr_expect(!host_timed_is_long(&h, i + 1), "time is not work");
	}
	h.rq = &exact;
	for (uint32_t i = 0; i < 4; i++)
		host_timed_note(&h, i, 1000 + i * 1000, 1000 + i * 1000 + 7);
	cr_expect(!host_timed_is_long(&h, 4));
}

/* KVM's search for a page of a guest_memfd depends on the size of the file. */
Test(host_timed, the_memory_of_a_guest_memfd_row_does_not_depend_on_the_target)
{
	const struct host_row *row = host_row_find("fault_guest_memfd");

	cr_assert(row);
	cr_expect_null(row->configure);
}

/* What host_timed_stamped() makes of the number that the guest stored. */
static uint32_t stamped(uint64_t n, uint32_t repeat)
{
	const struct boot_request rq = { .params = { .events = 100, .repeat = repeat } };
	const struct host_timed h = { .rq = &rq };
	const size_t at = ABI_PAGE_OFFSET +
			  offsetof(struct abi_page, report.samples[ABI_PHASE_EVENT]);
	struct vm vm = { .ram_bytes = at + sizeof(n) };
	uint32_t got;

	vm.ram = calloc(1, vm.ram_bytes);
	cr_assert(vm.ram);
	memcpy(vm.ram + at, &n, sizeof(n));
	got = host_timed_stamped(&h, &vm);
	free(vm.ram);
	return got;
}

Test(host_timed, a_guest_reports_all_events_or_whole_blocks)
{
	cr_expect_eq(stamped(100, 24), 100);
	cr_expect_eq(stamped(48, 24), 48);
	cr_expect_eq(stamped(72, 24), 72);
	cr_expect_eq(stamped(100, 0), 100);
	cr_expect_eq(stamped(48, 0), 0, "all events were asked for");
	cr_expect_eq(stamped(0, 24), 0);
	cr_expect_eq(stamped(1, 24), 0);
	cr_expect_eq(stamped(24, 24), 0, "one block repeats nothing");
	cr_expect_eq(stamped(49, 24), 0, "part of a block");
	cr_expect_eq(stamped(120, 24), 0, "more than asked for");
	cr_expect_eq(stamped((1ull << 32) + 48, 24), 0);
}

/*
 * An event must not contain a page fault of the array that it is stored to. The array
 * begins behind malloc()'s header: its last element is on a page of its own, or not.
 */
Test(host_timed, an_array_has_all_its_pages)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct host_timed h = { 0 };
	uint32_t n;

	/* Large enough to be mapped afresh. */
	for (n = (8u << 20) - 1; n <= (8u << 20) + 1; n++) {
		uint64_t *array = host_timed_array(&h, n);
		const uintptr_t first = (uintptr_t)array & -page;
		const size_t pages = ((uintptr_t)&array[n - 1] - first) / page + 1;
		unsigned char *resident = calloc(pages, 1);
		size_t missing = 0, i;

		cr_assert(array && resident);
		cr_assert_eq(mincore((void *)first, pages * page, resident), 0);
		for (i = 0; i < pages; i++)
			missing += !(resident[i] & 1);
		cr_expect_eq(missing, 0, "%zu of %zu pages, n %u", missing, pages, n);
		free(resident);
		free(array);
	}
}
