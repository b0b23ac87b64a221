/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the changelogs that are kept beside a history. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/explain/step.h"
#include "host/lib/error.h"

static char dir[] = "/tmp/unit_changelog.XXXXXX";
static char db[64];
static struct error err;
static bool unusable;

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void begin(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/h.jsonl", dir);
}

static void end(void)
{
	nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(changelog, .init = begin, .fini = end);

static const char *write_log(const char *text)
{
	static char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s/changelog", dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
	return path;
}

static void keep(const char *path)
{
	cr_assert_eq(changelog_keep(db, &path, 1, &unusable, &err), 0, "%s", err.text);
}

static const char two_updates[] =
	"linux (6.12.115-1) trixie-security; urgency=high\n"
	"\n"
	"  * New upstream stable update:\n"
	"    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-6.12.114\n"
	"    - KVM: x86: A title that is\n"
	"      two lines long (CVE-2026-1)\n"
	"    - [arm64] KVM: arm64: Only here\n"
	"    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-6.12.115\n"
	"    - sched: Another\n"
	"\n"
	"  [ A Maintainer ]\n"
	"  * [amd64] Enable PREEMPT_LAZY\n"
	"\n"
	" -- A Maintainer <a@debian.org>  Mon, 16 Nov 2026 11:17:40 +0100\n"
	"\n"
	"linux (6.12.113-1) trixie-security; urgency=high\n"
	"\n"
	"  * New upstream stable update:\n"
	"    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-6.12.113\n"
	"    - mm: Old\n"
	"\n"
	" -- A Maintainer <a@debian.org>  Mon, 9 Nov 2026 11:17:40 +0100\n"
	"\n"
	"linux (3.2.1-1) unstable; urgency=low\n"
	"\n"
	"  * Ancient\n";

Test(changelog, commits_of_the_updates_between_two_packages)
{
	const struct change **list;
	struct changelog log;
	bool whole;
	size_t n;

	keep(write_log(two_updates));
	cr_assert_eq(changelog_find(db, &log, &err), 0, "%s", err.text);
	cr_assert_eq(log.n, 5, "%zu: all but the ancient one", log.n);

	n = changelog_between(&log, "6.12.113-1~deb12u1", "6.12.115-1~deb12u1", &list,
			      &whole);
	cr_assert_eq(n, 4, "%zu", n);
	cr_expect(whole);
	for (size_t i = 0; i < n; i++)
		cr_expect_neq(strcmp(list[i]->title, "mm: Old"), 0);
	free(list);

	/* Only the update: Debian's changes come with the package. */
	n = changelog_between(&log, "6.12.113-1", "6.12.114-1", &list, &whole);
	cr_assert_eq(n, 2, "%zu", n);
	cr_expect_str_eq(list[0]->update, "6.12.114");
	free(list);

	n = changelog_between(&log, "6.12.115-1", "6.12.115-1", &list, &whole);
	cr_expect_eq(n, 0, "%zu", n);
	free(list);

	changelog_between(&log, "6.1.190-1", "6.12.115-1", &list, &whole);
	cr_expect_not(whole, "two releases");
	free(list);
	changelog_free(&log);
}

Test(changelog, a_title_of_two_lines_is_one)
{
	struct changelog log;
	bool found = false;

	keep(write_log(two_updates));
	cr_assert_eq(changelog_find(db, &log, &err), 0, "%s", err.text);
	for (size_t i = 0; i < log.n; i++)
		found |= !strcmp(log.changes[i].title,
				 "KVM: x86: A title that is two lines long (CVE-2026-1)");
	cr_expect(found);
	changelog_free(&log);
}

Test(changelog, a_changelog_that_is_kept_twice_counts_once)
{
	struct changelog log;

	keep(write_log(two_updates));
	keep(write_log(two_updates));
	cr_assert_eq(changelog_find(db, &log, &err), 0, "%s", err.text);
	cr_expect_eq(log.n, 5, "%zu", log.n);
	changelog_free(&log);
}

Test(changelog, what_is_not_a_changelog_is_refused)
{
	const char *path = write_log("{ \"schema\": \"something else\" }\n");

	cr_expect_eq(changelog_keep(db, &path, 1, &unusable, &err), -EBADMSG);
	cr_expect(unusable);
	cr_expect_not_null(strstr(err.text, "not a changelog"), "%s", err.text);
	path = "/nonexistent/changelog.gz";
	cr_expect_eq(changelog_keep(db, &path, 1, &unusable, &err), -ENOENT);
	/* Nothing was kept. */
	cr_expect_eq(changelog_find(db, &(struct changelog){ .n = 0 }, &err), -ENOENT);
}

Test(changelog, a_damaged_file_beside_the_history_is_named)
{
	char path[128];
	struct changelog log;
	FILE *f;

	keep(write_log(two_updates));
	snprintf(path, sizeof(path), "%s.explanations/changelog.gz", db);
	f = fopen(path, "r+");
	cr_assert_not_null(f);
	cr_assert_eq(fseek(f, 30, SEEK_SET), 0);
	cr_assert_geq(fputs("damage damage", f), 0);
	cr_assert_eq(fclose(f), 0);
	cr_expect_eq(changelog_find(db, &log, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "changelog.gz is damaged"), "%s", err.text);
}

/* "foo.isra.0" is foo() in the source; of ".x" nothing is left, which is in no title. */
Test(changelog, titles_name_functions_as_the_source_does)
{
	struct step_function functions[] = {
		{ .name = "sched_foo.isra.0",
		  .layer = "other",
		  .least = 9,
		  .most = 9,
		  .n_rows = 1 },
		{ .name = ".x", .layer = "other", .least = 9, .most = 9, .n_rows = 1 },
	};
	const struct step step = { .functions = functions, .n = 2 };
	struct change change = { "6.12.114-1", "6.12.114", "sched: Inline sched_foo" };
	const struct change *const list[] = { &change };
	const struct changelog log = { .changes = &change, .n = 1 };
	struct causes causes;

	causes_of_titles(&step, "x86_64", &log, list, 1, &causes);
	cr_assert_eq(causes.n, 1, "%zu", causes.n);
	cr_assert_eq(causes.list[0].n_functions, 1);
	cr_expect_str_eq(causes.list[0].functions[0]->name, "sched_foo.isra.0");
	cr_expect_eq(causes.list[0].strength, CAUSE_LIKELY);
	causes_free(&causes);
}

/* A power management unit is not a performance monitoring unit. */
Test(changelog, titles_of_drivers_fit_no_function)
{
	struct step_function function = { .name = "kvm_pmu_update_state",
					  .layer = "PMU",
					  .least = 54,
					  .most = 54,
					  .n_rows = 1 };
	const struct step step = { .functions = &function, .n = 1 };
	struct change changes[] = {
		{ "7.2.8-1", "7.2.8",
		  "soc: samsung: exynos-pmu: fix the state of a node" },
		{ "7.2.8-1", "7.2.8", "KVM: arm64: PMU: Update the state later" },
	};
	const struct change *const list[] = { &changes[0], &changes[1] };
	const struct changelog log = { .changes = changes, .n = 2 };
	struct causes causes;

	causes_of_titles(&step, "aarch64", &log, list, 2, &causes);
	cr_assert_eq(causes.n, 1, "%zu", causes.n);
	cr_expect_str_eq(causes.list[0].title, changes[1].title);
	causes_free(&causes);
}
