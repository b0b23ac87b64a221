/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of each kind of picture and the documents that it needs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/result/result.h"
#include "host/report/charts.h"
#include "host/report/picture.h"
#include "host/report/plots.h"

static struct result *sample_doc(const char *target, const char *unit)
{
	struct result *r = result_new();

	r->run.started = "2026-01-01T00:00:00Z";
	r->target.name = target;
	r->target.kind = "lab";
	r->target.exact = !strcmp(unit, "insns");
	r->target.hypervisor = "SVM";
	r->subject.kernel = "6.1.0-test";
	r->machine.fingerprint = "0";
	r->machine.arch = "x86_64";
	r->clock.name = "TSC";
	r->clock.unit = unit;
	return r;
}

static void add_boot(struct result *r, struct result_metric *m, double value)
{
	struct result_boot *boot = result_add_boot(r, m);

	boot->valid = true;
	boot->summary.p50 = value;
}

static struct result_metric *add(struct result *r, const char *name, const char *config,
				 double value)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;

	b->name = name;
	b->config = config;
	b->status = isnan(value) ? RESULT_SKIP : RESULT_OK;
	if (isnan(value))
		return NULL;
	m = result_add_metric(r, b);
	m->name = "round_trip";
	m->unit = r->clock.unit;
	m->better = "lower";
	m->value = value;
	add_boot(r, m, value);
	return m;
}

static struct result *docs[2];
static struct picture_list list;
static struct plot_reason why;

static void one_doc(void)
{
	docs[0] = sample_doc("lab:aarch64-vhe", "insns");
	docs[1] = sample_doc("lab:aarch64-vhe", "insns");
}

static void discard(void)
{
	picture_list_free(&list);
	result_free(docs[0]);
	result_free(docs[1]);
}

TestSuite(plots, .init = one_doc, .fini = discard);

static struct plot_input input(size_t n)
{
	return (struct plot_input){ .docs = (const struct result *const *)docs,
				    .n_docs = n };
}

static void expect_in(size_t picture, const char *text)
{
	cr_assert_lt(picture, list.n);
	cr_expect(strstr(list.pictures[picture].script, text), "no %s in:\n%s", text,
		  list.pictures[picture].script);
}

static void expect_not_in(size_t picture, const char *text)
{
	cr_assert_lt(picture, list.n);
	cr_expect_null(strstr(list.pictures[picture].script, text), "%s is there", text);
}

Test(plots, bars_in_the_order_of_the_catalogue_with_their_values)
{
	struct plot_input in = input(1);
	const char *null, *hypercall;

	add(docs[0], "hypercall", "default", 1495);
	add(docs[0], "null", "default", 0);
	add(docs[0], "hvc_user", "default", NAN);
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	cr_expect_str_eq(list.pictures[0].stem, "round_trip-insns-aarch64");
	expect_in(0, "'1,495'");
	expect_in(0, "1 skipped measurement is not drawn.");
	null = strstr(list.pictures[0].script, "'null'");
	hypercall = strstr(list.pictures[0].script, "'hypercall'");
	cr_assert(null && hypercall);
	cr_expect_lt(null, hypercall);
}

/* Boots of an exact target that differ. The bar ends where the range begins. */
Test(plots, a_bar_of_a_range_shows_both_ends)
{
	struct plot_input in = input(1);
	struct result_metric *m;

	m = add(docs[0], "hypercall", "default", 1500);
	m->ci = (struct result_ci){ 1, 1000, 1500, "exact" };
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "'1,000 to 1,500'");
	expect_in(0, "$bars_0_0 << EOD\n1000 ");
	expect_in(0, " 1000 1500\nEOD");
	expect_in(0, "Whiskers of exact figures: range over boots");
}

/* Such as RDPMC without a PMU: the bar is the exception's. */
Test(plots, a_bar_of_an_operation_that_faults_says_so)
{
	struct plot_input in = input(1);

	add(docs[0], "hypercall", "default", 1495);
	add(docs[0], "pmccntr", "default", 126);
	docs[0]->benchmarks[1].exits.faults = 500;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "'126 (fault)'");
	expect_in(0, "'1,495'");
}

