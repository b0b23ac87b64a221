/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of valid and invalid documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "host/lib/error.h"
#include "host/tests/result_fixture.h"

/* Expects -EINVAL with one line. Returns the line. */
static const char *refusal(const char *text, size_t bytes)
{
	static struct error err;
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

/* The fixture with one value replaced; `to` NULL: removed. */
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

Test(result_rules, unrequired_members_may_be_missing)
{
	static const char *const where[][2] = {
		{ "/run", "partial" },
		{ "/run", "pair" },
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
		cr_expect(r->machine.pinned == (i == 3 ? -1 : 0));
		cr_expect(r->benchmarks[0].exits.user == (i == 5 ? -1 : 998));
		result_free(r);
		free(text);
	}
}

Test(result_rules, unknown_members_are_ignored)
{
	char *text = changed("/benchmarks/0/exits", "smi", "{\"a\":[null,-1]}");

	result_free(parse(text));
	free(text);
}

Test(result_rules, integers_may_be_written_as_reals)
{
	char *text = changed("/benchmarks/0/exits", "expected", "1e3");
	struct result *r = parse(text);

	cr_expect_eq(r->benchmarks[0].exits.expected, 1000);
	result_free(r);
	free(text);
}

Test(result_rules, says_where_a_document_is_wrong)
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

Test(result_rules, says_where_a_text_is_wrong)
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
		cr_expect_eq(strncmp(refusal(texts[i], strlen(texts[i])),
				     "not JSON: line ", 15),
			     0, "%s", texts[i]);
	cr_expect_str_eq(refusal("[]", 2), "/: expected an object");
	cr_expect_not_null(strstr(refusal(twice, strlen(twice)), "line 3 column 4: "));
	cr_expect_eq(strncmp(refusal("{\"a\": \0}", 8), "not JSON: line ", 15), 0,
		     "NUL in the text");
}

Test(result_rules, nesting_does_not_exhaust_the_stack)
{
	size_t n = 1u << 20;
	char *text = malloc(n);

	memset(text, '[', n);
	refusal(text, n);
	free(text);
}

/* The last byte is a newline, which a document can lack. */
Test(result_rules, truncated_anywhere_is_refused)
{
	struct result *r = fixture();
	char *text = result_dump(r);
	size_t bytes = strlen(text);

	for (size_t cut = 0; cut + 1 < bytes; cut++) {
		/* Allocated, so that the sanitizers detect reads beyond the end. */
		char *part = malloc(cut ? cut : 1);

		memcpy(part, text, cut);
		refusal(part, cut);
		free(part);
	}
	free(text);
	result_free(r);
}

/* Each single-byte change is parsed or rejected with one line, without a crash. */
Test(result_rules, any_byte_changed_does_no_harm)
{
	static const char other[] = "\"{[,:-9e\x01\xff";
	struct result *r = fixture(), *back;
	char *text = result_dump(r);
	size_t bytes = strlen(text), refused = 0;

	for (size_t i = 0; i < bytes; i++) {
		char was = text[i];

		text[i] = other[i % (sizeof(other) - 1)];
		if (result_parse(text, bytes, &back, &(struct error){ "" })) {
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
