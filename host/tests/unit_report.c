/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the report: contents of documents, and escaping. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/lib/html.h"
#include "host/report/report.h"

static char *written(void (*write)(FILE *f, const char *text), const char *text)
{
	char *out = NULL;
	size_t bytes;
	FILE *f = open_memstream(&out, &bytes);

	write(f, text);
	fclose(f);
	return out;
}

static void tag(FILE *f, const char *text)
{
	html_tag(f, "td class=n", "<%s>", text);
}

static void svg(FILE *f, const char *text)
{
	html_svg(f, text, "what \"it\" is", 3);
}

static void expect(void (*write)(FILE *f, const char *text), const char *text,
		   const char *want)
{
	char *out = written(write, text);

	cr_expect_str_eq(out, want, "%s", out);
	free(out);
}

Test(html, text_is_escaped)
{
	expect(html_text, "<script>\"a\" & 'b'\x01\x1b</script>",
	       "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;??&lt;/script&gt;");
	expect(html_text, "\u00b5s\n", "\u00b5s\n");
	expect(tag, "x", "<td class=n>&lt;x&gt;</td>");
}

#define SVG_HEAD                                                                         \
	"<?xml version=\"1.0\"?>\n<svg\n width=\"30\" height=\"20\"\n "                  \
	"viewBox=\"0 0 30 20\"\n>"
#define PAGE_HEAD                                                                        \
	"<svg xmlns=\"http://www.w3.org/2000/svg\" "                                     \
	"xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 30 20\" "            \
	"role=\"img\" aria-label=\"what &quot;it&quot; is\">"

Test(html, a_picture_has_colours_of_the_page_and_unique_ids)
{
	expect(svg,
	       SVG_HEAD "<title>Gnuplot</title><g id='a' fill='rgb(  0, 114, 178)' "
			"color=\"black\" stroke='rgb(1, 2, 3)'/><use xlink:href='#a'/>"
			"<rect fill=\"#ffffff\"/></svg>",
	       PAGE_HEAD "<g id='p3-a' fill='var(--c6)' color=\"var(--c0)\" "
			 "stroke='rgb(1, 2, 3)'/><use xlink:href='#p3-a'/>"
			 "<rect fill=\"var(--c5)\"/></svg>");
}

Test(html, text_of_a_picture_is_unchanged)
{
	expect(svg, SVG_HEAD "<text>rgb(0,0,0) id='a' #ffffff</text></svg>",
	       PAGE_HEAD "<text>rgb(0,0,0) id='a' #ffffff</text></svg>");
	expect(svg, "no picture at all", "");
}

Test(color, every_light_colour_is_found)
{
	for (size_t c = 0; c < COLORS; c++) {
		unsigned int r, g, b;

		cr_assert_eq(sscanf(color_light(c), "#%2x%2x%2x", &r, &g, &b), 3);
		cr_expect_eq(color_find(r, g, b), c);
		cr_expect_eq(strlen(color_dark(c)), 7);
	}
	cr_expect_str_eq(color_light(COLORS), color_light(COLOR_SERIES));
}

/* ---- pages ---- */

static struct result *docs[2];

static struct result *sample_doc(void)
{
	struct result *r = result_new();

	r->run.started = "2026-01-02T03:04:05Z";
	r->run.tool_version = "1";
	r->target.name = "lab:aarch64-vhe";
	r->target.kind = "lab";
	r->target.exact = true;
	r->target.hypervisor = "arm64 VHE";
	r->subject.kernel = "6.1.0-test";
	r->machine.fingerprint = "0";
	r->machine.arch = "x86_64";
	r->clock.name = "CNTVCT_EL0";
	r->clock.unit = "insns";
	return r;
}

static struct result_benchmark *add(struct result *r, const char *name, double value)
{
	struct result_benchmark *b = result_add_benchmark(r);
	struct result_metric *m;
	struct result_boot *boot;

	b->name = name;
	b->config = "default";
	b->handled_by = HANDLED_KERNEL;
	b->status = RESULT_OK;
	m = result_add_metric(r, b);
	m->name = "round_trip";
	m->unit = "insns";
	m->better = "lower";
	m->value = value;
	boot = result_add_boot(r, m);
	boot->valid = true;
	boot->summary.p50 = value;
	return b;
}

static void two_docs(void)
{
	docs[0] = sample_doc();
	docs[1] = sample_doc();
}

static void discard(void)
{
	result_free(docs[0]);
	result_free(docs[1]);
}

TestSuite(report, .init = two_docs, .fini = discard);

static char *page(size_t n)
{
	struct report r;
	size_t bytes = 0;
	char *text;

	/* unit_plots tests pictures. */
	setenv("PATH", "/nonexistent", 1);
	report_build(&r, (const struct result *const *)docs, n, NULL);
	text = report_page(&r, &bytes);
	cr_expect_eq(strlen(text), bytes);
	report_free(&r);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	cr_expect(strstr(text, part), "no %s in %s", part, text);
}

Test(report, figures_have_a_value_to_sort_by)
{
	char *text;

	add(docs[0], "hypercall", 1495);
	text = page(1);
	expect_in(text, "<th scope=row>hypercall</th><td>kernel</td>"
			"<td class=n data-v=\"1495\">1,495</td>");
	expect_in(text, "1 measured, 0 skipped, 0 failed");
	expect_in(text, "<title>What leaving the guest costs, 2026-01-02</title>");
	free(text);
}