Test(plots, bars_of_exits_have_a_linear_axis)
{
	static const char *const wanted[] = { "*" };
	struct plot_input in = input(1);

	docs[0]->target.hypervisor = "arm64 VHE";
	add(docs[0], "null", "default", 0);
	docs[0]->benchmarks[0].handled_by = HANDLED_NONE;
	add(docs[0], "hypercall", "default", 989);
	docs[0]->benchmarks[1].handled_by = HANDLED_KERNEL;
	add(docs[0], "mmio_read_user", "default", 5311);
	docs[0]->benchmarks[2].handled_by = HANDLED_USER;
	add(docs[0], "rdpmc_general", "default", 0);
	docs[0]->benchmarks[3].status = RESULT_SKIP;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "unset logscale x");
	expect_not_in(0, "'null'");
	expect_in(
		0,
		"1 benchmark without an exit is not drawn. 1 skipped measurement is not drawn.");
	/* All that were asked for are drawn. */
	add(docs[0], "vm_create", "default", 500000);
	docs[0]->benchmarks[4].handled_by = HANDLED_USER;
	in.benches = wanted;
	in.n_benches = 1;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 2);
	expect_in(1, "'null'");
	/* A bar far longer than the others is cut; --log draws it. */
	expect_in(1, "unset logscale x");
	expect_in(1, "'\u00bb 500,000'");
	expect_in(1, "far longer, and cut");
	in.log = true;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 3);
	expect_in(2, "set logscale x");
	expect_in(2, "'500,000'");
}

static bool is_in_catalogue(const char *id)
{
	const struct bench *b = bench_table;

	while (b->id && strcmp(b->id, id) != 0)
		b++;
	return b->id;
}

Test(plots, the_floor_beside_kvm_and_nested)
{
	struct plot_input in = input(2);
	struct floor floor;
	struct table t;

	for (const struct floor_pair *pair = floor_pairs; pair->nested; pair++)
		cr_expect(is_in_catalogue(pair->operation), "%s", pair->operation);
	docs[0]->target.name = "bare:aarch64";
	docs[0]->target.hypervisor = NULL;
	docs[1]->target.name = "lab:aarch64-nested";
	docs[1]->target.hypervisor = "arm64 VHE, nested";
	add(docs[1], "hypercall", "default", 1730);
	add(docs[1], "nested_hvc", "pmu-emulated", 9);
	plot_floor(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect_not_null(strstr(why.text, "nested"));
	add(docs[1], "nested_hvc", "default", 25614);
	add(docs[0], "nested_hvc", "default", 4);
	/* A trap on the bare machine only: there is nothing to compare with. */
	add(docs[0], "nested_mmio", "default", 8);
	plot_floor(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	cr_expect_str_eq(list.pictures[0].stem, "floor-aarch64");
	expect_in(0, "'4'");
	expect_in(0, "'1,730'");
	expect_in(0, "'25,614'");
	expect_in(0, "set logscale x");
	expect_not_in(0, "nested\\_mmio");
	floor_collect(&floor, &in);
	cr_assert_eq(floor.n, 1);
	floor_table(&t, &floor, &in, NULL);
	cr_expect_str_eq(t.rows[0].cells[2].text, "lab:aarch64-nested");
	cr_expect_str_eq(t.rows[0].cells[3].text, "4");
	cr_expect_str_eq(t.rows[0].cells[5].text, "432x");
	cr_expect_str_eq(t.rows[0].cells[7].text, "15x");
	table_free(&t);
	floor_free(&floor);
	/* The floor of SVM is not that of arm64. */
	docs[1]->target.hypervisor = "SVM";
	floor_collect(&floor, &in);
	cr_assert_eq(floor.n, 1);
	cr_expect_null(floor.rows[0].floor);
	floor_free(&floor);
}

/* Within 100 columns the operation is in the table, however long the names are. */
Test(plots, the_floor_fits_a_terminal)
{
	const struct table_options o = { .columns = 100, .utf8 = true };
	struct plot_input in = input(2);
	struct floor floor;
	char *text = NULL;
	size_t bytes;
	FILE *f;

	docs[0]->target.name = "bare:x86_64-bochs";
	docs[0]->target.hypervisor = NULL;
	docs[1]->target.name = "lab:x86_64-vmx-skylake";
	docs[1]->target.hypervisor = "VMX";
	add(docs[0], "nested_page_fault", "default", 21);
	add(docs[1], "nested_page_fault", "default", 36241);
	add(docs[1], "fault_first_touch_4k", "default", 4500);
	add(docs[0], "nested_cpuid_as_kvm", "default", 24);
	add(docs[1], "nested_cpuid_as_kvm", "default", 110678);
	add(docs[1], "cpuid", "default", 1781);
	floor_collect(&floor, &in);
	cr_assert_eq(floor.n, 2);
	f = open_memstream(&text, &bytes);
	floor_print(f, &floor, &in, &o);
	fclose(f);
	cr_expect_eq(strncmp(text, "lab:x86_64-vmx-skylake\n\n", 24), 0, "%s", text);
	cr_expect_not_null(strstr(text, "fault_first_touch_4k"), "%s", text);
	cr_expect_null(strstr(text, "not shown"), "%s", text);
	free(text);
	floor_free(&floor);
}

/* In percent of a target, or of a kernel, which is that of each target. */
Test(plots, bars_relative_to_a_base)
{
	struct plot_input in = input(2);

	docs[1]->target.name = "lab:aarch64-nvhe";
	docs[1]->subject.kernel = "6.12.1-test";
	add(docs[0], "hypercall", "default", 1000);
	add(docs[1], "hypercall", "default", 1500);
	add(docs[0], "mmio_read_user", "default", 0);
	add(docs[1], "mmio_read_user", "default", 20);
	for (size_t d = 0; d < 2; d++)
		for (size_t i = 0; i < 2; i++)
			docs[d]->benchmarks[i].handled_by = HANDLED_KERNEL;
	in.base = "lab:aarch64-vhe";
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "'100.0 %   1,000'");
	expect_in(0, "'150.0 %   1,500'");
	expect_in(0, "percent of lab:aarch64-vhe");
	expect_in(0, "1 benchmark without a figure of the base.");
	expect_not_in(0, "'mmio_read_user'");
	in.base = "6.12";
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 2);
	expect_in(1, "'66.7 %   1,000'");
	in.base = "6.2";
	plot_bars(&in, &list, &why);
	cr_expect_eq(list.n, 2);
	cr_expect(strstr(why.text, "--base 6.2"), "%s", why.text);
	/* A base of each target. */
	docs[1]->target.name = "lab:aarch64-vhe";
	in.base = "6.1";
	plot_bars(&in, &list, &why);
	expect_in(2, "'150.0 %   1,500'");
}

