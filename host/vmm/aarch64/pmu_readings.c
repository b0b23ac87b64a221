/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: what user space can know of the PMU, which is little. */
#include <linux/kvm.h>

#include "host/vmm/pmu_readings.h"
#include "host/vmm/vmm.h"

void pmu_readings_host(struct pmu_reading *r)
{
	r[PMU_ID_AA64DFR0] = (struct pmu_reading){
		/* Documentation/arm64/cpu-feature-registers.rst */
		.note = "the kernel hides PMUVer from user space",
	};
	r[PMU_PMCR] = (struct pmu_reading){ .note = "not for user space to read" };
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){ .known = false };
	pmu_readings_sysfs("", r);
}

void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r)
{
	unsigned int i;

	for (i = 0; i < PMU_READINGS_ON_AARCH64; i++)
		r[i] = (struct pmu_reading){ .note = "KVM tells it to its VMs alone" };
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){
		.known = true,
		.value = (uint64_t)kvm_extension(kvm_fd, KVM_CAP_ARM_PMU_V3),
	};
}
