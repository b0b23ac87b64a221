/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine: its files, its fingerprint, and settings that disturb a measurement. */
#include <ctype.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/env/env.h"
#include "host/lib/confine.h"
#include "host/result/result.h"

/* ------------------------------ files and fingerprint ------------------------------ */

static FILE *open_below(const char *root, const char *path)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s%s", root, path);

	if (len < 0 || (size_t)len >= sizeof(full))
		return NULL;
	return fopen(full, "re");
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
}

bool env_read_line(const char *root, const char *path, char *buf, size_t bytes)
{
	FILE *f = open_below(root, path);
	bool got;

	if (!f)
		return false;
	buf[0] = '\0';
	/* An empty file is valid, such as /sys/.../isolated. */
	got = fgets(buf, (int)bytes, f) || !ferror(f);
	fclose(f);
	trim(buf);
	return got;
}

bool env_read_key(const char *root, const char *path, const char *key, char *buf,
		  size_t bytes)
{
	FILE *f = open_below(root, path);
	char *line = NULL;
	size_t room = 0, len = strlen(key);
	bool found = false;

	if (!f)
		return false;
	while (!found && getline(&line, &room, f) >= 0) {
		const char *value = strchr(line, ':');

		if (!value || strncmp(line, key, len) ||
		    len + strspn(line + len, " \t") != (size_t)(value - line))
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(buf, bytes, "%s", value);
		trim(buf);
		found = true;
	}
	free(line);
	fclose(f);
	return found;
}

/* Whether a text of words separated by blanks contains a word. */
static bool env_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* sys_vendor in the DMI tables of virtual machines. */
static const char *const vendors[] = {
	"QEMU",	     "Amazon EC2", "Google",	    "Microsoft Corporation", "VMware",
	"innotek",   "Xen",	   "Alibaba Cloud", "OpenStack Foundation",  "Red Hat",
	"Parallels",
};

/* Whether this machine is a guest: 1, 0, or -1 if unknown. */
static int env_is_guest(const char *root)
{
	char text[8192];

	/* Only x86 has the CPUID bit, which all hypervisors set. */
	if (env_read_key(root, "/proc/cpuinfo", "flags", text, sizeof(text)))
		return env_has_word(text, "hypervisor");
	if (env_read_line(root, "/proc/device-tree/hypervisor/compatible", text,
			  sizeof(text)) ||
	    env_read_line(root, "/sys/hypervisor/type", text, sizeof(text)))
		return 1;
	if (!env_read_line(root, "/sys/class/dmi/id/sys_vendor", text, sizeof(text)))
		return -1;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		if (!strncmp(text, vendors[i], strlen(vendors[i])))
			return 1;
	return 0;
}

/* FNV-1a, 64 bits. */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

static uint64_t digest(uint64_t hash, const char *text)
{
	/* Includes the NUL, so that "ab" "c" differs from "a" "bc". */
	do {
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	} while (*text++);
	return hash;
}

/* x86: the model name. arm64: MIDR_EL1, or its fields in /proc/cpuinfo. */
static void cpu_model(char *buf, size_t bytes)
{
	char midr[64], part[64];

	if (env_read_key("", "/proc/cpuinfo", "model name", buf, bytes))
		return;
	if (env_read_line("", "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
			  midr, sizeof(midr)))
		snprintf(buf, bytes, "MIDR_EL1 %s", midr);
	else if (env_read_key("", "/proc/cpuinfo", "CPU implementer", midr,
			      sizeof(midr)) &&
		 env_read_key("", "/proc/cpuinfo", "CPU part", part, sizeof(part)))
		snprintf(buf, bytes, "implementer %s part %s", midr, part);
	else
		snprintf(buf, bytes, "unknown");
}

void env_machine(struct result *r)
{
	char model[256], microcode[64], cpus[16];
	uint64_t hash = FNV_BASIS;
	bool has_microcode;
	struct utsname uts;
	long online;

	if (uname(&uts)) /* fails only for an invalid pointer */
		memset(&uts, 0, sizeof(uts));
	cpu_model(model, sizeof(model));
	has_microcode = env_read_key("", "/proc/cpuinfo", "microcode", microcode,
				     sizeof(microcode));
	online = sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(cpus, sizeof(cpus), "%ld", online);

	hash = digest(hash, uts.machine);
	hash = digest(hash, model);
	hash = digest(hash, has_microcode ? microcode : "");
	hash = digest(hash, cpus);
	hash = digest(hash, env_is_guest("") == 1 ? "guest" : "host");

	r->machine.arch = result_string(r, uts.machine);
	r->machine.cpu_model = result_string(r, model);
	r->machine.microcode = result_string(r, has_microcode ? microcode : NULL);
	r->machine.cpus = online > 0 ? (uint32_t)online : 0;
	r->machine.fingerprint = result_format(r, "%016" PRIx64, hash);
}

