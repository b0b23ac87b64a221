/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of tuning and restoring, on files like those of /proc and /sys. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/env/env.h"

#define KSM	 "/sys/kernel/mm/ksm/run"
#define GOVERNOR "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor"
#define STATE	 "/var/lib/worldswitch/tuned"

static char root[] = "/tmp/unit_tune.XXXXXX";
static struct error err;

/* Number of reports of each action. */
static size_t reports[ENV_DENIED + 1];

static void step(const struct env_step *s, void *context)
{
	(void)context;
	reports[s->action]++;
}

static struct env_tune job = { .root = root, .step = step };

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + sizeof(root); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0777);
		*slash = '/';
	}
	f = fopen(full, "w");
	cr_assert_not_null(f, "%s", full);
	fputs(text, f);
	fclose(f);
}

static void make_root(void)
{
	char path[128];

	cr_assert_not_null(mkdtemp(root));
	put(KSM, "1\n");
	for (int cpu = 0; cpu < 3; cpu++) {
		snprintf(path, sizeof(path), GOVERNOR, cpu);
		put(path, cpu == 2 ? "performance\n" : "powersave\n");
	}
}

static void remove_root(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_expect_eq(system(command), 0);
}

TestSuite(tune, .init = make_root, .fini = remove_root);

static bool exists(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

static void expect_value(const char *path, const char *want)
{
	char full[256], text[4096];
	size_t n;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "r");
	cr_assert_not_null(f, "%s", full);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	cr_expect_str_eq(text, want, "%s: %s", path, text);
}

static void expect_governors(const char *first, const char *second)
{
	expect_value("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", first);
	expect_value("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", second);
	expect_value("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor",
		     "performance");
}

Test(tune, changes_bad_settings_and_restore_undoes_it)
{
	cr_assert_eq(env_tune(&job, &err), 0, "%s", err.text);
	cr_expect_eq(reports[ENV_CHANGED], 3);
	cr_expect_eq(reports[ENV_AS_WANTED], 1);
	expect_governors("performance", "performance");
	expect_value(KSM, "0");
	cr_expect(env_is_tuned(root));

	cr_assert_eq(env_restore(&job, &err), 0, "%s", err.text);
	expect_governors("powersave", "powersave");
	expect_value(KSM, "1");
	cr_expect_not(exists(STATE));
	cr_expect_not(env_is_tuned(root));
}

Test(tune, a_second_tune_keeps_the_first_originals)
{
	cr_assert_eq(env_tune(&job, &err), 0);
	cr_assert_eq(env_tune(&job, &err), 0);
	cr_assert_eq(env_restore(&job, &err), 0);
	expect_governors("powersave", "powersave");
	expect_value(KSM, "1");
}

Test(tune, a_dry_run_changes_and_records_nothing)
{
	job.dry = true;
	cr_assert_eq(env_tune(&job, &err), 0);
	cr_expect_eq(reports[ENV_CHANGED], 3);
	expect_governors("powersave", "powersave");
	cr_expect_not(exists("/var"));
}

Test(tune, a_foreign_change_is_kept_unless_forced)
{
	cr_assert_eq(env_tune(&job, &err), 0);
	put(KSM, "2\n");
	cr_expect_not(env_is_tuned(root));
	cr_assert_eq(env_tune(&job, &err), 0);
	cr_expect_eq(reports[ENV_FOREIGN], 1);
	expect_value(KSM, "2");

	cr_expect_eq(env_restore(&job, &err), -EEXIST);
	cr_expect(strstr(err.text, "--force"));
	expect_value(KSM, "2");
	expect_governors("powersave", "powersave");
	cr_expect(exists(STATE), "its original was forgotten");

	job.force = true;
	cr_assert_eq(env_restore(&job, &err), 0);
	expect_value(KSM, "1");
	cr_expect_not(exists(STATE));
}

Test(tune, a_setting_restored_by_hand_counts_as_restored)
{
	cr_assert_eq(env_tune(&job, &err), 0);
	put(KSM, "1\n");
	cr_assert_eq(env_restore(&job, &err), 0);
	expect_value(KSM, "1");
	cr_expect_not(exists(STATE));
}

/* Killed between the entry and the change: the entry is harmless. */
Test(tune, restore_skips_a_change_that_was_never_made)
{
	put(STATE, "worldswitch env 1\n" KSM "\t1\t0\n");
	cr_assert_eq(env_restore(&job, &err), 0, "%s", err.text);
	expect_value(KSM, "1");
	cr_expect_not(exists(STATE));
}

Test(tune, after_a_crash_tune_continues_and_restore_is_complete)
{
	put(STATE, "worldswitch env 1\n" KSM "\t1\t0\n");
	put(KSM, "0\n");
	cr_assert_eq(env_tune(&job, &err), 0, "%s", err.text);
	expect_governors("performance", "performance");
	cr_assert_eq(env_restore(&job, &err), 0);
	expect_value(KSM, "1");
	expect_governors("powersave", "powersave");
}

/* A file that reads as empty, and whose writes fail. */
Test(tune, denied_writes_are_reported_and_not_recorded)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", root, KSM);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("/dev/full", path), 0);
	cr_expect_eq(env_tune(&job, &err), -EPERM);
	cr_expect_eq(reports[ENV_DENIED], 1);
	expect_governors("performance", "performance");
	cr_assert_eq(env_restore(&job, &err), 0, "%s", err.text);
}

static void expect_refused(const char *state, const char *why)
{
	char first[128];

	put(STATE, state);
	cr_expect_eq(env_tune(&job, &err), -EINVAL);
	cr_expect(strstr(err.text, why), "%s", err.text);
	cr_expect_eq(env_restore(&job, &err), -EINVAL);
	expect_value(KSM, "1");
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(state, "\n"), state);
	expect_value(STATE, first);
}

Test(tune, invalid_state_files_are_refused_and_kept)
{
	expect_refused("", "empty");
	expect_refused("something else\n", "line 1");
	expect_refused("worldswitch env 1\n" KSM "\t1\n", "line 2");
	expect_refused("worldswitch env 1\n" KSM "\t1\t0", "line 2");
}

/* A forged state file must not make root write to other paths. */
Test(tune, entries_of_other_paths_are_refused)
{
	put("/etc/shadow", "secret\n");
	expect_refused("worldswitch env 1\n/etc/shadow\tevil\tsecret\n", "line 2");
	expect_refused("worldswitch env 1\n/sys/devices/system/cpu/cpu0/../../../../../"
		       "etc/cpufreq/scaling_governor\tevil\tx\n",
		       "line 2");
	expect_value("/etc/shadow", "secret");
}

Test(tune, a_second_process_is_refused)
{
	struct env_state state;

	cr_assert_eq(env_state_open(&state, root, 1, &err), 0, "%s", err.text);
	cr_expect_eq(env_tune(&job, &err), -EBUSY);
	expect_value(KSM, "1");
	env_state_close(&state);
	cr_expect_eq(env_tune(&job, &err), 0);
}

/* The table: tuned values are good values. */
Test(settings, tuned_values_are_good)
{
	for (const struct env_setting *s = env_settings; s->id; s++) {
		cr_expect(s->path || s->probe, "%s", s->id);
		cr_expect(s->effect && *s->effect, "%s", s->id);
		if (s->tuned)
			cr_expect(s->path && env_is_good(s, s->tuned), "%s", s->id);
	}
}
