/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime of a payload: from the first C function to the last doorbell. */
#include "guest/runtime.h"

#include "clock.h" /* of the guest's architecture: clock_*, GUEST_RAM_GPA */

/*
 * Pairs of reads of the clock that find its smallest step, on any clock; and as many that
 * have confirmed it, ten rounds of the distances between reads.
 */
#define CLOCK_READS	  1000
#define CLOCK_READS_EQUAL 210

/* The loop that times the CPU: length in multiplications, and in steps of the clock. */
#define PACE_LOOPS 20
#define PACE_LEAST 100
#define PACE_STEPS 4000

static volatile struct abi_page *const page =
	(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);

struct fixup {
	uint64_t insn, resume;
};
extern const struct fixup __fixup_start[], __fixup_end[];
extern const uint8_t __code_end[];

uint64_t *runtime_series(enum abi_phase phase)
{
	return (uint64_t *)(GUEST_RAM_GPA + ABI_SERIES_OFFSET) +
	       (uint64_t)phase * ABI_SERIES_MAX;
}

void runtime_doorbell(enum abi_doorbell doorbell)
{
	if (page->params.flags & ABI_FLAG_DOORBELL)
		machine_doorbell(ABI_DOORBELL(doorbell, page->report.phase));
}

struct runtime_l1 runtime_l1_exits;
static uint64_t l1_sum_before;

uint64_t runtime_deliveries;
static uint64_t deliveries_before;

static uint64_t l1_exits(uint64_t sum)
{
	const uint64_t each = runtime_l1_exits.each;

	if (!each)
		return sum;
	return sum % each ? ABI_L1_EXITS_DIFFER : sum / each;
}

uint64_t *runtime_phase_begin(enum abi_phase phase)
{
	page->report.phase = phase;
	l1_sum_before = runtime_l1_exits.sum;
	deliveries_before = runtime_deliveries;
	runtime_doorbell(ABI_DOORBELL_BEGIN);
	return runtime_series(phase);
}

void runtime_series_end(enum abi_phase series, uint32_t samples)
{
	page->report.samples[series] = samples;
}

void runtime_phase_end(enum abi_phase phase, uint32_t samples)
{
	runtime_series_end(phase, samples);
	page->report.l1_exits[phase] = l1_exits(runtime_l1_exits.sum - l1_sum_before);
	page->report.deliveries[phase] = runtime_deliveries - deliveries_before;
	runtime_doorbell(ABI_DOORBELL_END);
}

void runtime_state(enum abi_state state)
{
	page->report.state = state;
}

void runtime_stop(enum abi_state state)
{
	runtime_state(state);
	runtime_doorbell(ABI_DOORBELL_STOP);
	machine_off();
}

/* Where `pc` resumes; 0: no fixup. */
static uint64_t fixup_of(uint64_t pc)
{
	static const struct fixup *last;
	const struct fixup *f;

	/* Events fault at one place: the number of fixups is not part of their cost. */
	if (last && last->insn == pc)
		return last->resume;
	for (f = __fixup_start; f < __fixup_end; f++)
		if (f->insn == pc) {
			last = f;
			return f->resume;
		}
	return 0;
}

uint64_t runtime_fault(const struct abi_fault *fault)
{
	const uint64_t resume = fixup_of(fault->pc);

	if (resume) {
		page->report.faults[page->report.phase]++;
		return resume;
	}
	page->report.fault.vector = fault->vector;
	page->report.fault.syndrome = fault->syndrome;
	page->report.fault.pc = fault->pc;
	page->report.fault.address = fault->address;
	runtime_stop(ABI_STATE_FAULT);
}

static void touch_range(uint32_t from, uint32_t to, uint32_t samples)
{
	uint32_t phase, i;

	for (phase = from; phase < to; phase++)
		for (i = 0; i < samples; i += 4096 / sizeof(uint64_t))
			*(volatile uint64_t *)(runtime_series(phase) + i) = 0;
}

