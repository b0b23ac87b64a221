/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU of the host and the vPMU that KVM offers, as far as a program can read them:
 * the registers of bench/pmu.h (PMU_READINGS_*). An unknown register has a reason.
 */
#ifndef WS_VMM_PMU_READINGS_H
#define WS_VMM_PMU_READINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pmu.h"

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
