/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counter configs that some kernels have and others do not, or only on some
 * machines, or only if a module was loaded so.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "host/vmm/arch.h"
#include "host/vmm/config_apply.h"
#include "host/vmm/newer.h"

#define VALUE_BYTES 32

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

/*
 * Nothing has to be said to KVM: with the parameter on, a VM with an in-kernel APIC and
 * a vPMU has a mediated one.
 */
int config_apply_pmu_mediated(int kvm_fd, struct vm_config *config,
			      const struct refusal *r)
{
	static const char name[] = "enable_mediated_pmu";
	enum kvm_flavour flavour = kvm_flavour(kvm_fd);
	const char *module = flavour == KVM_FLAVOUR_SVM ? "kvm_amd" : "kvm_intel";
	char value[VALUE_BYTES];

	(void)config;
	if (!kvm_flavour_is_hardware(flavour))
		return config_refuse(r, "a software KVM has no PMU to mediate");
	if (!parameter(module, name, value))
		return config_refuse(r, "%s has no parameter %s (Linux 7.0)", module,
				     name);
	if (!is_yes(value))
		return config_refuse(
			r,
			"%s: %s is %s; load it with %s=1 (it stays off where "
			"the PMU is too old)",
			module, name, value, name);
	return 0;
}

int config_apply_pmu_mediated_short(int kvm_fd, struct vm_config *config,
				    const struct refusal *r)
{
	config->pmu_hidden_counters = 1;
	return config_apply_pmu_mediated(kvm_fd, config, r);
}

int config_apply_cntpct_trap(int kvm_fd, struct vm_config *config,
			     const struct refusal *r)
{
	if (!kvm_extension(kvm_fd, KVM_CAP_COUNTER_OFFSET))
		return config_refuse(
			r, "this KVM has no KVM_CAP_COUNTER_OFFSET (Linux 6.4)");
	config->counter_offset = 1;
	return 0;
}

/*
 * KVM_CAP_X86_DISABLE_EXITS, one bit of it. Which bits there are depends on the kernel,
 * and on what it knows of this CPU.
 */
static int disable_exits(int kvm_fd, struct vm_config *config, const struct refusal *r,
			 uint32_t bit, const char *lacks)
{
	char value[VALUE_BYTES];

	if ((uint32_t)kvm_extension(kvm_fd, KVM_CAP_X86_DISABLE_EXITS) & bit) {
		config->disabled_exits = bit;
		return 0;
	}
	if (bit != KVM_X86_DISABLE_EXITS_PAUSE &&
	    parameter("kvm", "mitigate_smt_rsb", value) && is_yes(value))
		return config_refuse(r, "kvm: mitigate_smt_rsb is %s, which forbids it",
				     value);
	return config_refuse(r, "KVM_CAP_X86_DISABLE_EXITS does not offer it: %s", lacks);
}

int config_apply_hlt_passthrough(int kvm_fd, struct vm_config *config,
				 const struct refusal *r)
{
	return disable_exits(kvm_fd, config, r, KVM_X86_DISABLE_EXITS_HLT,
			     "a KVM older than Linux 4.17, or a software one");
}

int config_apply_pause_passthrough(int kvm_fd, struct vm_config *config,
				   const struct refusal *r)
{
	return disable_exits(kvm_fd, config, r, KVM_X86_DISABLE_EXITS_PAUSE,
			     "a KVM older than Linux 4.17, or a software one");
}

int config_apply_mwait_passthrough(int kvm_fd, struct vm_config *config,
				   const struct refusal *r)
{
	return disable_exits(
		kvm_fd, config, r, KVM_X86_DISABLE_EXITS_MWAIT,
		"the CPU has no MWAIT, or its APIC timer stops in deep sleep "
		"(no ARAT)");
}

int config_apply_aperfmperf_passthrough(int kvm_fd, struct vm_config *config,
					const struct refusal *r)
{
	return disable_exits(kvm_fd, config, r, KVM_X86_DISABLE_EXITS_APERFMPERF,
			     "a KVM older than Linux 6.17, or a CPU without APERFMPERF");
}

/* KVM takes the policy from the command line, which config_apply() has looked at. */
static int wfx_policy(const struct refusal *r)
{
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	if (uname(&uts) || sscanf(uts.release, "%u.%u", &major, &minor) != 2 ||
	    major < 6 || (major == 6 && minor < 11))
		return config_refuse(r,
				     "Linux %s does not know "
				     "kvm-arm.wfi_trap_policy (Linux 6.11)",
				     uts.release);
	return 0;
}

int config_apply_wfx_trap(int kvm_fd, struct vm_config *config, const struct refusal *r)
{
	(void)kvm_fd;
	(void)config;
	return wfx_policy(r);
}

int config_apply_wfx_notrap(int kvm_fd, struct vm_config *config, const struct refusal *r)
{
	(void)kvm_fd;
	(void)config;
	return wfx_policy(r);
}
