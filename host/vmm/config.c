/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counter configs: how each row of bench/configs.def is applied to a VM's
 * configuration. The table at the end is built from the rows: a row without an
 * apply_ID() here does not compile.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/traps.h"

#define VALUE_BYTES 32

/* A config being applied; `err` is the reason of a refusal. */
struct apply {
	const struct config *row;
	int kvm_fd;
	struct vm_config *config;
	struct error *err;
};

#define refuse(a, ...) error_set((a)->err, -ENOTSUP, __VA_ARGS__)

static int apply_default(const struct apply *a)
{
	(void)a;
	return 0;
}

/* On arm64 the vPMU is off unless requested; on x86 it is on unless disabled. */
static int apply_pmu_off(const struct apply *a)
{
	a->config->pmu = false;
	if (vmm_arch != ARCH_X86_64)
		return 0;
	if (!(kvm_check_cap(a->kvm_fd, KVM_CAP_PMU_CAPABILITY) & KVM_PMU_CAP_DISABLE))
		return refuse(
			a,
			"this KVM has no KVM_CAP_PMU_CAPABILITY (Linux 5.18), or has no vPMU to disable");
	a->config->pmu_off = true;
	return 0;
}

/* A module's parameter as sysfs shows it; false if there is none. */
static bool parameter(const char *module, const char *name, char value[VALUE_BYTES])
{
	char path[128];
	FILE *f;
	bool got;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	got = fgets(value, VALUE_BYTES, f);
	fclose(f);
	if (got)
		value[strcspn(value, "\n")] = '\0';
	return got;
}

static bool is_yes(const char *value)
{
	return *value == 'Y' || *value == '1';
}

#define MEDIATED_PMU "enable_mediated_pmu"

static const char *vendor_module(int kvm_fd)
{
	return kvm_flavour(kvm_fd) == KVM_FLAVOUR_SVM ? "kvm_amd" : "kvm_intel";
}

/* On x86 a vPMU that can be disabled is a vPMU. */
static int apply_pmu_emulated(const struct apply *a)
{
	if (vmm_arch == ARCH_X86_64) {
		const char *module = vendor_module(a->kvm_fd);
		char value[VALUE_BYTES];

		if (parameter(module, MEDIATED_PMU, value) && is_yes(value))
			return refuse(
				a,
				"the vPMU of this host is mediated (%s: " MEDIATED_PMU
				"=%s): config pmu-mediated",
				module, value);
		if (kvm_check_cap(a->kvm_fd, KVM_CAP_PMU_CAPABILITY) &
		    KVM_PMU_CAP_DISABLE)
			return 0;
		return refuse(
			a,
			"this KVM has no vPMU, or does not report it (KVM_CAP_PMU_CAPABILITY, Linux 5.18)");
	}
	if (!kvm_check_cap(a->kvm_fd, KVM_CAP_ARM_PMU_V3))
		return refuse(
			a,
			"this KVM has no KVM_CAP_ARM_PMU_V3: the machine has no PMUv3, or the kernel no driver for it");
	a->config->pmu = true;
	return 0;
}

static int apply_pmu_present(const struct apply *a)
{
	a->config->pmu_idle = true;
	return apply_pmu_emulated(a);
}

static int apply_pmc_msr_user(const struct apply *a)
{
	if (!kvm_check_cap(a->kvm_fd, KVM_CAP_X86_USER_SPACE_MSR) ||
	    !kvm_check_cap(a->kvm_fd, KVM_CAP_X86_MSR_FILTER))
		return refuse(a, "this KVM has no MSR filters (Linux 5.10)");
	a->config->pmc_msr_user = true;
	return 0;
}

/*
 * There is no ioctl for it: with the parameter on, a VM with an in-kernel APIC and a vPMU
 * has a mediated one.
 */