/* Code and constants: a loop whose page no earlier phase has executed would fault. */
static void touch_image(void)
{
	const volatile uint8_t *p =
		(const volatile uint8_t *)(GUEST_RAM_GPA + ABI_IMAGE_OFFSET);

	for (; p < __code_end; p += 4096)
		(void)*p;
}

void runtime_touch(const struct abi_params *params)
{
	if (params->events)
		touch_image();
	touch_range(0, ABI_PHASE_PMC_NULL,
		    params->events > params->batches ? params->events : params->batches);
	touch_range(ABI_PHASE_PMC_NULL, ABI_PHASES, params->pmc_events);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* `n` dependent multiplications. */
static __attribute__((noinline)) void multiply(uint32_t n)
{
	uint64_t x = n;

	while (n--) {
		x *= 0x9e3779b97f4a7c15ull;
		__asm__ volatile("" : "+r"(x));
	}
}

/*
 * The step of the clock: the greatest common divisor of all differences. The times
 * between the reads vary, so that the divisor is not the length of the loop.
 */
static void find_step(volatile struct abi_report *report)
{
	const uint32_t reads =
		page->params.clock_reads ? page->params.clock_reads : CLOCK_READS;
	uint64_t last = clock_start(), step = 0, least = ~0ull;
	uint32_t i, equal = 0;

	for (i = 0; i < reads && equal < CLOCK_READS_EQUAL; i++) {
		uint64_t now = clock_start(), before = step;

		if (now != last && now - last < least)
			least = now - last;
		step = common_divisor(step, now - last);
		multiply(i % 7);
		if (i % 3)
			__asm__ volatile("nop");
		last = clock_start();
		step = common_divisor(step, last - now);
		equal = step && step == before ? equal + 1 : 0;
	}
	report->clock_step = step;
	report->clock_least = least == ~0ull ? 0 : least;
}

static uint64_t time_multiply(uint32_t n)
{
	uint64_t start = clock_start();

	multiply(n);
	return clock_stop() - start;
}

/* Long enough that the clock's step does not matter, within the host's limit. */
static uint32_t pace_length(uint32_t most)
{
	uint32_t n = PACE_LEAST;

	while (n < most && time_multiply(n) < PACE_STEPS * page->report.clock_step)
		n *= 2;
	return n < most ? n : most;
}

/* The minimum of several runs: interruptions only add ticks. */
void runtime_pace(enum abi_pace when)
{
	static uint32_t n;
	uint64_t least = ~0ull;
	uint32_t i;

	if (!page->params.pace)
		return;
	if (!n)
		n = pace_length(page->params.pace);
	for (i = 0; i < PACE_LOOPS; i++) {
		uint64_t ticks = time_multiply(n);

		if (ticks < least)
			least = ticks;
	}
	page->report.pace[when] = least;
}

void runtime_main(void)
{
	const struct abi_params params = page->params;

	page->report.magic = ABI_MAGIC;
	if (params.magic != ABI_MAGIC || params.version != ABI_VERSION ||
	    params.events > ABI_SERIES_MAX || params.batches > ABI_SERIES_MAX ||
	    params.pmc_events > ABI_SERIES_MAX || params.spins > ABI_SERIES_MAX)
		runtime_stop(ABI_STATE_REFUSED);
	page->report.state = ABI_STATE_RUNNING;
	machine_init(&params);
	runtime_touch(&params);
	page->report.clock_hz = clock_hz();
	find_step(&page->report);
	runtime_pace(ABI_PACE_BEGIN);
	sample_all(&params);
	runtime_pace(ABI_PACE_END);
	runtime_stop(ABI_STATE_DONE);
}

/* For payloads with work for the boot CPU only. */
__attribute__((weak)) void sample_secondary(uint32_t index)
{
	(void)index;
}

void runtime_secondary(uint32_t index)
{
	sample_secondary(index);
	machine_park();
}
