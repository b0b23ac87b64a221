/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counter configs: one apply function per row of bench/configs.def. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/config_apply.h"
#include "host/vmm/passthrough.h"

int config_refuse(const struct refusal *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, r->bytes, fmt, args);
	va_end(args);
	return -ENOTSUP;
}

static int config_apply_default(int kvm_fd, struct vm_config *config,
				const struct refusal *r)
{
	(void)kvm_fd;
	(void)config;
	(void)r;
	return 0;
}

static int config_apply_pmu_off(int kvm_fd, struct vm_config *config,
				const struct refusal *r)
{
	/* On arm64 a vPMU is asked for; on x86 it is there unless it is refused. */
	config->pmu = false;
	if (vmm_arch != ARCH_X86_64)
		return 0;
	if (!(kvm_extension(kvm_fd, KVM_CAP_PMU_CAPABILITY) & KVM_PMU_CAP_DISABLE))
		return config_refuse(
			r, "this KVM has no KVM_CAP_PMU_CAPABILITY (Linux 5.18), "
			   "or has no vPMU to turn off");
	config->pmu_off = true;
	return 0;
}

static int config_apply_pmu_emulated(int kvm_fd, struct vm_config *config,
				     const struct refusal *r)
{
	/* x86_64's is there unasked; that there is one shows in what can be done to it.
	 */
	if (vmm_arch == ARCH_X86_64) {
		if (kvm_extension(kvm_fd, KVM_CAP_PMU_CAPABILITY) & KVM_PMU_CAP_DISABLE)
			return 0;
		return config_refuse(r, "this KVM has no vPMU, or does not say so "
					"(KVM_CAP_PMU_CAPABILITY, Linux 5.18)");
	}
	if (!kvm_extension(kvm_fd, KVM_CAP_ARM_PMU_V3))
		return config_refuse(
			r, "this KVM has no KVM_CAP_ARM_PMU_V3: the machine has no "
			   "PMUv3, or the kernel no driver for it");
	config->pmu = true;
	return 0;
}

static int config_apply_pmc_msr_user(int kvm_fd, struct vm_config *config,
				     const struct refusal *r)
{
	if (!kvm_extension(kvm_fd, KVM_CAP_X86_USER_SPACE_MSR) ||
	    !kvm_extension(kvm_fd, KVM_CAP_X86_MSR_FILTER))
		return config_refuse(r, "this KVM has no MSR filters (Linux 5.10)");
	config->pmc_msr_user = true;
	return 0;
}

/* Either way the guest's PMU is set up as under pmu-emulated. */
static int with_module(int kvm_fd, struct vm_config *config, const struct refusal *r,
		       enum vm_pmu_access access)
{
	int err = config_apply_pmu_emulated(kvm_fd, config, r);

	if (!err)
		err = passthrough_available(kvm_fd, r->why, r->bytes);
	config->pmu_access = access;
	return err;
}

static int config_apply_pmccntr_passthrough(int kvm_fd, struct vm_config *config,
					    const struct refusal *r)
{
	return with_module(kvm_fd, config, r, VM_PMU_PASSTHROUGH);
}

static int config_apply_pmccntr_hooked(int kvm_fd, struct vm_config *config,
				       const struct refusal *r)
{
	return with_module(kvm_fd, config, r, VM_PMU_HOOKED);
}

static int config_apply_irqchip_user(int kvm_fd, struct vm_config *config,
				     const struct refusal *r)
{
	(void)kvm_fd;
	(void)r;
	config->irqchip = VM_IRQCHIP_USER;
	return 0;
}

static int config_apply_loop_bare(int kvm_fd, struct vm_config *config,
				  const struct refusal *r)
{
	(void)kvm_fd;
	(void)r;
	config->bare_loop = true;
	return 0;
}

static int config_apply_kick_signal_mask(int kvm_fd, struct vm_config *config,
					 const struct refusal *r)
{
	(void)kvm_fd;
	(void)r;
	config->kick = VM_KICK_SIGNAL_MASK;
	return 0;
}

static int config_apply_sync_lazy(int kvm_fd, struct vm_config *config,
				  const struct refusal *r)
{
	(void)kvm_fd;
	(void)r;
	config->sync = REGS_SYNC_LAZY;
	return 0;
}

static int config_apply_sync_always(int kvm_fd, struct vm_config *config,
				    const struct refusal *r)
{
	(void)kvm_fd;
	(void)r;
	config->sync = REGS_SYNC_ALWAYS;
	return 0;
}

/* In the order of config_table. */
static int (*const apply[])(int kvm_fd, struct vm_config *config,
			    const struct refusal *r) = {
#define CONFIG(id, name, archs, summary) config_apply_##id,
#include "bench/configs.def"
};

/* Does the kernel's command line have all these words KEY=VALUE, the last of each KEY? */
static bool config_has_cmdline(const char *words)
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
		 char *why, size_t why_bytes)
{
	const struct refusal r = { why, why_bytes };

	*config = (struct vm_config){ .vcpus = 1, .irqchip = VM_IRQCHIP_KERNEL };
	if (!(row->archs & 1u << vmm_arch))
		return config_refuse(&r, "not a config of this architecture");
	if (row->cmdline && !config_has_cmdline(row->cmdline))
		return config_refuse(&r, "the kernel was not booted with: %s",
				     row->cmdline);
	return apply[row - config_table](kvm_fd, config, &r);
}