static int apply_pmu_mediated(const struct apply *a)
{
	static const char name[] = MEDIATED_PMU;
	const char *module = vendor_module(a->kvm_fd);
	char value[VALUE_BYTES];

	if (!kvm_flavour_is_hardware(kvm_flavour(a->kvm_fd)))
		return refuse(a, "a software KVM has no PMU to mediate");
	if (!parameter(module, name, value))
		return refuse(a, "%s has no parameter %s (Linux 7.0)", module, name);
	if (!is_yes(value))
		return refuse(
			a,
			"%s: %s is %s; load it with %s=1 (it stays off where the PMU is too old)",
			module, name, value, name);
	return 0;
}

static int apply_pmu_mediated_short(const struct apply *a)
{
	a->config->pmu_hidden_counters = 1;
	return apply_pmu_mediated(a);
}

/* The guest's PMU is set up as under pmu-emulated. */
static int with_module(const struct apply *a, enum vm_pmu_access access)
{
	int err = apply_pmu_emulated(a);

	a->config->pmu_access = access;
	return err ? err : passthrough_available(a->kvm_fd, a->err);
}

static int apply_pmccntr_passthrough(const struct apply *a)
{
	return with_module(a, VM_PMU_PASSTHROUGH);
}

static int apply_pmccntr_hooked(const struct apply *a)
{
	return with_module(a, VM_PMU_HOOKED);
}

static int apply_cntpct_trap(const struct apply *a)
{
	if (!kvm_check_cap(a->kvm_fd, KVM_CAP_COUNTER_OFFSET))
		return refuse(a, "this KVM has no KVM_CAP_COUNTER_OFFSET (Linux 6.4)");
	a->config->counter_offset = 1;
	return 0;
}

bool kernel_is_at_least(unsigned int major, unsigned int minor)
{
	unsigned int own_major, own_minor;
	struct utsname uts;

	return !uname(&uts) &&
	       sscanf(uts.release, "%u.%u", &own_major, &own_minor) == 2 &&
	       (own_major > major || (own_major == major && own_minor >= minor));
}

/* KVM takes the policy from the command line, which config_apply() has checked. */
static int wfx_policy(const struct apply *a)
{
	if (!kernel_is_at_least(6, 11))
		return refuse(a,
			      "this kernel has no kvm-arm.wfi_trap_policy (Linux 6.11)");
	return 0;
}

static int apply_wfx_trap(const struct apply *a)
{
	return wfx_policy(a);
}

static int apply_wfx_notrap(const struct apply *a)
{
	return wfx_policy(a);
}

/* One bit of KVM_CAP_X86_DISABLE_EXITS; which bits KVM offers depends on the CPU, too. */
static int disable_exits(const struct apply *a, uint32_t bit, const char *lacks)
{
	char value[VALUE_BYTES];

	if ((uint32_t)kvm_check_cap(a->kvm_fd, KVM_CAP_X86_DISABLE_EXITS) & bit) {
		a->config->disabled_exits = bit;
		return 0;
	}
	if (bit != KVM_X86_DISABLE_EXITS_PAUSE &&
	    parameter("kvm", "mitigate_smt_rsb", value) && is_yes(value))
		return refuse(a, "kvm: mitigate_smt_rsb is %s, which forbids it", value);
	return refuse(a, "KVM_CAP_X86_DISABLE_EXITS does not offer it: %s", lacks);
}

static int apply_hlt_passthrough(const struct apply *a)
{
	return disable_exits(a, KVM_X86_DISABLE_EXITS_HLT,
			     "a KVM older than Linux 4.17, or a software KVM");
}

static int apply_pause_passthrough(const struct apply *a)
{
	return disable_exits(a, KVM_X86_DISABLE_EXITS_PAUSE,
			     "a KVM older than Linux 4.17, or a software KVM");
}

static int apply_mwait_passthrough(const struct apply *a)
{
	return disable_exits(
		a, KVM_X86_DISABLE_EXITS_MWAIT,
		"the CPU has no MWAIT, or its APIC timer stops in deep sleep (no ARAT)");
}