void env_fingerprint_mix(struct result *r, const char *what)
{
	uint64_t hash =
		digest(FNV_BASIS, r->machine.fingerprint ? r->machine.fingerprint : "");

	r->machine.fingerprint = result_format(r, "%016" PRIx64, digest(hash, what));
}

/* ------------------------------ settings ------------------------------ */

#define CPU    "/sys/devices/system/cpu/"
#define MM     "/sys/kernel/mm/"
#define KVM    "/sys/module/kvm/parameters/"
#define KERNEL "/proc/sys/kernel/"

static enum env_status probe_guest(const char *root, char value[ENV_VALUE_MAX])
{
	int guest = env_is_guest(root);

	if (guest < 0)
		return ENV_UNKNOWN;
	snprintf(value, ENV_VALUE_MAX, guest ? "yes" : "no");
	return guest ? ENV_WARN : ENV_OK;
}

/* On x86, KVM needs VMX or SVM. On other architectures, KVM is always hardware KVM. */
static enum env_status probe_kvm(const char *root, char value[ENV_VALUE_MAX])
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

/* Of the emulators and of the VMM of this program: host/lib/confine.h. */
static enum env_status probe_confinement(const char *root, char value[ENV_VALUE_MAX])
{
	char lacks[ENV_VALUE_MAX / 2];

	/* In a lab, the machine confines the program. */
	if (*root || (getpid() == 1 && !access("/init", X_OK)))
		return ENV_UNKNOWN;
	if (confine_is_off()) {
		snprintf(value, ENV_VALUE_MAX, "off (WORLDSWITCH_CONFINE=0)");
		return ENV_WARN;
	}
	confine_lacks(lacks, sizeof(lacks));
	snprintf(value, ENV_VALUE_MAX, "all%s%s", *lacks ? " but: " : "", lacks);
	return *lacks ? ENV_WARN : ENV_OK;
}

static size_t append(char value[ENV_VALUE_MAX], size_t at, const char *text)
{
	int n = snprintf(value + at, ENV_VALUE_MAX - at, "%s%s", at ? " " : "", text);

	return at + (size_t)n < ENV_VALUE_MAX ? at + (size_t)n : ENV_VALUE_MAX - 1;
}

#define IGNORE_MSRS "kvm/ignore_msrs"

/* Recorded for comparisons: no value is good or bad. */
static enum env_status probe_parameters(const char *root, char value[ENV_VALUE_MAX])
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
		IGNORE_MSRS,
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
		/* Documents from before it was recorded have the default. */
		if (!strcmp(names[i], IGNORE_MSRS) && !strcmp(line, "N"))
			continue;
		snprintf(text, sizeof(text), "%s=%s", name, line);
		at = append(value, at, text);
	}
	return at ? ENV_OK : ENV_UNKNOWN;
}

/* Recorded for comparisons: no value is good or bad. */
static enum env_status probe_mitigations(const char *root, char value[ENV_VALUE_MAX])
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

/* Of the last minute, without this program. */
static enum env_status probe_load(const char *root, char value[ENV_VALUE_MAX])
{
	char line[128];

	if (!env_read_line(root, "/proc/loadavg", line, sizeof(line)))
		return ENV_UNKNOWN;
	snprintf(value, ENV_VALUE_MAX, "%.*s", (int)strcspn(line, " "), line);
	return strtod(value, NULL) < 0.5 ? ENV_OK : ENV_WARN;
}

