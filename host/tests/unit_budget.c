/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of the exit budget: each format of each tool, out of real outputs
 * (host/tests/data/budget), damaged ones, and the sums.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/budget/budget.h"
#include "host/lib/file.h"
#include "host/result/result.h"

#define DATA "host/tests/data/budget/"

static char *read_data(const char *name)
{
	char path[256], *text, *copy;
	long bytes;

	snprintf(path, sizeof(path), DATA "%s", name);
	bytes = file_read(path, EXITS_FILE_MAX, &text);
	cr_assert(bytes > 0, "%s: %ld", path, bytes);
	copy = strndup(text, (size_t)bytes);
	free(text);
	return copy;
}

static struct exits parsed(const char *name)
{
	struct error err = { "" };
	char *text = read_data(name);
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s: %s", name,
		     err.text);
	free(text);
	return e;
}

static double count_of(const struct exits *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->events[i].name, name))
			return e->events[i].count;
	return NAN;
}

static void expect_bad(const char *text, const char *cause)
{
	struct error err = { "" };
	struct exits e;

	cr_expect_eq(exits_parse(text, strlen(text), &e, &err), -EINVAL, "%.60s", text);
	cr_expect(strstr(err.text, cause), "'%s' does not say '%s'", err.text, cause);
	cr_expect(!strchr(err.text, '\n'));
	cr_expect(!e.events);
}

/* ------------------------------ each tool's output ------------------------------ */

/* The counts are those of the files, read by eye. */
static const struct {
	const char *file;
	enum exits_kind kind;
	double seconds; /* NAN: unknown */
	size_t n;
	const char *name;
	double count;
} outputs[] = {
	{ "perf-6.1-svm.txt", EXITS_VMEXIT, NAN, 15, "UD excp", 4200 },
	{ "perf-6.12-svm.txt", EXITS_VMEXIT, NAN, 15, "npf", 38355 },
	{ "perf-6.1-vmx.txt", EXITS_VMEXIT, NAN, 18, "EPT_MISCONFIG", 12362 },
	{ "perf-6.1-arm64.txt", EXITS_VMEXIT, NAN, 7, "SYS64", 34656 },
	{ "perf-6.12-arm64.txt", EXITS_VMEXIT, NAN, 7, "WFx", 4204 },
	{ "perf-6.1-svm-mmio.txt", EXITS_MMIO, NAN, 12, "0xfec00010:W", 2 },
	{ "perf-6.1-svm-ioport.txt", EXITS_IOPORT, NAN, 7, "0x21:PIN", 4200 },
	{ "perf-6.12-svm-msr.txt", EXITS_MSR, NAN, 9, "0x6e0:W", 8400 },
	{ "kvm_stat-6.1-svm.txt", EXITS_TRACEPOINTS, 1, 230, "kvm_exit(MSR in KVM)",
	  4322 },
	{ "kvm_stat-6.1-vmx.txt", EXITS_TRACEPOINTS, 1, 196, "kvm_exit(RDPMC)", 34599 },
	{ "kvm_stat-6.12-arm64.txt", EXITS_TRACEPOINTS, 1, 123, "kvm_exit(SYS64)", 6722 },
	{ "debugfs-6.1-svm-2.txt", EXITS_COUNTERS, NAN, 60, "io_exits", 10383 },
	{ "debugfs-6.12-arm64-1.txt", EXITS_COUNTERS, NAN, 20, "hvc_exit_stat", 425 },
	/* grep -r: the counters of all VMs, beside those of a VM and other files. */
	{ "debugfs-6.12-arm64-r.txt", EXITS_COUNTERS, NAN, 20, "mmio_exit_user", 9 },
};

Test(parse, outputs)
{
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		struct exits e = parsed(outputs[i].file);

		cr_expect_eq(e.kind, outputs[i].kind, "%s", outputs[i].file);
		cr_expect_eq(e.n, outputs[i].n, "%s: %zu names", outputs[i].file, e.n);
		cr_expect(isnan(outputs[i].seconds) ? isnan(e.seconds)
						    : e.seconds == outputs[i].seconds,
			  "%s: %g s", outputs[i].file, e.seconds);
		cr_expect_eq(count_of(&e, outputs[i].name), outputs[i].count, "%s: %g",
			     outputs[i].file, count_of(&e, outputs[i].name));
		exits_free(&e);
	}
}

