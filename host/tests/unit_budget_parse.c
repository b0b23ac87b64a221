/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of the parsers of exits: each format of each tool, out of real outputs
 * (host/tests/data/budget), and damaged ones.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/tests/budget_fixture.h"

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