Test(plots, no_two_units_or_architectures_share_a_chart)
{
	struct plot_input in = input(2);

	docs[1]->target.name = "lab:x86_64-svm";
	add(docs[0], "hypercall", "default", 1003);
	add(docs[1], "hypercall", "default", 2007);
	add(docs[1], "timer_overshoot_perf", "default", 3011)->unit = "cycles";
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 3);
	cr_expect_str_eq(list.pictures[0].stem, "round_trip-insns-x86_64");
	cr_expect_str_eq(list.pictures[1].stem, "round_trip-insns-aarch64");
	cr_expect_str_eq(list.pictures[2].stem, "round_trip-cycles-x86_64");
	expect_not_in(0, "'1,003'");
	expect_not_in(1, "'2,007'");
	expect_not_in(0, "'3,011'");
	expect_in(2, "'3,011'");
}

Test(plots, documents_of_one_target_have_different_names)
{
	struct plot_input in = input(2);

	add(docs[0], "hypercall", "default", 1000);
	add(docs[1], "hypercall", "default", 2000);
	plot_bars(&in, &list, &why);
	/* The names are in the legend alone, and a letter is beside each bar. */
	expect_in(0, "'A  lab:aarch64-vhe #1: ");
	expect_in(0, "'B  lab:aarch64-vhe #2: ");
	expect_in(0, "'1,000'");
	expect_in(0, "'2,000'");
	expect_in(0, "'A' ");
	expect_in(0, "'B' ");
}

Test(plots, names_are_quoted)
{
	struct plot_input in = input(1);

	docs[0]->target.name = "lab:aarch64-vhe'; system('touch x'); '`id`\nq";
	add(docs[0], "hyper'call\nquit", "default", 1000);
	plot_bars(&in, &list, &why);
	expect_not_in(0, "vhe';");
	expect_in(0, "'hyper''call?quit'");
	expect_not_in(0, "`");
}

