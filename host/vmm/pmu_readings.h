/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which PMU the host has and which one KVM offers, as far as a program can know: the
 * registers of bench/pmu.h (PMU_READINGS_*). What cannot be known says why.
 */
#ifndef WS_VMM_PMU_READINGS_H
#define WS_VMM_PMU_READINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pmu.h"

struct pmu_reading {
	bool known;
	uint64_t value;
	/* Why it is not known, or how far it is; NULL: not a question to this one. */
	const char *note;
};

/* Of this machine's architecture; `r` has PMU_READINGS_MAX elements. */
void pmu_readings_host(struct pmu_reading *r);
void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r);

/*
 * aarch64: what the PMU's driver shows in sysfs, below `root` ("" but for tests): the
 * events that it names and the machine's parameters.
 */
void pmu_readings_sysfs(const char *root, struct pmu_reading *r);

#endif