/* The time that perf saw is the mean of the row times its count. */
Test(parse, handled_time)
{
	struct exits e = parsed("perf-6.12-svm.txt");

	for (size_t i = 0; i < e.n; i++)
		if (!strcmp(e.events[i].name, "cpuid"))
			cr_expect(fabs(e.events[i].handled_us - 4353 * 29.08) < 1e-6);
	exits_free(&e);
}

/* The first table of `live` ends at 04:07:01.738751, the last whole one 2.993533 s later;
 * the table after that is cut off. Of "hlt", 656 are of the first table. */
Test(parse, live)
{
	struct exits e = parsed("perf-6.1-svm-live.txt");

	cr_expect(fabs(e.seconds - 2.993533) < 1e-6, "%f", e.seconds);
	cr_expect_eq(count_of(&e, "hlt"), 483);
	exits_free(&e);
}

/* Of a log, the lines after the first: their sum, and the time between. The sums are by
 * awk -F,. */
Test(parse, logs)
{
	struct exits csv = parsed("kvm_stat-6.1-svm.csv");
	struct exits plain = parsed("kvm_stat-6.1-svm-log.txt");
	struct exits arm = parsed("kvm_stat-6.12-arm64.csv");

	cr_expect_eq(csv.kind, EXITS_TRACEPOINTS);
	cr_expect_eq(csv.seconds, 18);
	cr_expect_eq(count_of(&csv, "kvm_exit(VMMCALL)"), 7000);
	cr_expect_eq(count_of(&csv, "kvm_exit"), 190875);
	cr_expect_eq(plain.kind, EXITS_TRACEPOINTS);
	cr_expect_eq(plain.seconds, 15);
	cr_expect_eq(plain.n, csv.n);
	cr_expect_eq(arm.seconds, 15);
	exits_free(&csv);
	exits_free(&plain);
	exits_free(&arm);
}

/* One line is all there is: its interval is not known. */
Test(parse, log_of_one_line)
{
	const char *text = "timestamp,kvm_exit,kvm_exit(HLT)\n2026-11-27 04:07:01,5,4\n";
	struct error err;
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s", err.text);
	cr_expect(isnan(e.seconds));
	cr_expect_eq(count_of(&e, "kvm_exit(HLT)"), 4);
	exits_free(&e);
}

/* 1,500 of 8,499 accesses reached the VMM, all 88 of ports, none of MSR_WRITE. */
Test(parse, to_the_vmm)
{
	struct exits e = parsed("kvm_stat-6.1-vmx.txt");
	const char *text = "kvm_exit 9 9\nkvm_exit(NPF) 4 4\n"
			   "kvm_userspace_exit(MMIO) 6 6\nkvm_exit(HLT) 5 5\n";
	struct error err;

	cr_expect_eq(count_of(&e, "kvm_exit(EPT_MISCONFIG to VMM)"), 1500);
	cr_expect_eq(count_of(&e, "kvm_exit(EPT_MISCONFIG in KVM)"), 6999);
	cr_expect_eq(count_of(&e, "kvm_exit(IO_INSTRUCTION to VMM)"), 88);
	cr_expect_eq(count_of(&e, "kvm_exit(IO_INSTRUCTION in KVM)"), 0);
	cr_expect_eq(count_of(&e, "kvm_exit(MSR_WRITE to VMM)"), 0);
	cr_expect_eq(count_of(&e, "kvm_exit(MSR_WRITE in KVM)"), 7025);
	cr_expect(isnan(count_of(&e, "kvm_exit(EPT_MISCONFIG)")));
	exits_free(&e);
	/* An exit may return to the VMM twice; without the tracepoint nothing is known.
	 */
	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(&e, "kvm_exit(NPF to VMM)"), 4);
	cr_expect_eq(count_of(&e, "kvm_exit(NPF in KVM)"), 0);
	cr_expect_eq(count_of(&e, "kvm_exit(HLT)"), 5);
	exits_free(&e);
}

