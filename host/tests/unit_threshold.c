/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of thresholds: syntax, and which one applies. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/compare/compare.h"

static struct threshold parsed(const char *text)
{
	struct threshold t;
	struct error err;

	cr_assert_eq(threshold_parse(&t, text, &err), 0, "%s: %s", text, err.text);
	return t;
}

static void expect_bad(const char *text, const char *cause)
{
	struct threshold t;
	struct error err = { "" };

	cr_expect_eq(threshold_parse(&t, text, &err), -EINVAL, "%s", text);
	cr_expect(strstr(err.text, cause), "%s: '%s' does not say '%s'", text, err.text,
		  cause);
	cr_expect(!strchr(err.text, '\n'));
}

Test(parse, amounts)
{
	struct threshold t = parsed("1%");

	cr_expect(t.amount == 1 && !t.unit && !*t.pattern);
	t = parsed("20insns");
	cr_expect(t.amount == 20);
	cr_expect_str_eq(t.unit, "insns");
	t = parsed("2.5ticks");
	cr_expect(t.amount == 2.5);
	cr_expect_str_eq(t.unit, "ticks");
	cr_expect_str_eq(parsed("7ns").unit, "ns");
	cr_expect_str_eq(parsed("7cycles").unit, "cycles");
	cr_expect_str_eq(parsed("7counts").unit, "counts");
	cr_expect_eq(parsed("0%").amount, 0);
}

Test(parse, patterns)
{
	struct threshold t = parsed("mmio_*=2%");

	cr_expect_str_eq(t.pattern, "mmio_*");
	cr_expect_str_eq(t.text, "mmio_*=2%");
	cr_expect_eq(t.amount, 2);
	cr_expect_str_eq(parsed("[a=b]x=2%").pattern, "[a=b]x");
}

Test(parse, errors_are_named)
{
	char pattern[200];

	expect_bad("", "is not an amount");
	expect_bad("%", "is not an amount");
	expect_bad("insns", "is not an amount");
	expect_bad("-1%", "is not an amount");
	expect_bad("+1%", "is not an amount");
	expect_bad(" 1%", "is not an amount");
	expect_bad("nan%", "is not an amount");
	expect_bad("inf%", "is not an amount");
	expect_bad("0x10insns", "is not an amount");
	expect_bad("mmio_*=", "is not an amount");
	expect_bad("1", "without a unit");
	expect_bad("mmio_*=1", "without a unit");
	expect_bad("1%%", "'%%' is not a unit");
	expect_bad("1 %", "' %' is not a unit");
	expect_bad("20insn", "'insn' is not a unit");
	expect_bad("1e999%", "out of range");
	expect_bad("=1%", "no benchmark before '='");
	memset(pattern, 'a', sizeof(pattern));
	strcpy(pattern + 190, "=1%");
	expect_bad(pattern, "pattern longer than 127 characters");
}

Test(find, patterns_first_then_the_last)
{
	const struct threshold list[] = {
		parsed("mmio_*=2%"), parsed("mmio_read*=0%"),	 parsed("5%"),
		parsed("20insns"),   parsed("hypercall=9ticks"),
	};

	cr_expect_eq(threshold_find(list, 5, "mmio_write_user", "insns"), &list[0]);
	cr_expect_eq(threshold_find(list, 5, "mmio_read_user", "insns"), &list[1]);
	cr_expect_eq(threshold_find(list, 5, "cpuid", "insns"), &list[3]);
	/* An amount in another unit does not apply. */
	cr_expect_eq(threshold_find(list, 5, "cpuid", "ticks"), &list[2]);
	cr_expect_eq(threshold_find(list, 5, "hypercall", "ticks"), &list[4]);
	cr_expect_eq(threshold_find(list, 5, "hypercall", "insns"), &list[3]);
	cr_expect_null(threshold_find(list, 2, "cpuid", "insns"));
	cr_expect_null(threshold_find(NULL, 0, "cpuid", "insns"));
	cr_expect_null(threshold_find(&list[3], 1, "cpuid", NULL));
}

Test(covers, up_to_and_with)
{
	struct threshold percent = parsed("1%"), insns = parsed("20insns");

	cr_expect(threshold_covers(&percent, 0.29, 29), "1 % of 29 by floating point");
	cr_expect(!threshold_covers(&percent, 0.291, 29));
	cr_expect(threshold_covers(&percent, -0.29, 29), "more may be better");
	cr_expect(threshold_covers(&percent, 0.29, -29));
	cr_expect(!threshold_covers(&percent, 1, 0), "a share of nothing");
	cr_expect(threshold_covers(&insns, 20, 0));
	cr_expect(!threshold_covers(&insns, 20.5, 1e9));
	cr_expect(!threshold_covers(&insns, NAN, 100));
}
