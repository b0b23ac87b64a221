/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the apply functions of counter configs have in common: for config*.c. */
#ifndef WS_VMM_CONFIG_APPLY_H
#define WS_VMM_CONFIG_APPLY_H

#include "host/vmm/vmm.h"

/* Where a config that the kernel or the machine does not offer says why. */
struct refusal {
	char *why;
	size_t bytes;
};

/* Sets the reason; -ENOTSUP. */
int config_refuse(const struct refusal *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Those that are not config.c's own: host/vmm/config_newer.c. */
int config_apply_pmu_mediated(int kvm_fd, struct vm_config *config,
			      const struct refusal *r);
int config_apply_pmu_mediated_short(int kvm_fd, struct vm_config *config,
				    const struct refusal *r);
int config_apply_cntpct_trap(int kvm_fd, struct vm_config *config,
			     const struct refusal *r);
int config_apply_hlt_passthrough(int kvm_fd, struct vm_config *config,
				 const struct refusal *r);
int config_apply_pause_passthrough(int kvm_fd, struct vm_config *config,
				   const struct refusal *r);
int config_apply_mwait_passthrough(int kvm_fd, struct vm_config *config,
				   const struct refusal *r);
int config_apply_wfx_trap(int kvm_fd, struct vm_config *config, const struct refusal *r);
int config_apply_wfx_notrap(int kvm_fd, struct vm_config *config,
			    const struct refusal *r);
int config_apply_aperfmperf_passthrough(int kvm_fd, struct vm_config *config,
					const struct refusal *r);

#endif
