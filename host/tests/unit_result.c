/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of building, writing and reading the result document. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/tests/result_fixture.h"

/* The value at a JSON pointer without escapes. */
static json_t *at(json_t *value, const char *pointer)
{
	char path[256], *step, *rest = path;

	snprintf(path, sizeof(path), "%s", *pointer ? pointer + 1 : "");
	while (*pointer && (step = strsep(&rest, "/")))
		value = json_is_array(value)
				? json_array_get(value, strtoul(step, NULL, 10))
				: json_object_get(value, step);
	return value;
}

static struct result *parse(const char *text)
{
	struct result_error err = { "" };
	struct result *r;
	int rc = result_parse(text, strlen(text), &r, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
	return r;
}

/* Refused with one line; the line is the answer. */
static const char *refusal(const char *text, size_t bytes)
{
	static struct result_error err;
	struct result *r = NULL;

	memset(err.text, 'x', sizeof(err.text));
	cr_assert_eq(result_parse(text, bytes, &r, &err), -EINVAL, "accepted: %.*s",
		     (int)bytes, text);
	cr_expect_null(r);
	cr_expect_not_null(memchr(err.text, '\0', sizeof(err.text)));
	cr_expect_neq(err.text[0], '\0');
	cr_expect_null(strpbrk(err.text, "\n\r"), "one line: %s", err.text);
	return err.text;
}

/* The fixture with one value replaced (or, `to` NULL, taken out). */
static char *changed(const char *object, const char *key, const char *to)
{
	struct result *r = fixture();
	char *text = result_dump(r);
	json_t *root = json_loads(text, 0, NULL), *parent = at(root, object);

	cr_assert(json_is_object(parent), "%s", object);
	if (to)
		json_object_set_new(parent, key, json_loads(to, JSON_DECODE_ANY, NULL));
	else
		cr_assert_eq(json_object_del(parent, key), 0, "%s", key);
	free(text);
	text = json_dumps(root, 0);
	json_decref(root);
	result_free(r);
	return text;
}

static void expect_refused(const char *object, const char *key, const char *to,
			   const char *want)
{
	char *text = changed(object, key, to);

	cr_expect_str_eq(refusal(text, strlen(text)), want);
	free(text);
}

/*
 * Every member, and where it has to stand. Member by member, because one that
 * writer and reader both forgot would survive any round trip.
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
	{ "/clock/overhead/min", "3.0" },
	{ "/clock/overhead/median", "3.5" },
	{ "/benchmarks/0/name", "\"hypercall\"" },
	{ "/benchmarks/0/config", "\"default\"" },
	{ "/benchmarks/0/group", "\"exit\"" },
	{ "/benchmarks/0/handled_by", "\"user\"" },
	{ "/benchmarks/0/status", "\"fail\"" },
	{ "/benchmarks/0/reason", "\"too few exits\"" },
	{ "/benchmarks/0/exits/expected", "1000" },
	{ "/benchmarks/0/exits/observed", "999" },
	{ "/benchmarks/0/exits/user", "998" },
	{ "/benchmarks/0/exits/interrupts", "3" },
	{ "/benchmarks/0/exits/faults", "4" },
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
	  "{\"interrupts\":11,\"involuntary_switches\":12,\"migrations\":13}" },
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

Test(result, keys_stand_in_the_order_of_the_design)
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

Test(result, unknown_is_null_and_comes_back_unknown)
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

Test(result, unrequired_members_may_be_missing)
{
	static const char *const where[][2] = {
		{ "/run", "partial" },
		{ "/subject", "kernel" },
		{ "/machine", "pinned" },
		{ "/benchmarks/0", "reason" },
		{ "/benchmarks/0/exits", "user" },
		{ "/benchmarks/0/metrics/0/boots/0", "interference" },
		{ "/benchmarks/0/metrics/0/boots/0/summary", "n" },
	};

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		char *text = changed(where[i][0], where[i][1], NULL);
		struct result *r = parse(text);

		cr_expect_eq(r->benchmarks[0].metrics[0].boots[0].summary.n, 5);
		cr_expect(r->run.partial == (i != 0));
		cr_expect(r->machine.pinned == (i == 2 ? -1 : 0));
		cr_expect(r->benchmarks[0].exits.user == (i == 4 ? -1 : 998));
		result_free(r);
		free(text);
	}
}

Test(result, unknown_members_are_ignored)
{
	char *text = changed("/benchmarks/0/exits", "smi", "{\"a\":[null,-1]}");

	result_free(parse(text));
	free(text);
}

Test(result, integers_may_be_written_as_reals)
{
	char *text = changed("/benchmarks/0/exits", "expected", "1e3");
	struct result *r = parse(text);

	cr_expect_eq(r->benchmarks[0].exits.expected, 1000);
	result_free(r);
	free(text);
}

Test(result, says_where_a_document_is_wrong)
{
	expect_refused("", "schema", "\"other\"",
		       "/schema: expected \"worldswitch.result\"");
	expect_refused("", "schema_version", "0", "/schema_version: expected 1");
	expect_refused("", "schema_version", "2",
		       "/schema_version: version 2 is newer than this program's, 1");
	expect_refused("", "run", "[]", "/run: expected an object");
	expect_refused("", "warnings", "{}", "/warnings: expected an array");
	expect_refused("/run", "seed", NULL, "/run/seed: missing");
	expect_refused("/run", "seed", "-1",
		       "/run/seed: expected an integer that is not negative");
	expect_refused("/run", "argv", "[\"a\",1]", "/run/argv/1: expected a string");
	expect_refused("/machine", "cpus", "4294967296",
		       "/machine/cpus: expected an integer from 0 to 4294967295");
	expect_refused("/subject", "label", "1",
		       "/subject/label: expected a string or null");
	expect_refused("/target", "exact", "1", "/target/exact: expected true or false");
	expect_refused("/benchmarks/0", "status", "\"passed\"",
		       "/benchmarks/0/status: expected \"ok\", \"skip\" or \"fail\"");
	expect_refused("/benchmarks/0/exits", "observed", "1.5",
		       "/benchmarks/0/exits/observed: expected an integer");
	expect_refused("/benchmarks/0/metrics/0", "unit", "null",
		       "/benchmarks/0/metrics/0/unit: expected a string");
	expect_refused(
		"/benchmarks/0/metrics/0/estimate", "value", "\"1\"",
		"/benchmarks/0/metrics/0/estimate/value: expected a number or null");
	expect_refused("/benchmarks/0/metrics/0/boots/0/histogram", "bits", "63",
		       "/benchmarks/0/metrics/0/boots/0/histogram/bits: "
		       "expected an integer from 1 to 62");
	expect_refused("/benchmarks/0/metrics/0/boots/0/histogram", "bins",
		       "[[1,1],[2,0]]",
		       "/benchmarks/0/metrics/0/boots/0/histogram/bins/1/1: "
		       "expected an integer from 1 to 9223372036854775807");
	expect_refused("/benchmarks/0/metrics/0/boots/0/histogram", "bins", "[[1,1,1]]",
		       "/benchmarks/0/metrics/0/boots/0/histogram/bins/0: "
		       "expected a pair [low, count]");
}

Test(result, says_where_a_text_is_wrong)
{
	static const char twice[] = "{\n \"a\": 1,\n \"a\": 2}";
	static const char *const texts[] = {
		"",
		" ",
		"nonsense",
		"{\"a\":1,}",
		"{\"a\":NaN}",
		"{\"a\":Infinity}",
		"{} {}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":99999999999999999999}",
		"{\"a\":1e999}",
		"{\"a\n\":1}",
		"{\"a\":\"\x01\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\u0000\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(strncmp(refusal(texts[i], strlen(texts[i])), "line ", 5), 0,
			     "%s", texts[i]);
	cr_expect_str_eq(refusal("[]", 2), "/: expected an object");
	cr_expect_not_null(strstr(refusal(twice, strlen(twice)), "line 3 column 4: "));
	cr_expect_eq(strncmp(refusal("{\"a\": \0}", 8), "line ", 5), 0,
		     "NUL in the text");
}

Test(result, nesting_does_not_exhaust_the_stack)
{
	size_t n = 1u << 20;
	char *text = malloc(n);

	memset(text, '[', n);
	refusal(text, n);
	free(text);
}

/* The last byte is a line break: without it the document is still whole. */
Test(result, truncated_anywhere_is_refused)
{
	struct result *r = fixture();
	char *text = result_dump(r);
	size_t bytes = strlen(text);

	for (size_t cut = 0; cut + 1 < bytes; cut++) {
		/* Of its own, so that the sanitizers see a read beyond it. */
		char *part = malloc(cut ? cut : 1);

		memcpy(part, text, cut);
		refusal(part, cut);
		free(part);
	}
	free(text);
	result_free(r);
}

/* Whatever the one byte makes of it: read, or refused in one line; never a crash. */
Test(result, any_byte_changed_does_no_harm)
{
	static const char other[] = "\"{[,:-9e\x01\xff";
	struct result *r = fixture(), *back;
	char *text = result_dump(r);
	size_t bytes = strlen(text), refused = 0;

	for (size_t i = 0; i < bytes; i++) {
		char was = text[i];

		text[i] = other[i % (sizeof(other) - 1)];
		if (result_parse(text, bytes, &back, &(struct result_error){ "" })) {
			refusal(text, bytes);
			refused++;
		}
		result_free(back);
		text[i] = was;
	}
	cr_expect(refused > bytes / 4 && refused < bytes);
	result_free(parse(text));
	free(text);
	result_free(r);
}

/* A file of this version, once written, is read for as long as the version lasts. */
Test(result, a_document_of_version_1_still_reads_and_writes_the_same)
{
	static const char path[] = "host/tests/result_v1.json";
	struct result_error err;
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

		bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		r->benchmarks[0].metrics[0].value = value;
		text = result_dump(r);
		back = parse(text);
		cr_expect_eq(memcmp(&back->benchmarks[0].metrics[0].value, &value,
				    sizeof(value)),
			     0, "%a", value);
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

Test(result, one_benchmark_travels_alone)
{
	struct result *from = fixture(), *to = fixture();
	char *text = result_benchmark_dump(&from->benchmarks[0]), *again;
	struct result_error err;

	cr_expect_null(strchr(text, '\n'), "one line");
	cr_assert_eq(result_benchmark_parse(to, text, strlen(text), &err), 0);
	cr_assert_eq(to->n_benchmarks, 2);
	again = result_benchmark_dump(&to->benchmarks[1]);
	cr_expect_str_eq(again, text);
	for (size_t cut = 0; cut < strlen(text); cut++)
		cr_expect_eq(result_benchmark_parse(to, text, cut, &err), -EINVAL);
	cr_expect_eq(to->n_benchmarks, 2, "a broken one is not appended");

	/* Broken after its histogram has been read. */
	memcpy(strstr(text, "\"interference\":{"), "\"interference\":7,\"\":{", 16);
	cr_expect_eq(result_benchmark_parse(to, text, strlen(text), &err), -EINVAL);
	free(text);
	free(again);
	result_free(from);
	result_free(to);
}

/* What was read grows as what was built does. */
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
