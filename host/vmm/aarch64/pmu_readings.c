/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: the PMU as far as user space can read it. */
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/pmu_readings.h"

void pmu_readings_host(struct pmu_reading *r)
{
	r[PMU_ID_AA64DFR0] = (struct pmu_reading){
		/* Documentation/arm64/cpu-feature-registers.rst */
		.note = "the kernel hides PMUVer from user space",
	};
	r[PMU_PMCR] = (struct pmu_reading){ .note = "user space cannot read it" };
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){ .known = false };
	pmu_readings_sysfs("", r);
}

void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r)
{
	unsigned int i;

	for (i = 0; i < PMU_READINGS_ON_AARCH64; i++)
		r[i] = (struct pmu_reading){
			.note = "KVM reports it to its guests only"
		};
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){
		.known = true,
		.value = (uint64_t)kvm_check_cap(kvm_fd, KVM_CAP_ARM_PMU_V3),
	};
}
