/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of building, writing and reading the result document. */
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/lib/error.h"
#include "host/tests/result_fixture.h"

/*
 * Each member and its position. A round trip does not detect a member that encoder and
 * decoder both lack.
 */
static const struct {
	const char *pointer, *text;
} members[] = {
	{ "/schema", "\"worldswitch.result\"" },
	{ "/schema_version", "1" },
	{ "/run/id", "\"20260901T000000Z-1a2b\"" },
	{ "/run/started", "\"2026-09-01T00:00:00Z\"" },
	{ "/run/finished", "\"2026-09-01T00:01:00Z\"" },
	{ "/run/partial", "true" },
	{ "/run/seed", "9223372036854775807" },
	{ "/run/argv", "[\"wsbench\",\"run\",\"--on\"]" },
	{ "/run/tool/version", "\"0.1\"" },
	{ "/run/tool/commit", "\"be8e394\"" },
	{ "/run/tool/dirty", "true" },
	{ "/run/pair/id", "\"20260901T000000Z-0000\"" },
	{ "/run/pair/side", "\"new\"" },
	{ "/run/pair/config", "\"pmu-off\"" },
	{ "/subject/kernel", "\"6.1.0-56-cloud-arm64\"" },
	{ "/subject/label", "\"mit \xc3\xbc\"" },
	{ "/subject/commit", "\"cafe\"" },
	{ "/target/name", "\"lab:aarch64-vhe\"" },
	{ "/target/kind", "\"lab\"" },
	{ "/target/emulator", "\"QEMU 7.2\"" },
	{ "/target/hypervisor", "\"arm64 VHE\"" },
	{ "/target/exact", "true" },
	{ "/machine/fingerprint", "\"0123abcd\"" },
	{ "/machine/arch", "\"aarch64\"" },
	{ "/machine/cpu_model", "\"max\"" },
	{ "/machine/microcode", "\"0x1\"" },
	{ "/machine/cpus", "2" },
	{ "/machine/pinned", "0" },
	{ "/environment/checks/0/id", "\"governor\"" },
	{ "/environment/checks/0/value", "\"powersave\"" },
	{ "/environment/checks/0/expected", "\"performance\"" },
	{ "/environment/checks/0/status", "\"warn\"" },
	{ "/environment/tuned", "true" },
	{ "/clock/name", "\"CNTVCT_EL0\"" },
	{ "/clock/hz", "1000000000" },
	{ "/clock/unit", "\"insns\"" },
	{ "/clock/resolution", "1" },
	{ "/clock/steps_hz", "500000000" },
	{ "/clock/least_difference", "7" },
	{ "/clock/overhead/min", "3.0" },
	{ "/clock/overhead/median", "3.5" },
	{ "/benchmarks/0/name", "\"hypercall\"" },
	{ "/benchmarks/0/config", "\"default\"" },
	{ "/benchmarks/0/group", "\"exit\"" },
	{ "/benchmarks/0/vcpus", "6" },
	{ "/benchmarks/0/vms", "7" },
	{ "/benchmarks/0/oversubscribed", "true" },
	{ "/benchmarks/0/handled_by", "\"user\"" },
	{ "/benchmarks/0/status", "\"fail\"" },
	{ "/benchmarks/0/reason", "\"too few exits\"" },
	{ "/benchmarks/0/exits/expected", "1000" },
	{ "/benchmarks/0/exits/observed", "999" },
	{ "/benchmarks/0/exits/user", "998" },
	{ "/benchmarks/0/exits/interrupts", "3" },
	{ "/benchmarks/0/exits/faults", "4" },
	{ "/benchmarks/0/exits/statistic",
	  "{\"name\":\"hypercalls\",\"expected\":997,\"counted\":996}" },
	{ "/benchmarks/0/metrics/0/name", "\"round_trip\"" },
	{ "/benchmarks/0/metrics/0/unit", "\"insns\"" },
	{ "/benchmarks/0/metrics/0/better", "\"lower\"" },
	{ "/benchmarks/0/metrics/0/estimate/value", "1495.0" },
	{ "/benchmarks/0/metrics/0/estimate/stat", "\"median-of-boot-medians\"" },
	{ "/benchmarks/0/metrics/0/estimate/ci/level", "0.94999999999999996" },
	{ "/benchmarks/0/metrics/0/estimate/ci/lo", "1490.5" },
	{ "/benchmarks/0/metrics/0/estimate/ci/hi", "1500.5" },
	{ "/benchmarks/0/metrics/0/estimate/ci/method", "\"order-statistic\"" },
	{ "/benchmarks/0/metrics/0/boots/0/index", "7" },
	{ "/benchmarks/0/metrics/0/boots/0/valid", "false" },
	{ "/benchmarks/0/metrics/0/boots/0/reject_reason",
	  "\"migrated \\\"twice\\\" \\\\ [ 1,\\n 2 ]\"" },
	{ "/benchmarks/0/metrics/0/boots/0/events", "5" },
	{ "/benchmarks/0/metrics/0/boots/0/summary",
	  "{\"n\":5,\"min\":-5.0,\"p1\":0.10000000000000001,\"p5\":5.5,\"p25\":25.25,"
	  "\"p50\":50.5,\"p75\":75.75,\"p90\":90.125,\"p95\":95.5,\"p99\":99.5,"
	  "\"p99_9\":1.0000000000000001e300,\"max\":70000.0,"
	  "\"mean\":0.33333333333333331,\"sd\":4.9406564584124654e-324,"
	  "\"mad\":2.9651999999999998}" },
	{ "/benchmarks/0/metrics/0/boots/0/histogram",
	  "{\"bits\":7,\"bins\":[[-5,1],[1488,3],[69632,1]]}" },
	{ "/benchmarks/0/metrics/0/boots/0/interference",
	  "{\"interrupts\":11,\"involuntary_switches\":12,\"migrations\":13,"
	  "\"pace_spread\":0.5}" },
	{ "/warnings", "[{\"code\":\"noise\",\"message\":\"1 of 10 boots\"}]" },
};