Test(parse, snapshots)
{
	struct exits a = parsed("debugfs-6.1-svm-1.txt"),
		     b = parsed("debugfs-6.1-svm-2.txt"), both;
	struct error err;
	char *one = read_data("debugfs-6.1-svm-1.txt");
	char *two = read_data("debugfs-6.1-svm-2.txt"), *text;

	cr_expect(b.since_start);
	cr_assert_eq(exits_subtract(&b, &a, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(&b, "io_exits"), 10383 - 5146);
	cr_expect(!b.since_start);
	/* In one file, the later one begins where a path comes again. */
	cr_assert(asprintf(&text, "%s%s", one, two) > 0);
	cr_assert_eq(exits_parse(text, strlen(text), &both, &err), 0, "%s", err.text);
	cr_expect_eq(both.n, b.n);
	for (size_t i = 0; i < b.n; i++)
		cr_expect_eq(count_of(&both, b.events[i].name), b.events[i].count, "%s",
			     b.events[i].name);
	/* No third one, and no second subtraction. */
	cr_expect_eq(exits_subtract(&b, &a, &err), -EINVAL);
	free(text);
	cr_assert(asprintf(&text, "%s%s%s", one, two, two) > 0);
	expect_bad(text, "third snapshot");
	free(text);
	free(one);
	free(two);
	exits_free(&a);
	exits_free(&b);
	exits_free(&both);
}

/* Without the counters of all VMs, those of the VMs are added; vCPUs are parts of them.
 */
Test(parse, counters_of_vms)
{
	const char *text = "/sys/kernel/debug/kvm/12-4/exits:10\n"
			   "/sys/kernel/debug/kvm/12-4/vcpu0/exits:7\n"
			   "/sys/kernel/debug/kvm/12-4/halt_wait_hist:1 2 3\n"
			   "/sys/kernel/debug/kvm/34-9/exits:5\n";
	struct error err;
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(&e, "exits"), 15);
	cr_expect_eq(e.n, 1);
	exits_free(&e);
}

/* The counters of a VM that ends are gone: no exits below zero. */
Test(parse, vm_that_ended)
{
	struct exits a = parsed("debugfs-6.12-arm64-1.txt"),
		     b = parsed("debugfs-6.12-arm64-2.txt");
	char *text = read_data("kvm_stat-6.12-svm-d.txt");
	struct error err = { "" };

	cr_expect_eq(exits_subtract(&b, &a, &err), -EINVAL);
	cr_expect(strstr(err.text, "a VM ended between the snapshots"), "%s", err.text);
	expect_bad(text, "a VM ended while kvm_stat counted");
	free(text);
	exits_free(&a);
	exits_free(&b);
}

/* The second snapshot begins where a path of all VMs comes again, whatever is before it.
 */
Test(parse, two_snapshots_in_one_file)
{
	const char *text =
		"/k/kvm/999-5/exits:7\n"
		"/k/kvm/exits:1000\n/k/kvm/hvc_exit_stat:1000\n/k/kvm/pages_4k:9\n"
		"/k/kvm/exits:1100\n/k/kvm/hvc_exit_stat:1100\n/k/kvm/pages_4k:5\n";
	struct error err;
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(&e, "hvc_exit_stat"), 100);
	cr_expect_eq(count_of(&e, "pages_4k"), 0, "a gauge may fall");
	exits_free(&e);
	expect_bad("/k/kvm/999-5/exits:7\n/k/kvm/exits:1000\n/k/kvm/exits:900\n",
		   "a VM ended between the snapshots");
	expect_bad("/k/kvm/hypercalls:10\n/k/kvm/hypercalls:9\n",
		   "a VM ended between the snapshots");
	expect_bad("/k/kvm/exits:1\n/k/kvm/exits:2\n/k/kvm/exits:3\n",
		   "a third snapshot");
}

Test(parse, empty_lines_before_the_head_of_a_log)
{
	const char *text = "\n\ntimestamp,kvm_exit,kvm_exit(HLT)\n"
			   "2026-11-27 04:07:01,5,5\n2026-11-27 04:07:02,6,6\n";
	struct error err;
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(&e, "kvm_exit(HLT)"), 6);
	exits_free(&e);
}

/* ------------------------------ damaged files ------------------------------ */

#define HEAD	   "VM-EXIT Samples Samples% Time% Min Time Max Time Avg time\n\n"
#define ROW(count) "hlt " count " 1.00% 2.00% 1.00us 2.00us 1.50us ( +- 1.00% )\n"

