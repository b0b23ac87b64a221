/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of explanations that are kept beside a history, and of their sums. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/explain/explanation.h"
#include "host/explain/step.h"
#include "host/lib/error.h"
#include "host/lib/table.h"

static char dir[] = "/tmp/unit_keep.XXXXXX";
static char db[64];
static struct explanation *e, *back;
static struct error err;

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void begin(void)
{
	const char *file = "host/tests/data/explain/svm-hypercall-6.1.json";

	cr_assert_not_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/h.jsonl", dir);
	cr_assert_eq(explanation_read(file, &e, &err), 0, "%s", err.text);
}

static void end(void)
{
	explanation_free(e);
	explanation_free(back);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(keep, .init = begin, .fini = end);

static struct keep_name name_of(const struct explanation *x)
{
	return (struct keep_name){
		.target = x->target.name,
		.kernel = x->subject.kernel,
		.commit = x->subject.commit,
		.benchmark = x->benchmark,
		.config = x->config,
	};
}

Test(keep, an_explanation_comes_back_equal_and_is_compressed)
{
	struct keep_name name = name_of(e);
	char *was = explanation_dump(e), *is, path[256];
	struct stat st;

	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	cr_assert_eq(keep_find(db, &name, &back, &err), 0, "%s", err.text);
	is = explanation_dump(back);
	cr_expect_str_eq(is, was);
	snprintf(
		path, sizeof(path),
		"%s.explanations/lab-x86_64-svm/6.1.0-56-cloud-amd64/hypercall.default.json.gz",
		db);
	cr_assert_eq(stat(path, &st), 0, "%s", path);
	cr_expect_lt((size_t)st.st_size, strlen(was) / 4);
	free(is);
	free(was);
}

/* The core rows. A table that has lost sight of the kernels is noticed. */
Test(keep, nearly_every_instruction_of_debians_kernels_has_a_layer)
{
	glob_t kept;

	cr_assert_eq(
		glob("results/kernels.jsonl.explanations/*/*/*.json.gz", 0, NULL, &kept),
		0);
	cr_expect_gt(kept.gl_pathc, 400);
	for (size_t i = 0; i < kept.gl_pathc; i++) {
		char target[64], kernel[64], row[64], config[64], *colon;
		const char *at = strstr(kept.gl_pathv[i], ".explanations/");
		struct keep_name name = { target, kernel, NULL, row, config };
		uint64_t other = 0, all = 0;

		cr_assert_eq(sscanf(at,
				    ".explanations/%63[^/]/%63[^/]/%63[^.].%63[^.].json",
				    target, kernel, row, config),
			     4);
		colon = strchr(target, '-');
		*colon = ':';
		snprintf(db, sizeof(db), "%.*s", (int)(at - kept.gl_pathv[i]),
			 kept.gl_pathv[i]);
		cr_assert_eq(keep_find(db, &name, &back, &err), 0, "%s", err.text);
		for (size_t k = 0; k < back->n_functions; k++) {
			all += back->functions[k].insns;
			if (!strcmp(back->functions[k].layer, "kernel, other"))
				other += back->functions[k].insns;
		}
		cr_expect_leq(other * 50, all, "%s: %llu of %llu", kept.gl_pathv[i],
			      (unsigned long long)other, (unsigned long long)all);
		explanation_free(back);
		back = NULL;
	}
	globfree(&kept);
}

Test(keep, other_names_are_not_found)
{
	struct keep_name name = name_of(e);

	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	name.config = "pmu-off";
	cr_expect_eq(keep_find(db, &name, &back, &err), -ENOENT);
	cr_expect_null(back);
	name = name_of(e);
	name.commit = "0123456789ab";
	cr_expect_eq(keep_find(db, &name, &back, &err), -ENOENT);
	cr_expect_null(back);
}

Test(keep, a_later_explanation_replaces_an_earlier_one)
{
	struct keep_name name = name_of(e);

	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	e->round_trip = 1525;
	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	cr_assert_eq(keep_find(db, &name, &back, &err), 0, "%s", err.text);
	cr_expect_eq(back->round_trip, 1525);
}

/* A document is not trusted: its names stay within the folder. */
Test(keep, names_do_not_leave_the_folder)
{
	struct keep_name name;
	char path[256];
	struct stat st;

	e->target.name = "../../x";
	e->subject.kernel = "..";
	e->benchmark = "/etc/passwd";
	name = name_of(e);
	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	snprintf(path, sizeof(path),
		 "%s.explanations/-.-..-x/-./-etc-passwd.default.json.gz", db);
	cr_expect_eq(stat(path, &st), 0, "%s", path);
	cr_expect_eq(keep_find(db, &name, &back, &err), 0, "%s", err.text);
}

Test(keep, a_damaged_file_is_named)
{
	struct keep_name name = name_of(e);
	char path[256];

	cr_assert_eq(keep_add(db, e, &err), 0, "%s", err.text);
	snprintf(
		path, sizeof(path),
		"%s.explanations/lab-x86_64-svm/6.1.0-56-cloud-amd64/hypercall.default.json.gz",
		db);
	cr_assert_eq(truncate(path, 100), 0);
	cr_expect_eq(keep_find(db, &name, &back, &err), -EBADMSG);
	cr_expect(strstr(err.text, "hypercall.default.json.gz"), "%s", err.text);
	cr_expect_null(back);
	cr_assert_eq(truncate(path, 0), 0);
	cr_expect_eq(keep_find(db, &name, &back, &err), -EBADMSG);
}

static void add(struct explanation *x, const char *name, uint64_t insns)
{
	struct explanation_function *f = explanation_add_function(x);

	f->name = name;
	f->space = "kernel";
	f->layer = "KVM";
	f->insns = insns;
}

Test(step, functions_are_summed_over_the_rows)
{
	struct explanation *x[4];
	struct step_row rows[2] = { { .name = "a" }, { .name = "b" } };
	struct step step;
	struct table t;

	for (size_t i = 0; i < 4; i++) {
		x[i] = explanation_new();
		add(x[i], "same", 10);
		/* +100 in a, +102 in b; and +30 in b alone. */
		add(x[i], "everywhere", 50 + (i & 1 ? 100 + (i & 2) : 0));
		add(x[i], "once", i == 3 ? 50 : 20);
	}
	rows[0].base = x[0];
	rows[0].now = x[1];
	rows[1].base = x[2];
	rows[1].now = x[3];
	step_sum(rows, 2, &step);
	cr_assert_eq(step.n, 2);
	cr_expect_str_eq(step.functions[0].name, "everywhere");
	cr_expect(step.functions[0].least == 100 && step.functions[0].most == 102);
	cr_expect_eq(step.functions[0].n_rows, 2);
	cr_expect_str_eq(step.functions[1].name, "once");
	cr_expect(step.functions[1].least == 30 && step.functions[1].n_rows == 1);
	step_table(&t, &step, 2, 1);
	cr_expect_eq(t.n_rows, 2);
	cr_expect_str_eq(t.rows[0].cells[1].text, "+100 to +102");
	cr_expect_str_eq(t.rows[0].cells[2].text, "2 of 2");
	cr_expect_str_eq(t.rows[1].cells[0].text, "1 more");
	table_free(&t);
	step_free(&step);
	for (size_t i = 0; i < 4; i++)
		explanation_free(x[i]);
}

/* The VMM and KVM both have a vcpu_run; KVM has two static functions of one name. */
Test(step, functions_of_one_name_are_apart_by_space_and_a_row_counts_once)
{
	struct explanation *x[2] = { explanation_new(), explanation_new() };
	struct step_row row = { "a", x[0], x[1] };
	struct step step;

	for (size_t i = 0; i < 2; i++) {
		add(x[i], "vcpu_run", i ? 130 : 100);
		add(x[i], "vcpu_run", i ? 17 : 12);
		x[i]->functions[1].space = "user";
		x[i]->functions[1].layer = "VMM";
		add(x[i], "clear", i ? 20 : 10);
		add(x[i], "clear", i ? 11 : 8);
	}
	step_sum(&row, 1, &step);
	cr_assert_eq(step.n, 3);
	cr_expect_str_eq(step.functions[0].name, "vcpu_run");
	cr_expect_str_eq(step.functions[0].layer, "KVM");
	cr_expect(step.functions[0].least == 30 && step.functions[0].most == 30);
	cr_expect_str_eq(step.functions[1].name, "clear");
	cr_expect(step.functions[1].least == 13 && step.functions[1].most == 13);
	cr_expect_str_eq(step.functions[2].name, "vcpu_run");
	cr_expect_str_eq(step.functions[2].layer, "VMM");
	cr_expect(step.functions[2].least == 5 && step.functions[2].most == 5);
	for (size_t i = 0; i < step.n; i++)
		cr_expect_eq(step.functions[i].n_rows, 1);
	step_free(&step);
	explanation_free(x[0]);
	explanation_free(x[1]);
}