static void expect_members(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);

	cr_assert_not_null(root);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = at(root, members[i].pointer);
		char *got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
						      JSON_REAL_PRECISION(17));

		cr_assert_not_null(got, "%s is missing", members[i].pointer);
		cr_expect_str_eq(got, members[i].text, "%s: %s", members[i].pointer, got);
		free(got);
	}
	json_decref(root);
}

Test(result, every_member_survives_writing_and_reading)
{
	struct result *first = fixture(), *second;
	char *text = result_dump(first), *again;

	expect_members(text);
	second = parse(text);
	again = result_dump(second);
	cr_expect_str_eq(again, text);
	cr_expect_eq(second->benchmarks[0].handled_by, HANDLED_USER);
	cr_expect_eq(second->benchmarks[0].status, RESULT_FAIL);
	cr_expect_eq(second->benchmarks[0].metrics[0].boots[0].summary.mean, 1 / 3.0);
	free(text);
	free(again);
	result_free(first);
	result_free(second);
}

Test(result, keys_have_a_fixed_order)
{
	static const char *const order[] = {
		"\"schema\"",	  "\"schema_version\"", "\"run\"",	   "\"subject\"",
		"\"target\"",	  "\"machine\"",	"\"environment\"", "\"clock\"",
		"\"benchmarks\"", "\"warnings\"",
	};
	struct result *r = fixture();
	char *text = result_dump(r), *here = text;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		here = strstr(here, order[i]);
		cr_assert_not_null(here, "%s", order[i]);
	}
	cr_expect_eq(strncmp(text, "{\n  \"schema\"", 12), 0, "two blanks deep");
	cr_expect_eq(text[strlen(text) - 1], '\n');
	cr_expect_not_null(strstr(text, "[-5, 1],\n"), "a bin takes one line");
	cr_expect_not_null(strstr(text, "[ 1,\\n 2 ]"), "strings stay as they are");
	free(text);
	result_free(r);
}

Test(result, unknown_is_null_and_reads_back_as_unknown)
{
	struct result *r = result_new(), *back;
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m = result_add_metric(r, b);
	char *text;

	r->target.kind = "kvm";
	r->machine.arch = "x86_64";
	b->name = b->config = b->group = "x";
	m->name = m->unit = "x";
	m->better = "lower";
	result_add_boot(r, m);
	m->boots[0].summary.max = INFINITY;
	text = result_dump(r);
	back = parse(text);
	cr_expect_not_null(strstr(text, "\"max\": null"));
	cr_expect_not_null(strstr(text, "\"pinned\": null"));
	cr_expect_not_null(strstr(text, "\"hz\": null"));
	cr_expect_not_null(strstr(text, "\"observed\": null"));
	cr_expect_not_null(strstr(text, "\"ci\": null"));
	cr_expect_not_null(strstr(text, "\"histogram\": null"));
	cr_expect_eq(back->machine.pinned, -1);
	cr_expect_eq(back->clock.hz, 0);
	cr_expect_eq(back->benchmarks[0].exits.observed, -1);
	cr_expect(isnan(back->benchmarks[0].metrics[0].value));
	cr_expect_null(back->benchmarks[0].metrics[0].ci.method);
	cr_expect_eq(back->benchmarks[0].metrics[0].boots[0].migrations, -1);
	cr_expect_null(back->subject.kernel);
	free(text);
	result_free(r);
	result_free(back);
}

/* A file of this schema version stays readable. */
Test(result, a_document_of_version_1_still_reads_and_writes_the_same)
{
	static const char path[] = "host/tests/result_v1.json";
	struct error err;
	struct result *r;
	char *text, *want;
	FILE *f;

	if (access(path, F_OK))
		cr_skip("%s is not here: run from the source folder", path);
	cr_assert_eq(result_read(path, &r, &err), 0, "%s", err.text);
	text = result_dump(r);
	want = calloc(1, strlen(text) + 2);
	f = fopen(path, "r");
	cr_expect_eq(fread(want, 1, strlen(text) + 1, f), strlen(text));
	cr_expect_str_eq(text, want);
	fclose(f);
	free(want);
	free(text);
	result_free(r);
}