static int apply_aperfmperf_passthrough(const struct apply *a)
{
	return disable_exits(a, KVM_X86_DISABLE_EXITS_APERFMPERF,
			     "a KVM older than Linux 6.17, or a CPU without APERFMPERF");
}

static int apply_irqchip_user(const struct apply *a)
{
	a->config->irqchip = VM_IRQCHIP_USER;
	return 0;
}

static int apply_loop_bare(const struct apply *a)
{
	a->config->bare_loop = true;
	return 0;
}

static int apply_kick_signal_mask(const struct apply *a)
{
	a->config->kick = VM_KICK_SIGNAL_MASK;
	return 0;
}

/* A parameter that must be off. There is no ioctl for it. */
static int parameter_off(const struct apply *a, const char *name)
{
	const char *module = vendor_module(a->kvm_fd);
	char value[VALUE_BYTES];

	if (!kvm_flavour_is_hardware(kvm_flavour(a->kvm_fd)))
		return refuse(a, "needs hardware virtualization; this is a software KVM");
	if (!parameter(module, name, value))
		return refuse(a, "%s has no parameter %s", module, name);
	if (is_yes(value))
		return refuse(a, "%s: %s is %s; load it with %s=0", module, name, value,
			      name);
	return 0;
}

/*
 * The PAUSE filter, and a window of it that stays: 0 and 1 keep it, other values multiply
 * it, or are added. Where the CPU has no filter, KVM sets all parameters of it to 0.
 */
int traps_pause_window_constant(int kvm_fd, struct error *err)
{
	bool svm = kvm_flavour(kvm_fd) == KVM_FLAVOUR_SVM;
	const char *module = vendor_module(kvm_fd);
	const char *filter = svm ? "pause_filter_count" : "ple_gap";
	const char *grow = svm ? "pause_filter_count_grow" : "ple_window_grow";
	char value[VALUE_BYTES];

	if (!kvm_flavour_is_hardware(kvm_flavour(kvm_fd)))
		return error_set(err, -ENOTSUP,
				 "needs hardware virtualization; this is a software KVM");
	if (!parameter(module, filter, value))
		return error_set(err, -ENOTSUP, "%s has no parameter %s", module, filter);
	if (!strcmp(value, "0"))
		return error_set(
			err, -ENOTSUP,
			"no PAUSE exits here: the CPU does not filter them, or %s has %s=0",
			module, filter);
	if (!parameter(module, grow, value))
		return error_set(err, -ENOTSUP, "%s has no parameter %s", module, grow);
	if (strcmp(value, "0") && strcmp(value, "1"))
		return error_set(
			err, -ENOTSUP,
			"the window of pause-loop exiting grows with each exit (%s: %s is %s): config ple-constant",
			module, grow, value);
	return 0;
}

static int apply_ple_constant(const struct apply *a)
{
	return traps_pause_window_constant(a->kvm_fd, a->err);
}

/* By the parameters of the modules: an ioctl does not exist. */
bool kvm_maps_neighbours(int kvm_fd)
{
	const enum kvm_flavour flavour = kvm_flavour(kvm_fd);
	const char *nested = flavour == KVM_FLAVOUR_SVM ? "npt" : "ept";
	char value[VALUE_BYTES];

	if (flavour != KVM_FLAVOUR_SVM && flavour != KVM_FLAVOUR_VMX)
		return false;
	if (parameter(vendor_module(kvm_fd), nested, value) && !is_yes(value))
		return true;
	/* Pages of EPT without accessed bits are never prefetched. */
	if (flavour == KVM_FLAVOUR_VMX &&
	    parameter(vendor_module(kvm_fd), "eptad", value) && !is_yes(value))
		return false;
	return !parameter("kvm", "tdp_mmu", value) || !is_yes(value);
}

static int apply_nested_off(const struct apply *a)
{
	return parameter_off(a, "nested");
}

static int apply_vmcs_shadowing_off(const struct apply *a)
{
	return parameter_off(a, "enable_shadow_vmcs");
}