Test(report, without_pictures_there_is_a_reason)
{
	char *text;

	add(docs[0], "hypercall", 1495);
	text = page(1);
	expect_in(text, "No pictures: gnuplot is not installed");
	free(text);
}

Test(report, changes_come_first)
{
	char *text;

	add(docs[0], "hypercall", 1000);
	add(docs[1], "hypercall", 1024);
	add(docs[0], "null", 0);
	add(docs[1], "null", 0);
	text = page(2);
	expect_in(text, "1 worse</span>");
	expect_in(text, "<td class=n data-v=\"24\">+24</td>");
	expect_in(text, "<summary>1 the same</summary><p>null</p>");
	expect_in(text, "lab:aarch64-vhe #2");
	cr_expect_lt(strstr(text, "id=\"changes\""), strstr(text, "id=\"figures\""));
	free(text);
}

/* The table of contents says it first, with the rows that changed most. */
Test(report, contents_begin_with_what_was_found)
{
	char *text, *found;

	add(docs[0], "hypercall", 1000);
	add(docs[1], "hypercall", 1024);
	add(docs[0], "cpuid", 1000);
	add(docs[1], "cpuid", 1300);
	add(docs[0], "null", 0);
	add(docs[1], "null", 0);
	text = page(2);
	found = strstr(text, "<ul class=found>");
	cr_assert(found);
	expect_in(found, "<li><a href=\"#change-0\"><span class=\"worse\">\u25b2 2 worse"
			 "</span>");
	expect_in(found, ": cpuid +300, hypercall +24</li>");
	cr_expect_lt(found, strstr(text, "<ul class=sections>"));
	expect_in(strstr(text, "<ul class=sections>"), "id=\"change-0\"");
	/* Rows that differ come first. */
	cr_expect_gt(strstr(strstr(text, "id=\"figures\""), "<th scope=row>null"),
		     strstr(strstr(text, "id=\"figures\""), "<th scope=row>cpuid"));
	expect_in(text, "2 of 3 rows differ and come first.");
	free(text);
}

Test(report, configs_are_side_by_side)
{
	char *text;

	add(docs[0], "pmccntr", 1450)->config = "pmu-off";
	add(docs[0], "pmccntr", 1976)->config = "pmu-emulated";
	text = page(1);
	expect_in(text, "lab:aarch64-vhe: pmu-emulated against pmu-off");
	expect_in(text, "<td class=n data-v=\"526\">+526</td>");
	free(text);
}

/* Those that became better are not named, and not forgotten. */
Test(report, rows_that_are_not_named_are_three_dots)
{
	char *text;

	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "hypercall", "cpuid", "dr7" };

		add(docs[0], names[i], 1000)->config = "default";
		add(docs[0], names[i], i ? 1000 + 100 * (double)i : 900)->config =
			"vm-qemu";
	}
	text = page(1);
	expect_in(text, ">3 benchmarks differ</a>");
	expect_in(text, ": dr7 +200, cpuid +100, ...</li>");
	free(text);
}

Test(report, missing_rows_have_a_reason)
{
	struct result_benchmark *b = add(docs[0], "ipi_idle", 1);
	char *text;

	b->status = RESULT_SKIP;
	b->reason = "needs two CPUs";
	text = page(1);
	expect_in(text, "<td>skipped</td><td>needs two CPUs</td>");
	free(text);
}

/* An empty section is neither on the page nor in the table of contents. */
Test(report, empty_sections_are_left_out)
{
	char *text;

	add(docs[0], "hypercall", 1000);
	text = page(1);
	cr_expect_null(strstr(text, "id=\"changes\""));
	cr_expect_null(strstr(text, "#warnings"));
	cr_expect_null(strstr(text, "#missing"));
	free(text);
}

#define EVIL "</style></script><img src=x onerror=alert(1)>\"'&"

Test(report, text_of_a_document_does_not_become_markup)
{
	static const char *const argv[] = { EVIL };
	struct result *r = docs[0];
	struct result_check *check = result_add_check(r);
	struct result_benchmark *b;
	char *text;

	r->run.started = r->run.tool_version = r->run.tool_commit = EVIL;
	r->run.argv = (const char **)argv;
	r->run.n_argv = 1;
	r->target.name = r->target.hypervisor = r->target.emulator = EVIL;
	r->subject.kernel = r->subject.label = r->subject.commit = EVIL;
	r->machine.fingerprint = r->machine.arch = r->machine.cpu_model = EVIL;
	r->machine.microcode = r->clock.name = r->clock.unit = EVIL;
	*check = (struct result_check){ EVIL, EVIL, EVIL, EVIL };
	result_warn(r, EVIL, "%s", EVIL);
	b = add(r, EVIL, 1);
	b->config = EVIL;
	b->metrics[0].unit = EVIL;
	b = add(r, EVIL, 2);
	b->config = "default";
	b = add(r, EVIL EVIL, 1);
	b->status = RESULT_SKIP;
	b->reason = EVIL;
	text = page(1);
	cr_expect_null(strstr(text, "<img"), "%.200s", strstr(text, "<img"));
	expect_in(text, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
	free(text);
}