Test(plots, only_selected_kinds_and_rows)
{
	static const char *const some[] = { "hyper*" }, *const core[] = { "core" };
	struct plot_input in = input(1);

	in.benches = some;
	in.n_benches = 1;
	cr_expect(plot_wants(&in, "hypercall"));
	cr_expect_not(plot_wants(&in, "null"));
	in.benches = core;
	cr_expect(plot_wants(&in, "null"));
	cr_expect_not(plot_wants(&in, "mmio_read_user_2"));
	cr_expect_not(plot_wants(&in, "unknown"));
}

Test(plots, configs_are_side_by_side)
{
	struct plot_input in = input(1);

	add(docs[0], "pmccntr", "pmu-off", 1450);
	add(docs[0], "pmccntr", "pmu-emulated", 1976);
	add(docs[0], "hypercall", "pmu-off", 989);
	plot_configs(&in, &list, &why);
	/* A picture of one benchmark is drawn only if it is asked for. */
	cr_assert_eq(list.n, 0);
	cr_expect_str_eq(why.text, "fewer than 3 benchmarks have two configs");
	in.asked = true;
	plot_configs(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "'A  pmu-off");
	expect_in(0, "'B  pmu-emulated");
	expect_in(0, "'1,450'");
	expect_in(0, "'1,976'");
	/* One config cannot be compared. */
	expect_not_in(0, "989");
	/* Without counter values there is one panel. */
	expect_not_in(0, "$bars_1_0");
}

Test(plots, the_counter_of_the_guest_has_its_own_panel)
{
	struct plot_input in = input(1);
	const char *first, *second;
	struct result_metric *m;

	add(docs[0], "pmccntr", "pmu-off", 1450);
	add(docs[0], "pmccntr", "pmu-emulated", 1976);
	m = result_add_metric(docs[0], &docs[0]->benchmarks[1]);
	m->name = "pmc_visible";
	m->unit = "insns";
	m->value = 4;
	in.asked = true;
	plot_configs(&in, &list, &why);
	expect_in(0, "$bars_1_1");
	expect_in(0, "'4'");
	/* Of one unit: 4 is short beside 1,976. */
	first = strstr(list.pictures[0].script, "set multiplot");
	cr_assert(first);
	first = strstr(first, "set xrange");
	cr_assert(first);
	second = strstr(strstr(first + 1, "set xrange") + 1, "set xrange");
	cr_assert(second);
	cr_expect_eq(strncmp(first, second, strcspn(first, "\n")), 0);
}