Test(result, reals_read_back_equal)
{
	struct result *r = fixture(), *back;
	uint64_t bits = 1;
	char *text;

	for (int i = 0; i < 1000; i++) {
		double value;
		uint64_t read;

		bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		r->benchmarks[0].metrics[0].value = value;
		text = result_dump(r);
		back = parse(text);
		/* Bitwise: the sign of zero is kept. */
		memcpy(&read, &back->benchmarks[0].metrics[0].value, sizeof(read));
		cr_expect_eq(read, bits, "%a", value);
		result_free(back);
		free(text);
	}
	result_free(r);
}

Test(result, text_that_is_not_utf8_does_not_lose_the_run)
{
	struct result *r = fixture(), *back;
	char *text;

	result_add_argv(r, "caf\xe9.json");
	text = result_dump(r);
	back = parse(text);
	cr_expect_str_eq(back->run.argv[3], "caf?.json");
	result_free(back);
	result_free(r);
	free(text);
}

/* The decoder has stored a histogram when it finds the error behind it. */
Test(result, an_error_behind_a_histogram_names_its_place)
{
	struct result *r = fixture(), *back = r;
	char *text = result_dump(r);
	struct error err;

	memcpy(strstr(text, "migrations\": 13"), "migrations\": -1", 15);
	cr_expect_eq(result_parse(text, strlen(text), &back, &err), -EINVAL);
	cr_expect_null(back);
	cr_expect_str_eq(err.text,
			 "/benchmarks/0/metrics/0/boots/0/interference/migrations: "
			 "expected an integer that is not negative");
	for (size_t cut = 0; cut < strlen(text) - 2; cut += 7)
		cr_expect_eq(result_parse(text, cut, &back, &err), -EINVAL);
	free(text);
	result_free(r);
}

/* All operations on a document, and freeing it. */
static void live(void)
{
	struct result *r = fixture(), *back = NULL;
	char *text = result_dump(r);
	struct error err;

	result_parse(text, strlen(text), &back, &err);
	result_free(back);
	/* The error is behind the histogram. */
	memcpy(strstr(text, "migrations\": 13"), "migrations\": -1", 15);
	result_parse(text, strlen(text), &back, &err);
	result_free(r);
	free(text);
}

/*
 * By the allocator's own count: the sanitizer reports leaks only in the parent process.
 * The caches of free() are included, but stop growing.
 */
Test(result, nothing_is_leaked)
{
	enum { ROUNDS = 100, LEAST_BLOCK = 32 };
	size_t before;

	for (int i = 0; i < ROUNDS; i++)
		live();
	before = mallinfo2().uordblks;
	for (int i = 0; i < ROUNDS; i++)
		live();
	cr_expect_lt(mallinfo2().uordblks, before + ROUNDS * LEAST_BLOCK);
}

/* A parsed document can be extended like a built one. */
Test(result, a_document_that_was_read_can_grow)
{
	for (size_t start = 0; start < 9; start++) {
		struct result *r = fixture(), *back;
		char *text;

		for (size_t i = 1; i < start; i++)
			fixture_benchmark(r);
		r->n_benchmarks = start ? r->n_benchmarks : 1;
		text = result_dump(r);
		back = parse(text);
		for (size_t i = 0; i < 9; i++)
			fixture_benchmark(back);
		cr_expect_eq(back->n_benchmarks, r->n_benchmarks + 9);
		for (size_t i = 0; i < back->n_benchmarks; i++)
			cr_expect_str_eq(back->benchmarks[i].name, "hypercall");
		free(text);
		result_free(r);
		result_free(back);
	}
}

Test(result, find)
{
	struct result *r = fixture();
	const struct result_benchmark *b = result_find(r, "hypercall", "default");

	cr_assert_eq(b, &r->benchmarks[0]);
	cr_expect_eq(result_find(r, "hypercall", NULL), b);
	cr_expect_null(result_find(r, "hypercall", "pmu-off"));
	cr_expect_null(result_find(r, "cpuid", "default"));
	cr_expect_eq(result_find_metric(b, "round_trip"), &b->metrics[0]);
	cr_expect_null(result_find_metric(b, "exit"));
	result_free(r);
}

Test(result, a_warning_is_given_once)
{
	struct result *r = fixture();

	result_warn(r, "noise", "1 of 10 boots");
	cr_expect_eq(r->n_warnings, 1);
	result_warn(r, "noise", "2 of 10 boots");
	cr_expect_eq(r->n_warnings, 2);
	result_free(r);
}

Test(result, names)
{
	cr_expect_str_eq(result_status_name(RESULT_SKIP), "skip");
	cr_expect_str_eq(result_handler_name(HANDLED_NONE), "none");
	cr_expect_str_eq(result_handler_name(HANDLED_UNKNOWN), "unknown");
}
