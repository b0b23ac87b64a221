/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the exit budget: the rows of exits, and the sums. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/result/result.h"
#include "host/tests/budget_fixture.h"

/* ------------------------------ the mapping ------------------------------ */

/* Rows of map.def exist, on their architecture, and exit. */
static void expect_row(const char *id)
{
	const struct bench *b = result_find_bench(id);

	cr_assert(b, "%s is not in the catalogue", id);
	cr_expect(b->exits || b->handled_by != HANDLED_NONE, "%s does not exit", id);
}

Test(map, rows_are_in_the_catalogue)
{
#define EXIT(where, names, row, why)	expect_row(#row);
#define COUNTER(where, names, row, why) expect_row(#row);
#define NO_ROW(where, names, why)
#define COUNTER_NO_ROW(where, names, why)
#define ACCESS(kind, first, last, way, row, why) expect_row(#row);
#include "host/budget/map.def"
}

static struct budget_map mapped(enum exits_kind kind, const char *name, unsigned int arch)
{
	const struct exits e = { .kind = kind };
	const struct budget_options o = { .seconds = NAN };
	struct exits_event event = { .count = 1 };
	struct budget_map map;

	strcpy(event.name, name);
	budget_map(&e, &event, arch, &o, &map);
	return map;
}

/* perf and kvm_stat have two names for most exits of SVM. */
Test(map, names)
{
	static const struct {
		enum exits_kind kind;
		const char *name, *row; /* NULL: none */
	} rows[] = {
		{ EXITS_VMEXIT, "npf", "mmio_write_user" },
		{ EXITS_TRACEPOINTS, "kvm_exit(NPF)", "mmio_write_user" },
		{ EXITS_VMEXIT, "hypercall", "hypercall" },
		{ EXITS_TRACEPOINTS, "kvm_exit(VMMCALL)", "hypercall" },
		{ EXITS_VMEXIT, "UD excp", "ud2" },
		{ EXITS_VMEXIT, "vintr", NULL },
		{ EXITS_VMEXIT, "read_cr4", NULL },
		{ EXITS_COUNTERS, "halt_exits", "hlt_kernel" },
		{ EXITS_MMIO, "0xfee000b0:W", "eoi" },
		{ EXITS_MMIO, "0xd0000000:R", "mmio_read_user" },
		{ EXITS_IOPORT, "0x21:PIN", "pio_in_kernel" },
		{ EXITS_IOPORT, "0x22:PIN", "pio_in_user" },
		{ EXITS_IOPORT, "0x514:POUT", "pio_out_user" },
		{ EXITS_MSR, "0x6e0:W", "tsc_deadline" },
		{ EXITS_MSR, "0x6e0:R", "rdmsr_kernel" },
		{ EXITS_MSR, "0x6e0:X", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct budget_map m = mapped(rows[i].kind, rows[i].name, ARCHS_X86_64);

		cr_expect_eq(m.class, rows[i].row ? BUDGET_ROW : BUDGET_NO_ROW, "%s",
			     rows[i].name);
		cr_expect_str_eq(m.row ? m.row : "", rows[i].row ? rows[i].row : "", "%s",
				 rows[i].name);
	}
	cr_expect_eq(mapped(EXITS_TRACEPOINTS, "kvm_exit", ARCHS_X86_64).class,
		     BUDGET_TOTAL);
	cr_expect_eq(mapped(EXITS_COUNTERS, "exits", ARCHS_X86_64).class, BUDGET_TOTAL);
	cr_expect_eq(mapped(EXITS_TRACEPOINTS, "kvm_entry", ARCHS_X86_64).class,
		     BUDGET_OTHER);
	cr_expect_eq(mapped(EXITS_COUNTERS, "pages_4k", ARCHS_X86_64).class,
		     BUDGET_OTHER);
	cr_expect_str_eq(mapped(EXITS_VMEXIT, "SYS64", ARCHS_AARCH64).row, "icc_sgi1r");
}

/* Every exit in the real outputs has an entry in map.def. */
Test(map, no_real_exit_is_unknown)
{
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		struct exits e = parsed(outputs[i].file);
		unsigned int arch =
			strstr(outputs[i].file, "arm64") ? ARCHS_AARCH64 : ARCHS_X86_64;

		for (size_t k = 0; k < e.n; k++) {
			struct budget_map m = mapped(e.kind, e.events[k].name, arch);

			cr_expect(!m.why ||
					  (!strstr(m.why, "unknown exit reason") &&
					   (m.archs & arch)) ||
					  !e.events[k].count,
				  "%s: %s", outputs[i].file, e.events[k].name);
		}
		exits_free(&e);
	}
}

/* ------------------------------ the sums ------------------------------ */