/* KVM for SVM answers 0, too. */
static int apply_nested_evmcs(const struct apply *a)
{
	if (!kvm_check_cap(a->kvm_fd, KVM_CAP_HYPERV_ENLIGHTENED_VMCS))
		return refuse(
			a,
			"this KVM has no KVM_CAP_HYPERV_ENLIGHTENED_VMCS: it is not kvm_intel, or was built without CONFIG_KVM_HYPERV");
	a->config->evmcs = true;
	return 0;
}

static int apply_nested_paging_off(const struct apply *a)
{
	return parameter_off(a,
			     kvm_flavour(a->kvm_fd) == KVM_FLAVOUR_SVM ? "npt" : "ept");
}

static int apply_sync_lazy(const struct apply *a)
{
	a->config->sync = REGS_SYNC_LAZY;
	return 0;
}

static int apply_sync_always(const struct apply *a)
{
	a->config->sync = REGS_SYNC_ALWAYS;
	return 0;
}

/*
 * A setting that KVM lacks refuses the config of the setting, and is left out of a VM
 * that has others: config->lacks names it.
 */
static int apply_settings(const struct apply *a)
{
	struct vm_config *config = a->config;
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < SETTINGS; i++) {
		struct error why;

		if (!(config->settings & 1u << i) ||
		    !setting_check((enum setting_id)i, a->kvm_fd, &why))
			continue;
		if (!a->row->vm)
			return refuse(a, "%s", why.text);
		config->settings &= ~(1u << i);
		if (used < sizeof(config->lacks))
			used += (size_t)snprintf(config->lacks + used,
						 sizeof(config->lacks) - used, "%s%s",
						 used ? ", " : "", setting_table[i].name);
	}
	settings_configure(config);
	return 0;
}

/* In the order of config_table. */
static int (*const table[])(const struct apply *a) = {
#define CONFIG(id, name, archs, summary)		   apply_##id,
#define CONFIG_MITIGATION(id, name, archs, words, summary) apply_default,
#define CONFIG_VM(id, name, archs, vm, summary)		   apply_settings,
#define CONFIG_SETTING(id, name, archs, setting, summary)  apply_settings,
#include "bench/configs.def"
#undef CONFIG
};

/* Whether the last KEY=VALUE of each KEY in /proc/cmdline is the one in `words`. */
static bool has_cmdline(const char *words)
{
	char line[4096] = " ", word[128];
	FILE *f = fopen("/proc/cmdline", "re");
	int parsed;

	if (f && !fgets(line + 1, sizeof(line) - 2, f))
		line[1] = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = ' ';
	for (; sscanf(words, " %126[^ ]%n", word + 1, &parsed) == 1; words += parsed) {
		size_t key_bytes = strcspn(word + 1, "=") + 2, bytes;
		const char *last = NULL, *p = line;

		word[0] = ' ';
		bytes = strlen(word);
		while ((p = strchr(p, ' ')) != NULL) {
			if (!strncmp(p, word, key_bytes))
				last = p;
			p++;
		}
		if (!last || strncmp(last, word, bytes) || last[bytes] != ' ')
			return false;
	}
	return true;
}

bool config_has_pmu(const struct vm_config *config)
{
	return vmm_arch == ARCH_X86_64 ? !config->pmu_off : config->pmu;
}

int config_apply(const struct config *row, int kvm_fd, struct vm_config *config,
		 struct error *err)
{
	const struct apply a = { row, kvm_fd, config, err };

	*config = (struct vm_config){
		.vcpus = 1,
		.irqchip = VM_IRQCHIP_KERNEL,
		.settings = config_settings(row, vmm_arch),
	};
	if (!(row->archs & 1u << vmm_arch))
		return refuse(&a, "not a config of this architecture");
	if (row->cmdline && !row->modules_only && !has_cmdline(row->cmdline))
		return refuse(&a, "the kernel was not booted with: %s", row->cmdline);
	return table[row - config_table](&a);
}