Test(plots, without_two_configs_there_is_a_reason)
{
	struct plot_input in = input(1);

	add(docs[0], "hypercall", "default", 989);
	plot_configs(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect_str_eq(why.text, "no document has a benchmark under two configs");
	plot_tax(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	plot_compare(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect(strstr(why.text, "not two documents"), "%s", why.text);
}

Test(plots, the_tax_is_sorted_and_lists_rows_without_tax)
{
	struct plot_input in = input(1);
	const char *small, *large;

	add(docs[0], "hypercall", "pmu-off", 1000);
	add(docs[0], "hypercall", "pmu-emulated", 1024);
	add(docs[0], "mmio_read_user", "pmu-off", 5000);
	add(docs[0], "mmio_read_user", "pmu-emulated", 5133);
	add(docs[0], "null", "pmu-off", 0);
	add(docs[0], "null", "pmu-emulated", 0);
	plot_tax(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	cr_expect_str_eq(why.text, "");
	expect_in(0, "'+24'");
	expect_in(0, "'+2.4 %'");
	expect_in(0, "No difference in 1: null.");
	small = strstr(list.pictures[0].script, "'+24'");
	large = strstr(list.pictures[0].script, "'+133'");
	cr_assert(small && large);
	cr_expect_lt(large, small);
}

Test(plots, the_virtual_pmu_has_a_panel_per_kernel_on_one_axis)
{
	struct plot_input in = input(2);
	const char *first, *second;

	docs[1]->subject.kernel = "7.3.4-test";
	add(docs[0], "rdpmc_general", "pmu-emulated", 1543);
	add(docs[0], "hypercall", "pmu-off", 1145);
	add(docs[0], "hypercall", "pmu-emulated", 1523);
	add(docs[1], "rdpmc_general", "pmu-mediated", 2);
	add(docs[1], "hypercall", "pmu-mediated", 2618);
	/* Of another picture. */
	add(docs[1], "hypercall", "sync-always", 9999);
	plot_vpmu(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "'Linux 6.1.0-test'");
	expect_in(0, "'Linux 7.3.4-test'");
	expect_in(0, "'1,523'");
	expect_in(0, "'2'");
	expect_in(0, "$bars_1_2");
	cr_expect(!strstr(list.pictures[0].script, "9,999"));
	/* The axis of the ticks, and the axis with room for text: of each panel. */
	first = strstr(list.pictures[0].script, "set multiplot");
	cr_assert(first);
	first = strstr(first, "set xrange");
	second = first;
	for (int i = 0; second && i < 2; i++)
		second = strstr(second + 1, "set xrange");
	cr_assert(second);
	cr_expect_eq(strncmp(first, second, strcspn(first, "\n")), 0);
	first = strstr(first + 1, "set xrange");
	second = strstr(second + 1, "set xrange");
	cr_assert(second);
	cr_expect_eq(strncmp(first, second, strcspn(first, "\n")), 0);
}

Test(plots, without_rows_of_the_pmu_and_others_there_is_no_virtual_pmu)
{
	struct plot_input in = input(1);

	add(docs[0], "hypercall", "pmu-off", 1145);
	add(docs[0], "hypercall", "pmu-emulated", 1523);
	plot_vpmu(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect(strstr(why.text, "no document has rows of the PMU"), "%s", why.text);
}

Test(plots, two_documents_of_a_target_are_compared)
{
	struct plot_input in = input(2);

	add(docs[0], "hypercall", "default", 1000);
	add(docs[1], "hypercall", "default", 900);
	plot_compare(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "'-100'");
	expect_in(0, "better (1)");
	expect_in(0, "'lab:aarch64-vhe: base to new'");
	expect_in(0, "path length, not time");
}

Test(plots, two_kernels_are_the_title_if_they_fit)
{
	struct plot_input in = input(2);

	docs[1]->subject.kernel = "6.2.0-test";
	add(docs[0], "hypercall", "default", 1000);
	add(docs[1], "hypercall", "default", 900);
	plot_compare(&in, &list, &why);
	expect_in(0, "'Linux 6.1.0-test to 6.2.0-test'");
	expect_in(0, "'lab:aarch64-vhe, KVM SVM. Round trips in instructions: path");
	picture_list_free(&list);
	docs[1]->subject.kernel =
		"6.2.0-a-name-that-does-not-fit-beside-another-name-in-one-line";
	plot_compare(&in, &list, &why);
	expect_in(0, "'lab:aarch64-vhe: base to new'");
}

/* The points at 1000 and 1025 have a stem from 0, and the range of the second is drawn,
 * too. */
Test(plots, an_exact_row_has_a_stem_and_its_range)
{
	struct plot_input in = input(2);

	for (size_t d = 0; d < 2; d++) {
		struct result_metric *m;

		add(docs[d], "hypercall", "default", d ? 2000 : 1000);
		m = add(docs[d], "cpuid", "default", d ? 2130 : 1100);
		add_boot(docs[d], m, d ? 2140 : 1105);
	}
	plot_compare(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, " 1.5 0 1000\n");
	expect_in(0, " 0.5 0 1025\n");
	expect_in(0, " 0.5 1025 1040\n");
	expect_not_in(0, "logarithmic");
}

Test(plots, differences_of_very_different_size_are_in_percent)
{
	struct plot_input in = input(2);

	for (size_t d = 0; d < 2; d++) {
		add(docs[d], "hypercall", "default", d ? 2000 : 1000);
		add(docs[d], "cpuid", "default", d ? 1001 : 1000);
	}
	plot_compare(&in, &list, &why);
	expect_in(0, "difference, percent of the base");
	expect_not_in(0, "logarithmic");
}

/* Far larger differences stand below the others, without a point; the tax has the core
 * benchmarks first. */
Test(plots, outliers_of_the_tax_are_apart_and_the_core_is_first)
{
	static const struct {
		const char *name;
		double off, on;
	} rows[] = {
		{ "checkpoint_restore", 1e6, 9e6 },
		{ "hvc_user", 1000, 1060 },
		{ "hypercall", 1000, 1024 },
		{ "mmio_read_user", 5000, 5133 },
	};
	struct plot_input in = input(1);
	const char *script, *core, *other, *apart;

	for (size_t i = 0; i < 4; i++) {
		add(docs[0], rows[i].name, "pmu-off", rows[i].off);
		add(docs[0], rows[i].name, "pmu-emulated", rows[i].on);
	}
	plot_tax(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	script = list.pictures[0].script;
	core = strstr(script, "'hypercall'");
	other = strstr(script, "'hvc_user'");
	apart = strstr(script, "'checkpoint_restore'");
	cr_assert(core && other && apart);
	cr_expect_lt(core, other);
	cr_expect_lt(other, apart);
	expect_in(0, "Beyond the core benchmarks");
	expect_in(0, "Apart, beyond the axis");
	expect_in(0, "'+8,000,000'");
	expect_not_in(0, "\n800 ");
	expect_not_in(0, "\n8000000 ");
}

Test(plots, an_exact_target_has_no_distribution)
{
	struct plot_input in = input(1);

	add(docs[0], "hypercall", "default", 1000);
	plot_distribution(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect(strstr(why.text, "no noisy target"));
}

static const int64_t samples[] = { 100, 100, 100, 101, 5000 };

Test(plots, noisy_rows_have_a_distribution)
{
	struct plot_input in = input(1);
	struct result_metric *m;

	docs[0]->target.name = "kvm";
	docs[0]->target.exact = false;
	m = add(docs[0], "hypercall", "default", 100);
	cr_assert_eq(histogram_build(samples, 5, 7, &m->boots[0].histogram), 0);
	plot_distribution(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	cr_expect_str_eq(list.pictures[0].stem, "distribution-kvm");
	expect_in(0, "\n100 60\n101 80\n");
	expect_in(0, "p50 100   p99 ");
}

/* A row on n vCPUs, or VMs, with its rate; 0: none. */
static void add_scaled(const char *name, unsigned int vcpus, unsigned int vms,
		       double value, double rate)
{
	const char *config = result_format(docs[0], "default@%s=%u",
					   vms ? "vms" : "vcpus", vms ? vms : vcpus);
	struct result_benchmark *b;
	struct result_metric *m;

	add(docs[0], name, config, value);
	b = &docs[0]->benchmarks[docs[0]->n_benchmarks - 1];
	b->handled_by = strcmp(name, "null") != 0 ? HANDLED_KERNEL : HANDLED_NONE;
	b->vcpus = vcpus;
	b->vms = vms;
	if (rate == 0)
		return;
	m = result_add_metric(docs[0], b);
	m->name = docs[0]->target.exact ? "ops_per_mtick" : "ops_per_s";
	m->unit = docs[0]->target.exact ? "ops/Mtick" : "ops/s";
	m->better = "higher";
	m->value = rate;
	add_boot(docs[0], m, rate);
}

/* N in powers of two; the round trip, its interval, and the rate in powers of two. */
Test(plots, costs_over_the_number_of_vcpus)
{
	struct plot_input in = input(1);

	docs[0]->target.exact = false;
	add_scaled("hypercall", 1, 0, 1000, 500);
	add_scaled("hypercall", 4, 0, 1600, 1000);
	add_scaled("hypercall", 0, 1, 1000, 500);
	add_scaled("hypercall", 0, 4, 1100, 2000);
	add_scaled("cpuid", 1, 0, 700, 100);
	add_scaled("null", 1, 0, 2, 100);
	add_scaled("null", 4, 0, 2, 400);
	plot_scaling(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "$vcpus0 << EOD\n0 1000 1000 1000 0\n2 1600 1600 1600 1\n");
	expect_in(0, "$vms0 << EOD\n0 1000 1000 1000 0\n2 1100 1100 1100 2\n");
	expect_in(0, "'A  hypercall'");
	/* At one number only, and without an exit. */
	expect_not_in(0, "cpuid");
	expect_not_in(0, "null");
}

/* One vCPU of a VM is the same machine as one VM of one vCPU. */
Test(plots, the_rate_of_vms_is_against_one_vcpu_where_there_is_no_single_vm)
{
	struct plot_input in = input(1);

	docs[0]->target.exact = false;
	add_scaled("hypercall", 1, 0, 1000, 500);
	add_scaled("hypercall", 4, 0, 1600, 1000);
	add_scaled("hypercall", 0, 4, 1100, 2000);
	plot_scaling(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "$vms0 << EOD\n2 1100 1100 1100 2\n");
}

Test(plots, the_rates_of_an_exact_target_are_per_tick)
{
	struct plot_input in = input(1);

	add_scaled("hypercall", 1, 0, 1524, 600);
	add_scaled("hypercall", 2, 0, 1524, 1200);
	plot_scaling(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "$vcpus0 << EOD\n0 1524 1524 1524 0\n1 1524 1524 1524 1\n");
	expect_in(0, "operations per tick of all");
}

Test(plots, cpus_that_take_turns_have_costs_and_no_rates)
{
	struct plot_input in = input(1);

	add_scaled("hypercall", 1, 0, 989, 0);
	add_scaled("hypercall", 2, 0, 989, 0);
	plot_scaling(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	expect_in(0, "round trip on each vCPU, instructions");
	expect_not_in(0, "per second");
}

/* Lines that end at one place: each letter is legible. */
Test(plots, letters_of_lines_do_not_overlap)
{
	struct plot_input in = input(1);
	const char *at;
	double y[3];

	for (unsigned int n = 1; n <= 2; n++) {
		add_scaled("hypercall", n, 0, 1000, 0);
		add_scaled("cpuid", n, 0, 1001, 0);
		add_scaled("pio_out_user", n, 0, 1002, 0);
	}
	plot_scaling(&in, &list, &why);
	cr_assert_eq(list.n, 1, "%s", why.text);
	for (int i = 0; i < 3; i++) {
		const char label[] = { 's',  'e', 't', ' ', 'l',  'a',
				       'b',  'e', 'l', ' ', '\'', (char)('A' + i),
				       '\'', '\0' };

		at = strstr(list.pictures[0].script, label);
		cr_assert_not_null(at);
		at = strstr(at, ", first ");
		cr_assert_not_null(at);
		y[i] = strtod(at + strlen(", first "), NULL);
	}
	/* A range of lo / 1.5 to hi * 1.5 on 380 pixels: 13 are a share of 1.03. */
	cr_expect_gt(y[1] / y[0], 1.025);
	cr_expect_gt(y[2] / y[1], 1.025);
}

Test(plots, without_numbers_of_vcpus_there_is_a_reason)
{
	struct plot_input in = input(1);

	add(docs[0], "hypercall", "default", 989);
	add_scaled("hypercall", 2, 0, 989, 0);
	plot_scaling(&in, &list, &why);
	cr_expect_eq(list.n, 0);
	cr_expect_not_null(strstr(why.text, "--vcpus 1,2,4"));
}

/* Numbers of vCPUs are not trap against passthrough. */
Test(plots, numbers_of_vcpus_are_not_configs)
{
	struct plot_input in = input(1);

	add_scaled("hypercall", 1, 0, 989, 0);
	add_scaled("hypercall", 2, 0, 999, 0);
	plot_configs(&in, &list, &why);
	cr_expect_eq(list.n, 0);
}

/* write() then stores a part of the script: gnuplot must not draw a part of the picture.
 */
Test(picture, a_script_that_does_not_fit_is_an_error)
{
	const struct rlimit limit = { 64, 64 };
	char script[4096], *text;
	char stem[] = "x";
	struct picture p = {
		.stem = stem, .script = script, .width = 100, .height = 100
	};
	struct error err = { "" };
	size_t bytes;

	memset(script, '#', sizeof(script) - 1);
	script[sizeof(script) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(picture_render(&p, PICTURE_SVG, &text, &bytes, &err), -EFBIG);
	cr_expect_str_eq(err.text, "cannot run gnuplot: File too large");
	cr_expect_null(text);
}

Test(curve, of_valid_boots_alone)
{
	struct result *r = sample_doc("kvm", "ticks");
	struct result_metric *m = add(r, "hypercall", "default", 100);
	struct histogram all;

	cr_assert_eq(histogram_build(samples, 5, 7, &m->boots[0].histogram), 0);
	result_add_boot(r, m)->valid = false;
	cr_assert_eq(histogram_build(samples, 5, 7, &m->boots[1].histogram), 0);
	all = curve_merge(m);
	cr_expect_eq(histogram_total(&all), 5);
	cr_expect_float_eq(curve_quantile(&all, 0.5), 100, 1e-9);
	cr_expect_float_eq(curve_quantile(&all, 0.8), 101, 1e-9);
	/* A bin is 64 wide there. */
	cr_expect_float_eq(curve_quantile(&all, 1), 5000, 64);
	free(all.bins);
	result_free(r);
}
