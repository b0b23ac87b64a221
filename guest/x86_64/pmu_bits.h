/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The valid bits of the registers of Intel's PMU, by CPUID and PERF_CAPABILITIES: Intel
 * SDM 3B, chapter 20, and vol. 2A, CPUID leaves 0AH and 23H. A pure function, which can
 * be tested without a PMU.
 */
#ifndef WS_GUEST_X86_64_PMU_BITS_H
#define WS_GUEST_X86_64_PMU_BITS_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/x86_64/pmc_choose.h"

#define EVTSEL_ANY (1ull << 21)

/* PERF_CAPABILITIES. */
#define FULL_WIDTH    (1ull << 13)
#define PEBS_BASELINE (1ull << 14)
#define PERF_METRICS  (1ull << 15)

/* Zero if the CPU lacks a leaf or a register. */
struct pmu_bits_cpuid {
	uint32_t pmu_eax, pmu_ecx, pmu_edx; /* leaf 0xA */
	uint32_t features_ebx;		    /* leaf 7 */
	uint32_t extended_ebx;		    /* leaf 0x23 */
	uint64_t capabilities;		    /* PERF_CAPABILITIES */
};

struct pmu_bits {
	uint64_t select;   /* PERFEVTSELn */
	uint64_t select_2; /* further ones of PERFEVTSEL2 */
	uint64_t fixed;	   /* FIXED_CTR_CTRL */
	uint64_t global;   /* GLOBAL_CTRL */
	/* GLOBAL_STATUS_RESET: also those of features that have nothing to do with
	 * counters (PT, LBR, SGX, uncore, DS), whether or not they are there. */
	uint64_t status;
	uint32_t fixed_counters; /* a bit each: need not be contiguous */
	bool any_thread;
};

static inline struct pmu_bits pmu_bits(const struct pmu_bits_cpuid *id)
{
	const uint32_t version = id->pmu_eax & 0xff, general = id->pmu_eax >> 8 & 0xff;
	struct pmu_bits b = { .select = 0xffffffff & ~EVTSEL_ANY };
	uint64_t of_fixed = 0xb; /* OS, USR, INT */
	uint32_t n;

	b.fixed_counters =
		((1u << (id->pmu_edx & 0x1f)) - 1) | (version >= 5 ? id->pmu_ecx : 0);
	b.any_thread = version >= 3 && !(id->pmu_edx >> 15 & 1);
	if (b.any_thread) {
		b.select |= EVTSEL_ANY;
		of_fixed |= 4;
	}
	/* HLE or RTM: IN_TX, and IN_TXCP of counter 2 only. */
	if (id->features_ebx & (1u << 4 | 1u << 11)) {
		b.select |= 1ull << 32;
		b.select_2 = 1ull << 33;
	}
	/* ADAPTIVE. */
	if (id->capabilities & PEBS_BASELINE) {
		b.select |= 1ull << 34;
		of_fixed |= 1ull << 32;
	}
	/* UMASK2, EQ, RDPMC_USR_DISABLE. */
	if (id->extended_ebx & 1)
		b.select |= 0xffull << 40;
	if (id->extended_ebx & 2)
		b.select |= 1ull << 36;
	if (id->extended_ebx & 4) {
		b.select |= 1ull << 37;
		of_fixed |= 1ull << 33;
	}
	for (n = 0; n < 16; n++)
		if (b.fixed_counters >> n & 1)
			b.fixed |= of_fixed << 4 * n;
	b.global = ((1ull << general) - 1) | (uint64_t)b.fixed_counters << 32;
	if (id->capabilities & PERF_METRICS)
		b.global |= 1ull << 48;
	b.status = b.global | 1ull << 55 | ~0ull << 58;
	return b;
}

#endif
