/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the environment checks, on files like those of /proc and /sys. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/env/env.h"
#include "host/result/result.h"

static char root[] = "/tmp/unit_env.XXXXXX";

static void make_root(void)
{
	cr_assert_not_null(mkdtemp(root));
}

static void remove_root(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_expect_eq(system(command), 0);
}

TestSuite(env, .init = make_root, .fini = remove_root);

/* Writes a file below root, and creates its folders. */
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

static void expect_check(const char *id, const char *value, const char *status)
{
	struct result *r = result_new();
	size_t found = 0;

	env_checks_below(r, root);
	for (size_t i = 0; i < r->n_checks; i++) {
		const struct result_check *c = &r->checks[i];

		if (strcmp(c->id, id))
			continue;
		found++;
		cr_expect_str_eq(c->status, status, "%s: %s", id, c->status);
		if (value)
			cr_expect_str_eq(c->value, value, "%s: %s", id, c->value);
		else
			cr_expect_null(c->value);
	}
	cr_expect_eq(found, 1, "%s: %zu times", id, found);
	result_free(r);
}

Test(env, an_unreadable_file_is_unknown)
{
	struct result *r = result_new();

	env_checks_below(r, root);
	cr_expect_gt(r->n_checks, 8);
	for (size_t i = 0; i < r->n_checks; i++)
		cr_expect_str_eq(r->checks[i].status, "unknown", "%s", r->checks[i].id);
	result_free(r);
}

Test(env, one_cpu_with_another_governor_is_found)
{
	put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	expect_check("cpufreq_governor", "performance", "ok");
	put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
	put("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n");
	expect_check("cpufreq_governor", "powersave", "warn");
}

Test(env, turbo_is_read_from_either_file)
{
	put("/sys/devices/system/cpu/cpufreq/boost", "1\n");
	expect_check("turbo", "1", "warn");
	put("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	expect_check("turbo", "1", "ok");
}

Test(env, the_word_in_brackets_is_the_chosen_one)
{
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	expect_check("transparent_hugepage", "madvise", "ok");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
	expect_check("transparent_hugepage", "always", "warn");
}

Test(env, no_isolated_cpu_is_an_empty_file)
{
	put("/sys/devices/system/cpu/isolated", "\n");
	expect_check("isolated_cpus", "none", "warn");
	put("/sys/devices/system/cpu/isolated", "2-3\n");
	expect_check("isolated_cpus", "2-3", "ok");
}

Test(env, a_guest_is_known_by_its_flag_or_its_vendor)
{
	put("/sys/class/dmi/id/sys_vendor", "QEMU\n");
	expect_check("guest", "yes", "warn");
	put("/proc/cpuinfo", "model name\t: X\nflags\t\t: fpu nohypervisor svm\n");
	expect_check("guest", "no", "ok");
	put("/proc/cpuinfo", "model name\t: X\nflags\t\t: fpu svm hypervisor lm\n");
	expect_check("guest", "yes", "warn");
}

Test(env, a_kvm_without_hardware_is_known_by_the_flags_it_lacks)
{
	put("/proc/cpuinfo", "flags\t\t: fpu lm\n");
	expect_check("kvm_hardware", "no KVM", "warn");
	put("/sys/class/misc/kvm/dev", "10:232\n");
	expect_check("kvm_hardware", "software", "warn");
	put("/proc/cpuinfo", "flags\t\t: fpu svm lm\n");
	expect_check("kvm_hardware", "hardware", "ok");
	/* Other architectures do not have these flags. */
	put("/proc/cpuinfo", "Features\t: fp asimd\n");
	expect_check("kvm_hardware", "hardware", "ok");
}

Test(env, at_least_means_numbers_not_words)
{
	put("/proc/sys/kernel/perf_event_max_sample_rate", "100000\n");
	expect_check("perf_sample_rate", "100000", "ok");
	put("/proc/sys/kernel/perf_event_max_sample_rate", "9000\n");
	expect_check("perf_sample_rate", "9000", "warn");
}

Test(env, the_text_null_isolates_no_cpu)
{
	put("/sys/devices/system/cpu/nohz_full", "(null)\n");
	expect_check("nohz_full", "(null)", "warn");
	put("/sys/devices/system/cpu/nohz_full", "2-3\n");
	expect_check("nohz_full", "2-3", "ok");
}

Test(env, parameters_are_recorded)
{
	put("/sys/module/kvm/parameters/enable_pmu", "Y\n");
	put("/sys/module/kvm_intel/parameters/ept", "Y\n");
	expect_check("kvm_parameters", "enable_pmu=Y ept=Y", "ok");
}

Test(env, mitigations_are_counted)
{
	put("/sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected\n");
	put("/sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable: no microcode\n");
	put("/sys/devices/system/cpu/vulnerabilities/retbleed", "Mitigation: IBPB\n");
	expect_check("mitigations", "1 on: retbleed, 1 vulnerable", "ok");
}

Test(env, a_key_is_matched_whole)
{
	char text[64];

	put("/proc/cpuinfo", "model\t\t: 17\nmodel name\t: EPYC: fast \n");
	cr_expect(env_read_key(root, "/proc/cpuinfo", "model", text, sizeof(text)));
	cr_expect_str_eq(text, "17");
	cr_expect(env_read_key(root, "/proc/cpuinfo", "model name", text, sizeof(text)));
	cr_expect_str_eq(text, "EPYC: fast");
	cr_expect_not(env_read_key(root, "/proc/cpuinfo", "mode", text, sizeof(text)));
}

Test(fingerprint, is_stable_and_has_sixteen_hex_digits)
{
	struct result *a = result_new(), *b = result_new();

	env_machine(a);
	env_machine(b);
	cr_expect_str_eq(a->machine.fingerprint, b->machine.fingerprint);
	cr_expect_eq(strspn(a->machine.fingerprint, "0123456789abcdef"), 16);
	cr_expect_eq(strlen(a->machine.fingerprint), 16);
	cr_expect_gt(a->machine.cpus, 0);
	cr_expect_not_null(a->machine.cpu_model);
	result_free(a);
	result_free(b);
}
