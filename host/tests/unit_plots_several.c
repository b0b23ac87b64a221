/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of pictures of several documents, boots or numbers of vCPUs: differences,
 * distributions, scaling.
 */
#include "host/tests/plots_fixture.h"

static struct plot_reason why;

TestSuite(plots, .init = one_doc, .fini = discard);

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
