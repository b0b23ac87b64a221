/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What takes more than one file to know about a machine. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/env/read.h"
#include "host/env/settings.h"

enum env_status env_look_guest(const char *root, char value[ENV_VALUE_MAX])
{
	int guest = env_is_guest(root);

	if (guest < 0)
		return ENV_UNKNOWN;
	snprintf(value, ENV_VALUE_MAX, guest ? "yes" : "no");
	return guest ? ENV_WARN : ENV_OK;
}

/* x86 lists what it has; elsewhere a KVM is one of the hardware's. */
enum env_status env_look_kvm(const char *root, char value[ENV_VALUE_MAX])
{
	char flags[8192], line[ENV_VALUE_MAX];
	bool x86 = env_read_key(root, "/proc/cpuinfo", "flags", flags, sizeof(flags));
	bool kvm = env_read_line(root, "/sys/class/misc/kvm/dev", line, sizeof(line));

	if (!kvm && !x86)
		return ENV_UNKNOWN;
	if (!kvm) {
		snprintf(value, ENV_VALUE_MAX, "no KVM");
		return ENV_WARN;
	}
	if (x86 && !env_has_word(flags, "vmx") && !env_has_word(flags, "svm")) {
		snprintf(value, ENV_VALUE_MAX, "software");
		return ENV_WARN;
	}
	snprintf(value, ENV_VALUE_MAX, "hardware");
	return ENV_OK;
}

static size_t append(char value[ENV_VALUE_MAX], size_t at, const char *text)
{
	int n = snprintf(value + at, ENV_VALUE_MAX - at, "%s%s", at ? " " : "", text);

	return at + (size_t)n < ENV_VALUE_MAX ? at + (size_t)n : ENV_VALUE_MAX - 1;
}

/* Two runs must have the same; neither value of one is good or bad. */
enum env_status env_look_parameters(const char *root, char value[ENV_VALUE_MAX])
{
	static const char *const names[] = {
		"kvm/enable_pmu",
		"kvm/tdp_mmu",
		"kvm/nx_huge_pages",
		"kvm_intel/ept",
		"kvm_intel/vpid",
		"kvm_intel/enable_apicv",
		"kvm_intel/ple_gap",
		"kvm_intel/nested",
		"kvm_intel/vmentry_l1d_flush",
		"kvm_intel/enable_mediated_pmu",
		"kvm_amd/npt",
		"kvm_amd/avic",
		"kvm_amd/nested",
		"kvm_amd/vnmi",
		"kvm_amd/pause_filter_count",
		"kvm_amd/enable_mediated_pmu",
	};
	char path[128], line[64], text[160];
	size_t at = 0;

	value[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = strchr(names[i], '/') + 1;

		snprintf(path, sizeof(path), "/sys/module/%.*s/parameters/%s",
			 (int)(name - names[i] - 1), names[i], name);
		if (!env_read_line(root, path, line, sizeof(line)))
			continue;
		snprintf(text, sizeof(text), "%s=%s", name, line);
		at = append(value, at, text);
	}
	return at ? ENV_OK : ENV_UNKNOWN;
}

/* Which are on is neither good nor bad, but two runs must have the same. */
enum env_status env_look_mitigations(const char *root, char value[ENV_VALUE_MAX])
{
	char pattern[PATH_MAX], line[ENV_VALUE_MAX], names[ENV_VALUE_MAX] = "";
	size_t on = 0, off = 0, at = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/sys/devices/system/cpu/vulnerabilities/*",
		 root);
	if (glob(pattern, 0, NULL, &found))
		return ENV_UNKNOWN;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!env_read_line("", found.gl_pathv[i], line, sizeof(line)))
			continue;
		off += !strncmp(line, "Vulnerable", 10);
		if (strncmp(line, "Mitigation", 10) != 0)
			continue;
		on++;
		at = append(names, at, strrchr(found.gl_pathv[i], '/') + 1);
	}
	globfree(&found);
	snprintf(value, ENV_VALUE_MAX, "%zu on%s%.440s, %zu vulnerable", on,
		 on ? ": " : "", names, off);
	return ENV_OK;
}

/* Of the last minute: who measures is not yet in it, or should wait for it to pass. */
enum env_status env_look_load(const char *root, char value[ENV_VALUE_MAX])
{
	char line[128];

	if (!env_read_line(root, "/proc/loadavg", line, sizeof(line)))
		return ENV_UNKNOWN;
	snprintf(value, ENV_VALUE_MAX, "%.*s", (int)strcspn(line, " "), line);
	return strtod(value, NULL) < 0.5 ? ENV_OK : ENV_WARN;
}
