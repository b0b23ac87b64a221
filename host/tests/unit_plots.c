/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of each kind of picture and the documents that it needs. */
#include "host/explain/explanation.h"
#include "host/tests/plots_fixture.h"

static struct plot_reason why;

TestSuite(plots, .init = one_doc, .fini = discard);

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
	/* Another config of a benchmark is not another benchmark. */
	add(docs[0], "null", "pmu-off", 0);
	docs[0]->benchmarks[4].handled_by = HANDLED_NONE;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "unset logscale x");
	expect_not_in(0, "'null");
	expect_in(
		0,
		"1 benchmark without an exit is not drawn. 1 skipped measurement is not drawn.");
	/* All that were asked for are drawn. */
	add(docs[0], "vm_create", "default", 500000);
	docs[0]->benchmarks[5].handled_by = HANDLED_USER;
	in.benches = wanted;
	in.n_benches = 1;
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 2);
	expect_in(1, "'null [default]'");
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

/* Its beginning and its end stay. */
Test(plots, a_name_without_room_is_cut_in_its_middle)
{
	struct plot_input in = input(1);

	add(docs[0], "pmu_cntr_global_status_clr_write_of_a_name_that_is_far_too_long",
	    "aperfmperf-passthrough@vcpus=16", 1000);
	add(docs[0], "hypercall", "default", 900);
	plot_bars(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "'pmu_cntr_global_status_clr");
	expect_in(0, "\u2026");
	expect_in(0, "@vcpus=16]'");
	expect_not_in(0, "far_too_long [");
	expect_in(0, "'hypercall");
}

/* A last level of 32 MiB has many KiB. */
Test(plots, sizes_of_caches_are_written_out)
{
	struct explanation_work curve[] = { { .guest_kib = 8 }, { .guest_kib = 16 } };
	struct explanation e = {
		.benchmark = "hypercall",
		.config = "default",
		.target.name = "lab:aarch64-vhe",
		.touch.caches = { { 32768, 8, 64 },
				  { 1536, 3, 64 },
				  { 32 << 20, 16, 64 } },
		.touch.curve = curve,
		.touch.n_curve = 2,
	};
	const struct explanation *const all[] = { &e };
	struct plot_input in = { .explanations = all, .n_explanations = 1 };

	plot_touch(&in, &list, &why);
	cr_assert_eq(list.n, 1);
	expect_in(0, "L1 instructions: 32 KiB, 8 ways");
	expect_in(0, "L1 data: 1.5 KiB, 3 ways");
	expect_in(0, "last level: 32,768 KiB, 16 ways");
}

Test(plots, the_floor_beside_kvm_and_nested)
{
	struct plot_input in = input(2);
	struct floor floor;
	struct table t;

	for (const struct floor_pair *pair = floor_pairs; pair->nested; pair++)
		cr_expect(result_find_bench(pair->operation), "%s", pair->operation);
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
