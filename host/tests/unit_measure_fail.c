/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the document of a target that failed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/measure/measure.h"

static const char *const benches[] = { "null", "hypercall", "cpuid" };

static const struct job job = {
	.benches = benches,
	.n_benches = 3,
};

static const struct target *target_of(const char *name)
{
	const struct target *t = target_table;

	while (strcmp(t->name, name) != 0)
		t++;
	return t;
}

/* Writes and reads the document; frees `r`. */
static struct result *read_back(struct result *r)
{
	struct error err;
	struct result *copy;
	char *text;

	/* The caller of measure_run() sets these members. */
	r->run.id = r->run.started = r->run.tool_version = "1";
	r->machine.fingerprint = "unknown";
	r->machine.arch = "x86_64";
	text = result_dump(r);
	cr_assert_eq(result_parse(text, strlen(text), &copy, &err), 0, "%s", err.text);
	free(text);
	result_free(r);
	return copy;
}

Test(measure_fail, a_target_that_was_never_opened_has_all_rows_failed)
{
	const struct error err = { "lab:x86_64-vmx: bochs failed: it broke\n"
				   "  console: last words" };
	const char *why = "bochs failed: it broke; console: last words";
	struct result *r = result_new();

	measure_fail(target_of("lab:x86_64-vmx"), &job, &err, r);
	r = read_back(r);
	cr_expect_eq(r->n_benchmarks, 3);
	cr_expect_eq(result_count(r, RESULT_FAIL), 3);
	cr_expect_str_eq(r->benchmarks[2].reason, why);
	cr_expect_str_eq(result_failure(r), why);
	cr_expect_str_eq(r->target.name, "lab:x86_64-vmx");
	cr_expect_str_eq(r->target.kind, "lab");
	cr_expect_str_eq(r->clock.unit, "insns");
	cr_expect(r->target.exact);
	cr_expect(r->run.partial);
	result_free(r);
}

Test(measure_fail, measured_rows_are_kept_and_the_others_have_failed)
{
	const struct error err = { "the emulator is gone" };
	struct result *r = result_new();
	struct result_benchmark *b = result_add_benchmark(r);

	r->target.name = "lab:x86_64-vmx";
	r->target.kind = "lab";
	r->clock.name = "TSC";
	r->clock.unit = "insns";
	b->name = "hypercall";
	b->config = "default";
	b->group = "exits";
	measure_fail(target_of("lab:x86_64-vmx"), &job, &err, r);
	r = read_back(r);
	cr_expect_eq(r->n_benchmarks, 3);
	cr_expect_eq(result_find(r, "hypercall", "default")->status, RESULT_OK);
	cr_expect_eq(result_find(r, "null", "default")->status, RESULT_FAIL);
	cr_expect_str_eq(result_find(r, "cpuid", "default")->reason,
			 "the emulator is gone");
	cr_expect_str_eq(result_failure(r), "the emulator is gone");
	result_free(r);
}

Test(measure_fail, rows_that_the_target_does_not_have_are_not_failed)
{
	const struct error err = { "gone" };
	struct result *r = result_new();

	measure_fail(target_of("lab:aarch64-vhe"), &job, &err, r);
	r = read_back(r);
	cr_expect_null(result_find(r, "cpuid", NULL), "cpuid is x86_64's");
	cr_expect_eq(result_count(r, RESULT_FAIL), 2);
	result_free(r);
}