const struct env_setting env_settings[] = {
	{ "guest", NULL, ENV_LINE, "no", NULL, true,
	  "the hypervisor below shares the CPU and can handle exits itself", probe_guest,
	  NULL },
	{ "kvm_hardware", NULL, ENV_LINE, "hardware", NULL, true,
	  "exits of a software KVM do not cost what exits of a CPU cost", probe_kvm,
	  NULL },
	{ "cpufreq_governor", CPU "cpu[0-9]*/cpufreq/scaling_governor", ENV_LINE,
	  "performance", "performance", true,
	  "the clock rate follows the load: an exit can take twice as long", NULL,
	  "performance|powersave|ondemand|conservative|userspace|schedutil" },
	{ "turbo", CPU "intel_pstate/no_turbo", ENV_LINE, "1", "1", true,
	  "the clock rate depends on temperature and on other cores", NULL, "0|1" },
	{ "turbo", CPU "cpufreq/boost", ENV_LINE, "0", "0", true,
	  "the clock rate depends on temperature and on other cores", NULL, "0|1" },
	{ "smt", CPU "smt/active", ENV_LINE, "0", NULL, true,
	  "the sibling thread shares the core; turned off by nosmt", NULL, NULL },
	{ "isolated_cpus", CPU "isolated", ENV_PRESENT, "at least one", NULL, false,
	  "other tasks run on the CPU of the guest; set by isolcpus=", NULL, NULL },
	{ "nohz_full", CPU "nohz_full", ENV_PRESENT, "at least one", NULL, false,
	  "the tick interrupts the guest; set by nohz_full=", NULL, NULL },
	{ "idle_states", CPU "cpu[0-9]*/cpuidle/state[2-9]*/disable", ENV_LINE, "1", "1",
	  false, "a CPU leaves deep idle states slowly: halts and wake-ups look slow",
	  NULL, "0|1" },
	{ "transparent_hugepage", MM "transparent_hugepage/enabled", ENV_CHOSEN,
	  "madvise|never", "madvise", false,
	  "the page size of guest memory changes during a run", NULL,
	  "always|madvise|never" },
	{ "ksm", MM "ksm/run", ENV_LINE, "0", "0", false,
	  "merged pages fault again; scanning uses CPU time", NULL, "0|1|2" },
	{ "numa_balancing", KERNEL "numa_balancing", ENV_LINE, "0", "0", false,
	  "pages are unmapped to find their users: faults", NULL, "0|1|2|3" },
	{ "nmi_watchdog", KERNEL "nmi_watchdog", ENV_LINE, "0", "0", false,
	  "uses a hardware counter, and interrupts the guest", NULL, "0|1" },
	{ "perf_paranoid", KERNEL "perf_event_paranoid", ENV_LINE, "-1|0|1", NULL, false,
	  "no host counters without privileges", NULL, NULL },
	{ "perf_sample_rate", KERNEL "perf_event_max_sample_rate", ENV_AT_LEAST,
	  "at least 50000", NULL, false,
	  "lowered by the kernel if perf interrupts took too long", NULL, NULL },
	{ "halt_poll_ns", KVM "halt_poll_ns", ENV_LINE, "0", "0", false,
	  "KVM polls before it sleeps: halts look cheap, siblings slow down", NULL, "#" },
	{ "timer_advance", KVM "lapic_timer_advance", ENV_LINE, "N", NULL, false,
	  "KVM enters the guest early and spins until the deadline", NULL, NULL },
	{ "timer_advance", KVM "lapic_timer_advance_ns", ENV_LINE, "0", NULL, false,
	  "KVM enters the guest early and spins until the deadline", NULL, NULL },
	{ "load", NULL, ENV_LINE, "below 0.5", NULL, false,
	  "other tasks compete for CPUs, caches and memory", probe_load, NULL },
	{ "kvm_parameters", NULL, ENV_LINE, "recorded", NULL, false,
	  "decide which exits occur, and what handles them", probe_parameters, NULL },
	{ "confinement", NULL, ENV_LINE, "all", NULL, false,
	  "none: what a guest that breaks out of the VMM or an emulator could do",
	  probe_confinement, NULL },
	{ "mitigations", NULL, ENV_LINE, "recorded", NULL, false,
	  "most of the cost of an exit on older CPUs", probe_mitigations, NULL },
	{ 0 },
};

bool env_is_known(const struct env_setting *s, const char *value)
{
	const char *word = s->known ? s->known : "";
	size_t bytes = strlen(value);

	if (!strcmp(word, "#"))
		return bytes && bytes <= 10 && strspn(value, "0123456789") == bytes;
	for (; *word; word += strcspn(word, "|"), word += *word == '|')
		if (strcspn(word, "|") == bytes && !strncmp(word, value, bytes))
			return true;
	return false;
}

const char *env_status_name(enum env_status status)
{
	static const char *const names[] = {
		[ENV_OK] = "ok",
		[ENV_WARN] = "warn",
		[ENV_UNKNOWN] = "unknown",
	};

	return names[status];
}

/* "always [madvise] never" -> "madvise" */
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

	if (s->form == ENV_PRESENT) /* "(null)": an empty list on some kernels */
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

/* The first value that is not good, or the first value. False: no file can be read. */
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
	if (s->probe) {
		found->status = s->probe(root, found->value);
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
