/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of documents that are not compared, or only with --across; and of notes. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/tests/compare_fixture.h"

#define LAB "lab:aarch64-vhe"

static const struct compare_options plain;

static struct compare compared(const struct result *base, const struct result *new,
			       const struct compare_options *o)
{
	struct error err = { "" };
	struct compare c;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), 0, "%s", err.text);
	return c;
}

static void expect_refused(const struct result *base, const struct result *new,
			   const struct compare_options *o, const char *why)
{
	struct error err = { "" };
	struct compare c;

	cr_assert_eq(compare_documents(base, new, o, &c, &err), -EINVAL);
	cr_expect(strstr(err.text, why), "'%s' does not say '%s'", err.text, why);
	cr_expect(!strchr(err.text, '\n'));
}

Test(refused, documents_of_different_kinds)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	const struct compare_options machines = { .across = COMPARE_ACROSS_MACHINES };
	const struct compare_options targets = { .across = COMPARE_ACROSS_TARGETS };
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 10);
	b->machine.fingerprint = "fedcba9876543210";
	expect_refused(a, b, &plain, "different machines");
	c = compared(a, b, &machines);
	compare_free(&c);
	b->target.name = "lab:x86_64-svm";
	expect_refused(a, b, &machines, "different targets");
	c = compared(a, b, &targets);
	compare_free(&c);
	b->benchmarks[0].metrics[0].unit = "ticks";
	expect_refused(a, b, &targets, "hypercall: different units, insns and ticks");
	result_free(a);
	result_free(b);
}

/* A newer kernel makes known a microcode that the emulated CPU had before. */
Test(refused, other_microcode_only_of_real_machines)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 10);
	a->target.emulator = b->target.emulator =
		"bochs 3.0+dfsg worldswitch 000000000000";
	b->machine.fingerprint = "fedcba9876543210";
	b->machine.microcode = "0x8001100";
	c = compared(a, b, &plain);
	compare_free(&c);
	b->machine.cpu_model = "another";
	expect_refused(a, b, &plain, "and another (--across machines compares them)");
	/* Of a noisy target the microcode is a cause of differences, and named. */
	a->target.exact = b->target.exact = false;
	b->machine.cpu_model = a->machine.cpu_model;
	expect_refused(a, b, &plain, "with microcode ");
	result_free(a);
	result_free(b);
}

/* The settings that differ are printed word by word. */
Test(notes, settings_by_their_words)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	bool words = false, nohz = false;
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 10);
	for (int i = 0; i < 2; i++) {
		struct result *r = i ? b : a;
		struct result_check *check = result_add_check(r);

		check->id = "kvm_parameters";
		check->value = i ? "npt=Y avic=Y vnmi=N" : "npt=Y avic=N tdp=Y";
		check = result_add_check(r);
		check->id = "nohz_full";
		check->value = i ? "none" : "(null)";
	}
	c = compared(a, b, &plain);
	for (size_t i = 0; i < c.n_notes; i++) {
		words |= !strcmp(
			c.notes[i],
			"The setting kvm_parameters differs: avic N to Y, tdp Y to none, vnmi none to N.");
		nohz |= strstr(c.notes[i], "nohz_full") != NULL;
	}
	cr_expect(words && !nohz);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

/* The fingerprint contains the emulator: the message names the cause. */
Test(refused, documents_of_two_emulators)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	const struct compare_options machines = { .across = COMPARE_ACROSS_MACHINES };
	struct compare c;
	bool noted = false;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 10);
	a->target.emulator = "bochs 3.0+dfsg worldswitch 000000000000";
	b->target.emulator = "bochs 3.0+dfsg worldswitch 111111111111";
	b->machine.fingerprint = "fedcba9876543210";
	expect_refused(
		a, b, &plain,
		"different emulators, bochs 3.0+dfsg worldswitch 000000000000 and bochs 3.0+dfsg worldswitch 111111111111");
	c = compared(a, b, &machines);
	for (size_t i = 0; i < c.n_notes; i++)
		noted |=
			strstr(c.notes[i], "different emulators, bochs 3.0+dfsg") != NULL;
	cr_expect(noted);
	compare_free(&c);
	/* Documents of targets without an emulator have none. */
	a->target.emulator = NULL;
	expect_refused(a, b, &plain, "different machines");
	result_free(a);
	result_free(b);
}

Test(refused, across_units_rows_have_no_verdict)
{
	struct result *a = fixture_document(LAB, true), *b = fixture_document(LAB, true);
	const struct compare_options units = { .across = COMPARE_ACROSS_UNITS };
	struct compare c;

	fixture_exact(a, "hypercall", 10);
	fixture_exact(b, "hypercall", 20)->unit = "ticks";
	c = compared(a, b, &units);
	cr_expect_eq(c.rows[0].verdict, COMPARE_NONE);
	cr_expect(c.rows[0].base.value == 10 && c.rows[0].new.value == 20);
	cr_expect(isnan(c.rows[0].difference) && *c.rows[0].reason);
	compare_free(&c);
	result_free(a);
	result_free(b);
}

Test(refused, unknown_names)
{
	struct result *a = fixture_document(LAB, true);
	const char *none[] = { "hypercal", "x*" };
	const struct compare_options benches = { .benches = none, .n_benches = 2 };
	const struct compare_options configs = { .config = { "default", "pmu-off" } };

	fixture_exact(a, "hypercall", 10);
	expect_refused(a, a, &benches, "no benchmark");
	expect_refused(a, a, &configs, "'pmu-off'");
	result_free(a);
}
