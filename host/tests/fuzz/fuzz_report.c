/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page that a guest shares with the VMM, through to the result document.
 *
 * Input: struct head, then per boot struct abi_report, the samples of its series and, in
 * a lab, the counts of the host that the machine claims.
 */
#include <stdlib.h>
#include <string.h>

#include "host/measure/figures.h"
#include "host/targets/target.h"
#include "host/targets/lab/wire.h"
#include "host/tests/fuzz/fuzz.h"

struct head {
	uint8_t row, config, trust, boots, lab;
	uint8_t events, batch, batches, pmc_events, spins, repeat;
};

/* Samples of a series in the input; the guest's memory is zero behind them. */
#define SAMPLES_MAX 32u

static uint8_t ram[ABI_RAM_BYTES];

static uint64_t *series(int phase)
{
	return (uint64_t *)(void *)(ram + ABI_SERIES_OFFSET) +
	       (size_t)phase * ABI_SERIES_MAX;
}

static void fill_ram(struct fuzz_input *in)
{
	fuzz_get(in, ram + ABI_PAGE_OFFSET + offsetof(struct abi_page, report),
		 sizeof(struct abi_report));
	for (int phase = 0; phase < ABI_PHASES; phase++)
		fuzz_get(in, series(phase),
			 (fuzz_byte(in) % (SAMPLES_MAX + 1)) * sizeof(uint64_t));
}

static void clear_ram(void)
{
	for (int phase = 0; phase < ABI_PHASES; phase++)
		memset(series(phase), 0, SAMPLES_MAX * sizeof(uint64_t));
}

/* The report as it arrives from a lab, whose host's counts are not trusted either. False:
 * it is refused. */
static bool through_the_wire(struct fuzz_input *in, struct boot_report *rep)
{
	struct boot_report arrived;
	uint8_t *bytes, *again;
	size_t n, n_again;

	fuzz_get(in, rep->counts, sizeof(rep->counts));
	for (int phase = 0; phase < ABI_PHASES; phase++)
		rep->counts[phase].interrupts_exact = in->left % 2;
	fuzz_get(in, &rep->statistics, sizeof(rep->statistics));
	fuzz_get(in, &rep->waits, sizeof(rep->waits));
	fuzz_get(in, &rep->host_counters.guest_cycles, 6 * sizeof(int64_t));
	if (boot_report_encode(rep, &bytes, &n))
		abort();
	boot_report_free(rep);
	if (boot_report_decode(bytes, n, &arrived)) {
		free(bytes);
		return false;
	}
	if (boot_report_encode(&arrived, &again, &n_again))
		abort();
	FUZZ_CHECK(n == n_again && !memcmp(bytes, again, n), "a report that changed");
	free(bytes);
	free(again);
	*rep = arrived;
	return true;
}

static void one_boot(struct fuzz_input *in, const struct head *h,
		     const struct boot_request *rq, struct assembly *a, uint32_t index)
{
	struct result_benchmark *b = &a->result->benchmarks[a->index];
	struct boot_report rep;

	fill_ram(in);
	boot_report_init(&rep);
	boot_harvest(ram, rq, &rep);
	clear_ram();
	if (h->lab % 2 && !through_the_wire(in, &rep))
		return;
	if (b->status != RESULT_OK) {
		boot_report_free(&rep);
		return;
	}
	if (rep.outcome == BOOT_DONE)
		FUZZ_CHECK(!assemble_boot(a, index, &rep), "out of memory");
	else
		assemble_stop(a, rep.outcome == BOOT_SKIP ? RESULT_SKIP : RESULT_FAIL,
			      rep.reason);
	boot_report_free(&rep);
}

static struct result *new_result(bool exact)
{
	struct result *r = result_new();

	r->run.id = "20260901T000000Z-1a2b";
	r->run.started = r->run.finished = "2026-09-01T00:00:00Z";
	r->run.tool_version = "0";
	r->target = (struct result_target){ exact ? "lab:x86_64-svm" : "kvm",
					    exact ? "lab" : "kvm", NULL, "SVM", exact };
	r->machine = (struct result_machine){ "0123", "x86_64", "max", NULL, 2, -1 };
	r->clock = (struct result_clock){ .name = "TSC",
					  .unit = exact ? "insns" : "ticks",
					  .overhead_min = 1e9,
					  .overhead_median = 1e9 };
	return r;
}

static void check(const struct result_benchmark *b)
{
	FUZZ_CHECK(b->status == RESULT_OK || *b->reason, "%s fails without a reason",
		   b->name);
	for (size_t i = 0; i < b->n_metrics; i++) {
		const struct result_metric *m = &b->metrics[i];

		for (size_t k = 0; k < m->n_boots; k++) {
			const struct stats_summary *s = &m->boots[k].summary;

			/* Of a few events, outer quantiles are unknown: NAN. */
			FUZZ_CHECK(!s->n || (s->min <= s->p50 && s->p50 <= s->max &&
					     !(s->p50 > s->p99) && !(s->p99 > s->max) &&
					     !(s->sd < 0)),
				   "%s: %g, %g, %g, %g", m->name, s->min, s->p50, s->p99,
				   s->max);
		}
		FUZZ_CHECK(!m->ci.method ||
				   (m->ci.lo <= m->value && m->value <= m->ci.hi),
			   "%s: %g is not in [%g, %g]", m->name, m->value, m->ci.lo,
			   m->ci.hi);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t rows = 0, configs = 0;
	struct boot_request rq = { .timeout_ns = 1 };
	struct assembly a = { .seed = 1 };
	struct head h;

	while (bench_table[rows].id)
		rows++;
	while (config_table[configs].name)
		configs++;
	fuzz_get(&in, &h, sizeof(h));
	a.exact = h.trust & 4;
	a.result = new_result(a.exact);
	a.unit = a.result->clock.unit;
	rq.params = (struct abi_params){
		.events = h.events % (SAMPLES_MAX + 1),
		.batch = h.batch % 8,
		.batches = h.batches % (SAMPLES_MAX + 1),
		.pmc_events = h.pmc_events % (SAMPLES_MAX + 1),
		.spins = h.spins % (SAMPLES_MAX + 1) & ~1u,
		.repeat = h.repeat % 8,
	};
	if (!rows || !configs)
		abort();
	rq.bench = &bench_table[h.row % rows];
	rq.config = &config_table[h.config % configs];
	a.trust = rq.bench->needs & TIMED_BY_HOST
			  ? JUDGE_HOST_TIMED
			  : (enum judge_trust)(h.trust % JUDGE_HOST_TIMED);
	a.params = &rq.params;
	a.claim = bench_claim(rq.bench, (enum arch)(h.trust >> 3 & 1));
	assemble_begin(&a, rq.bench, rq.config);
	for (uint32_t i = 0; i <= h.boots % 4u; i++)
		one_boot(&in, &h, &rq, &a, i);
	assemble_end(&a);
	check(&a.result->benchmarks[a.index]);
	if (a.result->clock.overhead_min == 1e9)
		a.result->clock.overhead_min = a.result->clock.overhead_median = 0;
	fuzz_use_result(a.result, size % 16 == 0);
	result_free(a.result);
	return 0;
}