static void row(struct result *r, const char *name, enum result_status status,
		double value, int64_t observed)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;
	struct result_boot *boot;

	b->name = name;
	b->config = "default";
	b->handled_by = HANDLED_KERNEL;
	b->status = status;
	b->reason = status == RESULT_SKIP ? "no such thing here" : NULL;
	b->exits.observed = observed;
	if (status != RESULT_OK)
		return;
	m = result_add_metric(r, b);
	m->name = "round_trip";
	m->unit = "insns";
	m->value = value;
	boot = result_add_boot(r, m);
	boot->summary.n = 100;
}

/* Costs per exit: cpuid 10 * scale, hlt 20 (two exits per event), dr7 skipped. */
static struct result *document(double scale)
{
	struct result *r = result_new();

	r->machine.arch = "x86_64";
	r->target.name = "lab:x86_64-svm";
	r->target.hypervisor = "SVM";
	row(r, "cpuid", RESULT_OK, 10 * scale, 100);
	row(r, "hlt_kernel", RESULT_OK, 40, 200);
	row(r, "cr8_write", RESULT_OK, 3, 0);
	row(r, "dr7", RESULT_SKIP, NAN, -1);
	return r;
}

static struct exits workload(void)
{
	struct exits e = { .kind = EXITS_VMEXIT, .seconds = 10 };
	static const struct {
		const char *name;
		double count;
	} events[] = { { "hlt", 7 },	   { "cpuid", 30 },    { "vintr", 5 },
		       { "write_dr7", 4 }, { "write_cr8", 2 }, { "mystery", 1 },
		       { "wbinvd", 3 } };

	e.n = sizeof(events) / sizeof(events[0]);
	e.events = calloc(e.n, sizeof(*e.events));
	for (size_t i = 0; i < e.n; i++) {
		strcpy(e.events[i].name, events[i].name);
		e.events[i].count = events[i].count;
	}
	return e;
}

static const struct budget_line *line(const struct budget *b, const char *name)
{
	for (size_t i = 0; i < b->n_lines; i++)
		if (!strcmp(b->lines[i].name, name))
			return &b->lines[i];
	cr_assert_fail("no line %s", name);
	return NULL;
}

static void expect_reason(const struct budget *b, const char *name, const char *reason)
{
	const struct budget_line *l = line(b, name);

	cr_assert(l->reason, "%s", name);
	cr_expect(strstr(l->reason, reason), "%s: '%s'", name, l->reason);
	cr_expect(isnan(l->spent[0]));
}

Test(budget, one_document)
{
	const struct budget_options o = { .seconds = NAN };
	struct exits e = workload();
	struct result *r = document(1);
	const struct result *docs[] = { r };
	struct error err = { "" };
	struct budget b;

	cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(b.n_lines, 7);
	cr_expect_eq(b.n_costed, 2);
	cr_expect_eq(b.exits, 52);
	cr_expect_eq(b.costed, 37);
	cr_expect_eq(b.spent[0], 30 * 10 + 7 * 20);
	cr_expect_eq(budget_rate(&b, b.spent[0]), 44);
	cr_expect_str_eq(b.lines[0].name, "cpuid");
	cr_expect_str_eq(b.lines[1].name, "hlt");
	cr_expect_eq(line(&b, "hlt")->cost[0], 20);
	cr_expect_str_eq(b.lines[2].name, "vintr"); /* by counts */
	expect_reason(&b, "vintr", "interrupt window");
	expect_reason(&b, "write_dr7", "row dr7: skipped: no such thing here");
	expect_reason(&b, "write_cr8", "row cr8_write did not exit on lab:x86_64-svm");
	expect_reason(&b, "wbinvd", "row wbinvd is not in the document");
	expect_reason(&b, "mystery", "unknown exit reason");
	cr_expect(!b.warning);
	budget_free(&b);
	exits_free(&e);
	result_free(r);
}

