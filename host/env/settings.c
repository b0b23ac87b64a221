/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What about a machine disturbs a measurement. */
#include "host/env/settings.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/env/read.h"

#define CPU    "/sys/devices/system/cpu/"
#define MM     "/sys/kernel/mm/"
#define KVM    "/sys/module/kvm/parameters/"
#define KERNEL "/proc/sys/kernel/"

const struct env_setting env_settings[] = {
	{ "guest", NULL, ENV_LINE, "no", NULL, true,
	  "a hypervisor below shares the CPU and may handle exits itself",
	  env_look_guest },
	{ "kvm_hardware", NULL, ENV_LINE, "hardware", NULL, true,
	  "a software KVM's exits cost nothing like a CPU's", env_look_kvm },
	{ "cpufreq_governor", CPU "cpu[0-9]*/cpufreq/scaling_governor", ENV_LINE,
	  "performance", "performance", true,
	  "the clock follows the load: the same exit takes twice as long", NULL },
	{ "turbo", CPU "intel_pstate/no_turbo", ENV_LINE, "1", "1", true,
	  "the clock depends on temperature and neighbours", NULL },
	{ "turbo", CPU "cpufreq/boost", ENV_LINE, "0", "0", true,
	  "the clock depends on temperature and neighbours", NULL },
	{ "smt", CPU "smt/active", ENV_LINE, "0", NULL, true,
	  "a sibling takes its share of the core; off by: nosmt", NULL },
	{ "isolated_cpus", CPU "isolated", ENV_PRESENT, "at least one", NULL, false,
	  "other tasks run where the guest does; by: isolcpus=", NULL },
	{ "nohz_full", CPU "nohz_full", ENV_PRESENT, "at least one", NULL, false,
	  "the tick interrupts the guest; by: nohz_full=", NULL },
	{ "idle_states", CPU "cpu[0-9]*/cpuidle/state[2-9]*/disable", ENV_LINE, "1", "1",
	  false, "waking from deep sleep: halts and wake-ups look slow", NULL },
	{ "transparent_hugepage", MM "transparent_hugepage/enabled", ENV_CHOSEN,
	  "madvise|never", "madvise", false,
	  "guest memory changes page size under the guest", NULL },
	{ "ksm", MM "ksm/run", ENV_LINE, "0", "0", false,
	  "merged pages fault again; scanning takes CPU time", NULL },
	{ "numa_balancing", KERNEL "numa_balancing", ENV_LINE, "0", "0", false,
	  "pages are unmapped to see who uses them: faults", NULL },
	{ "nmi_watchdog", KERNEL "nmi_watchdog", ENV_LINE, "0", "0", false,
	  "takes a hardware counter, and interrupts the guest", NULL },
	{ "perf_paranoid", KERNEL "perf_event_paranoid", ENV_LINE, "-1|0|1", NULL, false,
	  "without privileges, no counters of the host", NULL },
	{ "perf_sample_rate", KERNEL "perf_event_max_sample_rate", ENV_AT_LEAST,
	  "at least 50000", NULL, false, "lowered by the kernel where perf took too long",
	  NULL },
	{ "halt_poll_ns", KVM "halt_poll_ns", ENV_LINE, "0", "0", false,
	  "KVM spins before it sleeps: halts look cheap, siblings suffer", NULL },
	{ "timer_advance", KVM "lapic_timer_advance", ENV_LINE, "N", NULL, false,
	  "KVM enters early and spins until a deadline", NULL },
	{ "timer_advance", KVM "lapic_timer_advance_ns", ENV_LINE, "0", NULL, false,
	  "KVM enters early and spins until a deadline", NULL },
	{ "load", NULL, ENV_LINE, "below 0.5", NULL, false,
	  "others compete for CPUs, caches and memory", env_look_load },
	{ "kvm_parameters", NULL, ENV_LINE, "recorded", NULL, false,
	  "which exits there are, and who handles them", env_look_parameters },
	{ "mitigations", NULL, ENV_LINE, "recorded", NULL, false,
	  "most of what an exit costs on older CPUs", env_look_mitigations },
	{ 0 },
};

const char *env_status_name(enum env_status status)
{
	static const char *const names[] = {
		[ENV_OK] = "ok",
		[ENV_WARN] = "warn",
		[ENV_UNKNOWN] = "unknown",
	};

	return names[status];
}

/* "always [madvise] never" says madvise. */
static void keep_chosen(char *value)
{
	char *open = strchr(value, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(value, open + 1, strlen(open + 1) + 1);
}

bool env_is_good(const struct env_setting *s, const char *value)
{
	size_t len = strlen(value);

	if (s->form == ENV_PRESENT) /* "(null)": how some kernels say none */
		return len && strcmp(value, "(null)") != 0;
	if (s->form == ENV_AT_LEAST)
		return strtoll(value, NULL, 10) >=
		       strtoll(strrchr(s->good, ' '), NULL, 10);
	for (const char *good = s->good; good; good = strchr(good, '|')) {
		good += *good == '|';
		if (strcspn(good, "|") == len && !strncmp(good, value, len))
			return true;
	}
	return false;
}

bool env_read_value(const struct env_setting *s, const char *path,
		    char value[ENV_VALUE_MAX])
{
	if (!env_read_line("", path, value, ENV_VALUE_MAX))
		return false;
	if (s->form == ENV_CHOSEN)
		keep_chosen(value);
	return true;
}

/* The first file's value, or the first that is not good. False: none to read. */
static bool read_files(const struct env_setting *s, const char *root,
		       char value[ENV_VALUE_MAX])
{
	char pattern[PATH_MAX], line[ENV_VALUE_MAX];
	bool any = false;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s%s", root, s->path);
	if (glob(pattern, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!env_read_value(s, found.gl_pathv[i], line))
			continue;
		if (!any || (env_is_good(s, value) && !env_is_good(s, line)))
			snprintf(value, ENV_VALUE_MAX, "%s", line);
		any = true;
	}
	globfree(&found);
	return any;
}

static bool find_one(const struct env_setting *s, const char *root,
		     struct env_finding *found)
{
	found->setting = s;
	if (s->look) {
		found->status = s->look(root, found->value);
		return found->status != ENV_UNKNOWN;
	}
	if (!read_files(s, root, found->value))
		return false;
	found->status = env_is_good(s, found->value) ? ENV_OK : ENV_WARN;
	if (!*found->value)
		snprintf(found->value, ENV_VALUE_MAX, "none");
	return true;
}

void env_find(const struct env_setting *s, const char *root, struct env_finding *found,
	      const struct env_setting **next)
{
	const struct env_setting *first = s;
	bool done = false;

	for (; s->id && !strcmp(s->id, first->id); s++)
		if (!done)
			done = find_one(s, root, found);
	*next = s;
	if (done)
		return;
	*found = (struct env_finding){ .setting = first, .status = ENV_UNKNOWN };
}
