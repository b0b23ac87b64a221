/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: reports that a guest could leave, through the code that reads them, up to the
 * document: random pages, and true reports with lies.
 *
 * Usage: pages [--seed N] [--document N] COUNT
 *
 * A document is made from a few rows of the catalogue, whose boots all end at once with
 * such a report. Each document has random numbers of its own: --document repeats one.
 * Prints what became of the pages. A wrong document prints its number and aborts.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/lib/table.h"
#include "host/measure/measure.h"
#include "host/report/run_table.h"
#include "host/result/result.h"
#include "host/targets/target.h"

#define EVENTS_MAX 40
#define ROWS_MAX   4
#define BOOTS_MAX  3

/* The state of a document, and what became of all pages. */
struct forge {
	uint64_t random;
	uint64_t document;
	uint8_t *ram;		/* of the guest; the page behind it is not mapped */
	const char *hypervisor; /* of the target of this document */
	size_t pages, outcomes[BOOT_CRASH + 1], rows[RESULT_FAIL + 1];
	size_t documents, figures;
};

static void failed(const struct forge *f, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
static void failed(const struct forge *f, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "pages: document %llu: ", (unsigned long long)f->document);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* splitmix64 (Steele, Lea, Flood, 2014). */
static uint64_t next(struct forge *f)
{
	uint64_t x = f->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint64_t below(struct forge *f, uint64_t n)
{
	return n ? next(f) % n : 0;
}

/* A number at which code tends to break, or any number. */
static uint64_t lie(struct forge *f)
{
	static const uint64_t corners[] = {
		0,
		1,
		2,
		ABI_SERIES_MAX,
		1ull << 31,
		1ull << 32,
		1ull << 40,
		1ull << 52,
		1ull << 53,
		1ull << 62,
		1ull << 63,
		~0ull,
		0x7ff8000000000000ull,
		0xa5a5a5a5a5a5a5a5ull,
	};
	uint64_t corner = corners[below(f, sizeof(corners) / sizeof(corners[0]))];

	switch (below(f, 4)) {
	case 0:
		return corner + below(f, 3) - 1;
	case 1:
		return next(f);
	case 2:
		return next(f) >> below(f, 64);
	default:
		return corner;
	}
}

static uint64_t *series_of(const struct forge *f, int phase)
{
	return (uint64_t *)(f->ram + ABI_SERIES_OFFSET) +
	       (uint64_t)phase * ABI_SERIES_MAX;
}

/* The report of a guest that ran all phases. */
static void forge_truth(struct forge *f, const struct abi_params *params,
			struct abi_report *report)
{
	static const uint64_t hz[] = { 0, 1, 24000000, 62500000, 1000000000, 5000000000 };
	uint64_t cost = 10 + below(f, 1000), spread = 1 + below(f, 8);

	report->magic = ABI_MAGIC;
	report->state = ABI_STATE_DONE;
	report->phase = ABI_PHASE_BATCH_NULL;
	report->clock_hz = hz[below(f, sizeof(hz) / sizeof(hz[0]))];
	report->clock_step = 1 + below(f, 3);
	report->clock_least = report->clock_step * (1 + below(f, 30));
	for (int i = 0; i < ABI_PACES; i++)
		report->pace[i] = params->pace ? 10000 + below(f, spread) : 0;
	for (int phase = ABI_PHASE_NULL; phase < ABI_PHASES; phase++) {
		uint64_t *series = series_of(f, phase);
		uint32_t n = params->pmc_events;

		if (phase <= ABI_PHASE_TWIN)
			n = params->events;
		else if (phase <= ABI_PHASE_BATCH_NULL)
			n = params->batch ? params->batches : 0;
		else if (phase >= ABI_PHASE_SPIN)
			n = params->spins;
		report->samples[phase] = n;
		for (uint32_t i = 0; i < n; i++)
			series[i] = cost + below(f, spread);
	}
}

/* One lie, in the report or in a series. */
static void forge_lie(struct forge *f, const struct abi_params *params,
		      struct abi_report *report)
{
	uint64_t *words = (uint64_t *)report, *series;
	int phase = (int)below(f, ABI_PHASES);
	uint32_t i, n = params->events + params->spins;

	switch (below(f, 8)) {
	case 0:
		words[below(f, sizeof(*report) / sizeof(*words))] = lie(f);
		break;
	case 1:
		words[below(f, sizeof(*report) / sizeof(*words))] ^= 1ull << below(f, 64);
		break;
	case 2:
		report->state = (uint32_t)below(f, 10);
		break;
	case 3:
		report->samples[phase] = below(f, 2) ? lie(f) : below(f, 2 * n + 2);
		break;
	case 4:
		(below(f, 2) ? report->faults : report->l1_exits)[phase] = lie(f);
		break;
	case 5:
		(&report->clock_hz)[below(f, 3 + ABI_PACES)] = lie(f);
		break;
	default:
		series = series_of(f, phase);
		for (i = (uint32_t)below(f, n + 1); i < n && below(f, 8); i++)
			series[i] = lie(f);
	}
}

static void forge_page(struct forge *f, const struct abi_params *params)
{
	struct abi_page *page = (struct abi_page *)(f->ram + ABI_PAGE_OFFSET);
	uint64_t *words = (uint64_t *)page, kind = below(f, 16), lies;

	memset(page, 0, sizeof(*page));
	for (int phase = 0; phase < ABI_PHASES; phase++)
		memset(series_of(f, phase), 0, 2 * EVENTS_MAX * sizeof(uint64_t));
	page->params = *params;
	if (kind > 1)
		forge_truth(f, params, &page->report);
	else
		for (size_t i = 0; i < sizeof(*page) / sizeof(*words); i++)
			words[i] = kind ? lie(f) : next(f);
	/* Otherwise the check of the first word is all that random pages reach. */
	if (kind == 1) {
		page->report.magic = ABI_MAGIC;
		page->report.state = (uint32_t)below(f, 10);
	}
	for (lies = below(f, 5); lies; lies--)
		forge_lie(f, params, &page->report);
}

/* The counts of the host, which the guest does not write, suit the row. */
static void fill_counts(const struct boot_request *rq, struct boot_report *rep)
{
	for (int phase = 0; phase < ABI_PHASES; phase++) {
		int64_t exits = (int64_t)rq->bench->exits * rq->params.events;

		rep->counts[phase] =
			(struct boot_counts){ .exits = exits, .statistic = -1 };
		if (rq->bench->handled_by == HANDLED_USER)
			rep->counts[phase].user = exits;
	}
}

static int forge_boot(struct target *t, const struct boot_request *rq,
		      struct boot_report *rep, struct error *err)
{
	struct forge *f = t->state;

	boot_report_init(rep);
	forge_page(f, &rq->params);
	boot_harvest(f->ram, rq, rep);
	f->pages++;
	f->outcomes[rep->outcome]++;
	if (rep->outcome != BOOT_DONE && !*rep->reason)
		failed(f, "a boot without a reason");
	if (f->hypervisor)
		fill_counts(rq, rep);
	(void)err;
	return 0;
}

static int forge_describe(struct target *t, struct result **out, struct error *err)
{
	const struct forge *f = t->state;
	struct result *r = *out;

	r->target.name = t->name;
	r->target.kind = t->ops->kind;
	r->target.exact = t->exact;
	r->target.hypervisor = f->hypervisor;
	r->clock.name = "TSC";
	r->clock.unit = t->exact ? "insns" : "ticks";
	(void)err;
	return 0;
}

static bool is_figure(double value)
{
	return isnan(value) || isfinite(value);
}

/* The document is valid, the same when it is read, and can be printed. */
static void check_document(struct forge *f, struct result *r, FILE *sink)
{
	const struct table_options narrow = { .columns = 80 };
	struct error err = { "" };
	struct result *back;
	char *text, *again;

	r->run.id = r->run.started = r->run.finished = "2026-01-01T00:00:00Z";
	r->run.tool_version = "1";
	r->machine.fingerprint = "unknown";
	r->machine.arch = "x86_64";
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		f->rows[b->status]++;
		if (b->status != RESULT_OK && (!b->reason || !*b->reason))
			failed(f, "%s: no reason", b->name);
		for (size_t k = 0; k < b->n_metrics; k++) {
			const struct result_metric *m = &b->metrics[k];

			if (!is_figure(m->value) || !is_figure(m->ci.lo) ||
			    !is_figure(m->ci.hi))
				failed(f, "%s %s: %g in [%g, %g]", b->name, m->name,
				       m->value, m->ci.lo, m->ci.hi);
			f->figures += isfinite(m->value);
		}
	}
	text = result_dump(r);
	if (!text)
		failed(f, "the document cannot be written");
	if (result_parse(text, strlen(text), &back, &err))
		failed(f, "the document is not valid: %s", err.text);
	again = result_dump(back);
	if (!again || strcmp(text, again) != 0)
		failed(f, "the document changes when it is read:\n%s\n%s", text, again);
	run_table_print(sink, (const struct result *const[]){ back }, 1, &narrow, true);
	result_free(back);
	free(again);
	free(text);
}

static size_t random_row(struct forge *f, enum arch arch)
{
	size_t n = 0, i;

	while (bench_table[n].id)
		n++;
	do {
		i = below(f, n);
	} while (!(bench_table[i].archs & 1u << arch));
	return i;
}

static void make_document(struct forge *f, uint64_t seed, FILE *sink)
{
	static const char *const hypervisors[] = { NULL, "software", "KVM" };
	const struct measure_watch watch = { .ctx = NULL };
	struct target_ops ops = { .describe = forge_describe, .boot = forge_boot };
	const char *benches[ROWS_MAX], *configs[] = { "default" };
	struct error err = { "" };
	struct result *r = NULL;
	struct target t = { .ops = &ops, .state = f };
	struct job job = { .benches = benches, .cpu = -1 };
	size_t n_configs = 0;
	int rc;

	f->random = seed ^ f->document * 0xd1342543de82ef95ull;
	f->hypervisor = hypervisors[below(f, 3)];
	/* Few of this machine's own KVM: their documents have readings of its CPU, and
	 * each CPUID can exit to a hypervisor. */
	ops.kind = below(f, 16) ? "lab" : "kvm";
	t.name = ops.kind;
	t.exact = below(f, 2);
	t.arch = below(f, ARCHS);
	t.default_events = (uint32_t)(2 + below(f, EVENTS_MAX - 1));
	t.default_warmup = 1;
	while (config_table[n_configs].name)
		n_configs++;
	/* Half of them without --events: phases may end early. */
	job.events = below(f, 2) ? t.default_events : 0;
	job.boots = (uint32_t)(1 + below(f, BOOTS_MAX));
	job.n_benches = 1 + below(f, ROWS_MAX);
	for (size_t i = 0; i < job.n_benches; i++)
		benches[i] = bench_table[random_row(f, t.arch)].id;
	if (below(f, 2)) {
		configs[0] = config_table[below(f, n_configs)].name;
		job.configs = configs;
		job.n_configs = 1;
	}
	rc = measure_run(&t, &job, &watch, &r, &err);
	/* The config may be of the other architecture. */
	if (rc && rc != -ENOENT)
		failed(f, "%d: %s", rc, err.text);
	if (!rc) {
		check_document(f, r, sink);
		f->documents++;
	}
	result_free(r);
}

static uint8_t *guest_memory(void)
{
	uint8_t *ram = mmap(NULL, ABI_RAM_BYTES + ABI_PAGE_BYTES, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ram == MAP_FAILED || mprotect(ram, ABI_RAM_BYTES, PROT_READ | PROT_WRITE))
		return NULL;
	return ram;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "document", required_argument, NULL, 'd' },
		{ 0 },
	};
	struct forge f = { .ram = guest_memory() };
	uint64_t seed = 1, count = 0;
	FILE *sink = fopen("/dev/null", "we");
	bool one = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's') {
			seed = strtoull(optarg, NULL, 0);
		} else if (option == 'd') {
			f.document = strtoull(optarg, NULL, 0);
			one = true;
		} else {
			return 2;
		}
	}
	if (optind < argc)
		count = strtoull(argv[optind], NULL, 0);
	if (!f.ram || !sink || (!count && !one)) {
		fprintf(stderr, "usage: pages [--seed N] [--document N] COUNT\n");
		return 2;
	}
	for (; one ? !f.pages : f.pages < count; f.document++)
		make_document(&f, seed, sink);
	printf("%zu pages: %zu done, %zu skipped, %zu failed; %zu documents: %zu rows measured, %zu skipped, %zu failed; %zu figures\n",
	       f.pages, f.outcomes[BOOT_DONE], f.outcomes[BOOT_SKIP],
	       f.outcomes[BOOT_CRASH], f.documents, f.rows[RESULT_OK],
	       f.rows[RESULT_SKIP], f.rows[RESULT_FAIL], f.figures);
	fclose(sink);
	return 0;
}
