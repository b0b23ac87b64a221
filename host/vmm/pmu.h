/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PMUs: one that the VMM emulates (config pmc-msr-user), and those of the host and of KVM
 * as far as a program can read them.
 */
#ifndef WS_VMM_PMU_H
#define WS_VMM_PMU_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pmu.h"

struct vm;

#define PMU_MSRS_GENERAL 8
#define PMU_MSRS_FIXED	 4
#define PMU_MSRS_AMD	 6

/*
 * An x86 PMU as a VMM would emulate it, with Intel's and AMD's registers: each MSR stores
 * a written value, within its rules, and no counter counts. Config pmc-msr-user sends the
 * guest's accesses here. The registers of one vCPU, all zero after reset.
 */
struct pmu_msrs {
	uint64_t general[PMU_MSRS_GENERAL], select[PMU_MSRS_GENERAL];
	uint64_t fixed[PMU_MSRS_FIXED], fixed_ctrl;
	uint64_t global_ctrl, global_status;
	uint64_t pebs_enable, pebs_data_cfg, ds_area;
	uint64_t amd_counter[PMU_MSRS_AMD], amd_select[PMU_MSRS_AMD];
	uint64_t amd_global_ctl, amd_global_status;
	uint64_t nothing; /* of registers that read as zero or as a constant */
};

/* A guest's access; false: #GP. A read sets `value`, a write stores it. */
bool pmu_msrs_access(struct pmu_msrs *msrs, uint32_t msr, bool is_write, uint64_t *value);

/*
 * Makes the PMU's MSRs exit to user space and allocates the registers of each vCPU. 0;
 * -ENOTSUP where this KVM has no MSR filters; -errno.
 */
int pmu_msrs_init(struct vm *vm);

/* A register of bench/pmu.h (PMU_READINGS_*). An unknown register has a reason. */
struct pmu_reading {
	bool known;
	uint64_t value;
	/* Why it is unknown, or how far it is known; NULL: not applicable. */
	const char *note;
};

/* Of this machine's architecture; `r` has PMU_READINGS_MAX elements. */
void pmu_readings_host(struct pmu_reading *r);
void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r);

/*
 * aarch64: the events and parameters that the PMU's driver has in sysfs, below `root`
 * (tests: a folder; else "").
 */
void pmu_readings_sysfs(const char *root, struct pmu_reading *r);

#endif