Test(budget, two_documents)
{
	const struct budget_options o = { .seconds = 2 };
	struct exits e = workload();
	struct result *base = document(1), *new = document(1.5);
	const struct result *docs[] = { base, new };
	struct error err = { "" };
	struct budget b;

	cr_assert_eq(budget_build(&e, docs, 2, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(b.spent[1] - b.spent[0], 30 * 5);
	cr_expect_eq(b.seconds, 2); /* --seconds wins */
	cr_expect_str_eq(b.lines[0].name, "cpuid");
	cr_expect_eq(line(&b, "cpuid")->cost[1], 15);
	budget_free(&b);
	/* A row that only one side has is not counted on either. */
	new->benchmarks[0].status = RESULT_FAIL;
	cr_assert_eq(budget_build(&e, docs, 2, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(b.spent[0], 7 * 20);
	expect_reason(&b, "cpuid", "row cpuid: failed");
	budget_free(&b);
	/* Units are not added. */
	new->benchmarks[1].metrics[0].unit = "ticks";
	cr_expect_eq(budget_build(&e, docs, 2, &o, &b, &err), -EBADMSG);
	cr_expect(strstr(err.text, "insns and in ticks"), "%s", err.text);
	exits_free(&e);
	result_free(base);
	result_free(new);
}

Test(budget, override_and_rows)
{
	const struct budget_override map[] = { { "VINTR", "cpuid" } };
	const struct budget_options o = { map, 1, NULL, NAN };
	struct exits e = workload();
	struct result *r = document(1);
	const struct result *docs[] = { r };
	struct error err = { "" };
	const char **rows;
	struct budget b;
	size_t n;

	cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(line(&b, "vintr")->spent[0], 50);
	budget_free(&b);
	rows = budget_rows(&e, ARCHS_X86_64, &o, &n);
	cr_expect_eq(n, 5); /* hlt_kernel, cpuid, dr7, cr8_write, wbinvd: each once */
	free(rows);
	exits_free(&e);
	result_free(r);
}

Test(budget, other_machines)
{
	const struct budget_options o = { .seconds = NAN };
	struct exits e = parsed("perf-6.1-vmx.txt"), none = { .seconds = NAN };
	struct result *r = document(1);
	const struct result *docs[] = { r };
	struct error err = { "" };
	struct budget b;

	cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
	cr_expect_str_eq(b.warning, "the exits are of VMX and the figures of SVM");
	budget_free(&b);
	cr_expect_eq(budget_build(&none, docs, 1, &o, &b, &err), -EINVAL);
	cr_expect(strstr(err.text, "no exits were counted"));
	exits_free(&e);
	e = parsed("perf-6.1-arm64.txt");
	cr_expect_eq(budget_build(&e, docs, 1, &o, &b, &err), -EINVAL);
	cr_expect(strstr(err.text, "another architecture"), "%s", err.text);
	exits_free(&e);
	result_free(r);
}

/* A KVM that counts no exits: the catalogue says how many an event has. */
Test(budget, exits_that_are_not_counted)
{
	const struct budget_options o = { .seconds = NAN };
	struct exits e = workload();
	struct result *r = document(1);
	const struct result *docs[] = { r };
	struct error err = { "" };
	struct budget b;

	r->benchmarks[0].handled_by = HANDLED_UNKNOWN;
	r->benchmarks[0].exits.observed = 0;
	r->benchmarks[1].exits.observed = -1;
	cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(line(&b, "cpuid")->cost[0], 10);
	cr_expect_eq(line(&b, "hlt")->cost[0], 20);
	budget_free(&b);
	exits_free(&e);
	result_free(r);
}

/* An event without an exit is not the cost of an exit: APICv, and a bare machine. */
Test(budget, rows_that_do_not_exit)
{
	static const struct {
		enum bench_handler handled_by;
		int64_t observed;
	} cases[] = { { HANDLED_NONE, 0 },
		      { HANDLED_HARDWARE, 0 },
		      { HANDLED_NONE, -1 },
		      { HANDLED_HARDWARE, -1 },
		      /* The host's timer ended some events. */
		      { HANDLED_KERNEL, 3 } };
	const struct budget_options o = { .seconds = NAN };
	struct exits e = { .kind = EXITS_MMIO, .seconds = 1, .n = 1 };
	struct error err = { "" };

	e.events = calloc(1, sizeof(*e.events));
	e.events[0].count = 1000;
	strcpy(e.events[0].name, "0xfee000b0:W");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result *base = document(1), *new = document(1);
		const struct result *docs[] = { base, new };
		struct budget b;

		row(base, "eoi", RESULT_OK, 3642, 100);
		row(new, "eoi", RESULT_OK, 4, cases[i].observed);
		new->benchmarks[new->n_benchmarks - 1].handled_by = cases[i].handled_by;
		cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
		cr_expect_eq(b.spent[0], 3642000);
		budget_free(&b);
		cr_assert_eq(budget_build(&e, docs + 1, 1, &o, &b, &err), 0, "%s",
			     err.text);
		expect_reason(&b, "0xfee000b0:W", "row eoi did not exit on");
		cr_expect_eq(b.spent[0], 0);
		budget_free(&b);
		/* A side without an exit: the line is on neither side of the sum. */
		cr_assert_eq(budget_build(&e, docs, 2, &o, &b, &err), 0, "%s", err.text);
		expect_reason(&b, "0xfee000b0:W", "row eoi did not exit on");
		cr_expect(b.spent[0] == 0 && b.spent[1] == 0);
		budget_free(&b);
		result_free(base);
		result_free(new);
	}
	exits_free(&e);
}

/* kvm_exit counts also reasons that kvm_stat has no name for. */
Test(budget, other_exits)
{
	const struct budget_options o = { .seconds = NAN };
	struct exits e = parsed("kvm_stat-6.1-svm.csv");
	struct result *r = document(1);
	const struct result *docs[] = { r };
	struct error err = { "" };
	struct budget b;

	cr_assert_eq(budget_build(&e, docs, 1, &o, &b, &err), 0, "%s", err.text);
	cr_expect_eq(b.exits, 190875); /* all of kvm_exit */
	cr_expect_eq(line(&b, "(other exits)")->count, 7000);
	expect_reason(&b, "(other exits)", "under no reason of kvm_stat");
	budget_free(&b);
	exits_free(&e);
	result_free(r);
}