Test(parse, damaged)
{
	expect_bad("", "empty");
	expect_bad("\n\n", "empty");
	expect_bad("hello\n", "not the output of perf kvm stat");
	expect_bad("hello world\nhow are you\n", "not the output of perf kvm stat");
	expect_bad(HEAD ROW("7"), "cut off");
	expect_bad(HEAD ROW("7") "\nTotal Samples:8, Total", "do not add up");
	expect_bad(HEAD "hlt 7 1.00%\n", "not a row");
	expect_bad(HEAD ROW("-7") "\nTotal Samples:7,", "not a number below");
	expect_bad(HEAD ROW("99999999999999999999") "\nTotal Samples:7,",
		   "not a number below 10^15");
	expect_bad(HEAD "7 1.00% 2.00% 1.00us 2.00us 1.50us ( +- 1.00% )\n", "line 3: ");
	expect_bad(HEAD ROW("7") "\nTotal Samples:7,\n" HEAD ROW("7") "Total Samples:7,",
		   "a second report");
	expect_bad("kvm_exit 5 x\nkvm_exit 5 5\n", "not the output");
	expect_bad("kvm_exit 5 5\nkvm_exit(HLT) 5\n", "line 2: not a line of kvm_stat");
	expect_bad("kvm_exit 5 9999999999999999\n", "below 10^15");
	expect_bad("timestamp,kvm_exit\n", "no counts");
	expect_bad("timestamp,kvm_exit\n2026-11-27 04:07:01,1,2\n",
		   "not as many numbers");
	expect_bad("timestamp,kvm_exit\n2026-11-27 04:07:01,1e3\n", "below 10^15");
	expect_bad("timestamp,kvm_exit\nyesterday,1\n", "not a line of kvm_stat -l");
	expect_bad("/k/kvm/exits:7\nrubbish\n", "line 2: not a counter of debugfs");
	expect_bad("/k/kvm/io_exits:many\n", "not a number below");
	expect_bad("/k/kvm/pages_4k:99999999999999999\n", "below 10^15");
	expect_bad("/k/kvm/ex\033its:1\n", "not printable ASCII");
	expect_bad("/k/kvm/ex\377its:1\n", "not printable ASCII");
}

Test(parse, binary)
{
	static const char text[] = "kvm_exit 5\0 5\n";
	struct error err = { "" };
	struct exits e;

	cr_expect_eq(exits_parse(text, sizeof(text) - 1, &e, &err), -EINVAL);
	cr_expect(strstr(err.text, "not text"), "%s", err.text);
}

Test(parse, too_long_and_too_many)
{
	char *text = malloc(1u << 20), *end = text;

	memset(text, 'x', 70000);
	strcpy(text + 70000, " 5 5\n");
	expect_bad(text, "longer than");
	memset(text, 'x', 100);
	strcpy(text + 100, " 5 5\n");
	expect_bad(text, "too long");
	for (unsigned int i = 0; i <= EXITS_NAMES_MAX; i++)
		end += sprintf(end, "kvm_%u 1 1\n", i);
	expect_bad(text, "too many names");
	free(text);
}

/* Every prefix, and every file with a byte changed, is parsed or refused. */
Test(parse, any_damage)
{
	static const char *const files[] = { "perf-6.1-svm.txt", "perf-6.1-svm-live.txt",
					     "kvm_stat-6.12-arm64.csv",
					     "debugfs-6.1-svm-1.txt" };
	static const char bytes[] = " \n:,-9(x";

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *text = read_data(files[i]);
		size_t n = strlen(text);

		for (size_t at = 0; at < n; at += 3) {
			struct error err = { "" };
			struct exits e;
			char was = text[at];

			if (exits_parse(text, at, &e, &err))
				cr_expect(*err.text && !e.events);
			exits_free(&e);
			text[at] = bytes[at % (sizeof(bytes) - 1)];
			if (exits_parse(text, n, &e, &err))
				cr_expect(*err.text && !e.events);
			exits_free(&e);
			text[at] = was;
		}
		free(text);
	}
}

/* ------------------------------ the mapping ------------------------------ */

static const struct bench *find_bench(const char *id)
{
	for (const struct bench *b = bench_table; b->id; b++)
		if (!strcmp(b->id, id))
			return b;
	return NULL;
}

/* Rows of map.def exist, on their architecture, and exit. */
static void expect_row(const char *id)
{
	const struct bench *b = find_bench(id);

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
