/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID says about a PMU: the counter of a vPMU for an event, the values of its
 * registers, and their valid bits. Pure functions of the results of CPUID, which can be
 * tested without a PMU.
 *
 * Intel SDM 3B, chapter "Performance Monitoring" (architectural performance monitoring,
 * versions 1 to 5), and vol. 2A, CPUID leaves 0AH and 23H; AMD APM 2, 13.2 (core
 * performance counters).
 */
#ifndef WS_GUEST_X86_64_PMC_CHOOSE_H
#define WS_GUEST_X86_64_PMC_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_PERFEVTSEL0		       0x186
#define MSR_PMC0		       0xc1
#define MSR_FIXED_CTR0		       0x309
#define MSR_FIXED_CTR_CTRL	       0x38d
#define MSR_PERF_GLOBAL_CTRL	       0x38f
#define MSR_PERF_GLOBAL_OVF_CTRL       0x390
#define MSR_AMD_PERF_CTL0	       0xc0010200
#define MSR_AMD_PERF_CTR0	       0xc0010201
#define MSR_AMD_PERF_GLOBAL_STATUS     0xc0000300
#define MSR_AMD_PERF_GLOBAL_CTL	       0xc0000301
#define MSR_AMD_PERF_GLOBAL_STATUS_CLR 0xc0000302

/* PERFEVTSELx, the same on both: count at CPL 1-3, at CPL 0, interrupt, enable. */
#define EVTSEL_USR (1ull << 16)
#define EVTSEL_OS  (1ull << 17)
#define EVTSEL_INT (1ull << 20)
#define EVTSEL_EN  (1ull << 22)

/* The architectural events: event select, unit mask 0. */
#define EVENT_CYCLES   0x3c
#define EVENT_INSNS    0xc0
#define EVENT_BRANCHES 0xc4

/* RDPMC's index of fixed counter n, and its four bits in FIXED_CTR_CTRL: OS and USR, PMI.
 */
#define RDPMC_FIXED(n)	  (1u << 30 | (n))
#define FIXED_OS_USR(n)	  (3ull << 4 * (n))
#define FIXED_INT(n)	  (8ull << 4 * (n))
#define GLOBAL_FIXED(n)	  (1ull << (32 + (n)))
#define GLOBAL_GENERAL(n) (1ull << (n))

enum pmc_event {
	PMC_CYCLES,
	PMC_INSNS,
	PMC_BRANCHES,
	PMC_EVENTS,
};

enum pmc_kind {
	PMC_GENERAL,
	PMC_FIXED,
	PMC_ANY, /* a fixed counter if possible */
};

/* The leaves of CPUID that the choice depends on; zero if the CPU lacks a leaf. */
struct pmc_cpuid {
	uint32_t pmu_eax, pmu_ebx, pmu_edx; /* leaf 0xA */
	uint32_t extended_ecx;		    /* leaf 0x80000001 */
	uint32_t amd_pmu_eax;		    /* leaf 0x80000022 */
};

struct pmc_counter {
	uint32_t rdpmc;	     /* ECX for RDPMC */
	uint32_t count_msr;  /* the counter itself */
	uint32_t select_msr; /* selects the event */
	uint32_t global_msr; /* enables the counter; 0: no such register */
	uint32_t clear_msr;  /* clears the overflow flag; 0: no such register */
	uint64_t select, global, clear;
	uint64_t interrupt; /* the bit in `select` for overflow interrupts */
	uint32_t bits;	    /* the counter's width */
};

/* By enum pmc_event. */
struct pmc_encoding {
	uint8_t event, umask; /* architectural */
	uint8_t absent;	      /* the bit of leaf 0xA EBX that reports the event missing */
	uint8_t fixed;	      /* the fixed counter of the event; 0xff: none */
	uint8_t amd_event;
};

#define PMC_ENCODINGS                                                                    \
	{                                                                                \
		[PMC_CYCLES] = { EVENT_CYCLES, 0x00, 0, 1, 0x76 },                       \
		[PMC_INSNS] = { EVENT_INSNS, 0x00, 1, 0, 0xc0 },                         \
		[PMC_BRANCHES] = { EVENT_BRANCHES, 0x00, 5, 0xff, 0xc2 },                \
	}

static inline uint64_t pmc_evtsel(uint8_t event, uint8_t umask)
{
	return event | (uint64_t)umask << 8 | EVTSEL_USR | EVTSEL_OS | EVTSEL_EN;
}

static inline bool pmc_choose_fixed(const struct pmc_cpuid *id,
				    const struct pmc_encoding *e, struct pmc_counter *c)
{
	uint32_t version = id->pmu_eax & 0xff, fixed = id->pmu_edx & 0x1f;

	if (version < 2 || e->fixed >= fixed)
		return false;
	*c = (struct pmc_counter){
		.rdpmc = RDPMC_FIXED(e->fixed),
		.count_msr = MSR_FIXED_CTR0 + e->fixed,
		.select_msr = MSR_FIXED_CTR_CTRL,
		.select = FIXED_OS_USR(e->fixed),
		.global_msr = MSR_PERF_GLOBAL_CTRL,
		.global = GLOBAL_FIXED(e->fixed),
		.clear_msr = MSR_PERF_GLOBAL_OVF_CTRL,
		.clear = GLOBAL_FIXED(e->fixed),
		.interrupt = FIXED_INT(e->fixed),
		.bits = id->pmu_edx >> 5 & 0xff,
	};
	return true;
}

static inline bool pmc_choose_general(const struct pmc_cpuid *id,
				      const struct pmc_encoding *e, struct pmc_counter *c)
{
	uint32_t version = id->pmu_eax & 0xff, counters = id->pmu_eax >> 8 & 0xff;
	uint32_t described = id->pmu_eax >> 24; /* bits of EBX */

	if (!version || !counters || e->absent >= described ||
	    id->pmu_ebx >> e->absent & 1)
		return false;
	*c = (struct pmc_counter){
		.rdpmc = 0,
		.count_msr = MSR_PMC0,
		.select_msr = MSR_PERFEVTSEL0,
		.select = pmc_evtsel(e->event, e->umask),
		.global_msr = version >= 2 ? MSR_PERF_GLOBAL_CTRL : 0,
		.global = GLOBAL_GENERAL(0),
		.clear_msr = version >= 2 ? MSR_PERF_GLOBAL_OVF_CTRL : 0,
		.clear = GLOBAL_GENERAL(0),
		.interrupt = EVTSEL_INT,
		.bits = id->pmu_eax >> 16 & 0xff,
	};
	return true;
}

/* PerfCtrExtCore: CPUID does not report the four older counters. */
static inline bool pmc_choose_amd(const struct pmc_cpuid *id,
				  const struct pmc_encoding *e, struct pmc_counter *c)
{
	if (!(id->extended_ecx >> 23 & 1))
		return false;
	*c = (struct pmc_counter){
		.rdpmc = 0,
		.count_msr = MSR_AMD_PERF_CTR0,
		.select_msr = MSR_AMD_PERF_CTL0,
		.select = pmc_evtsel(e->amd_event, 0),
		.global_msr = id->amd_pmu_eax & 1 ? MSR_AMD_PERF_GLOBAL_CTL : 0,
		.global = GLOBAL_GENERAL(0),
		.clear_msr = id->amd_pmu_eax & 1 ? MSR_AMD_PERF_GLOBAL_STATUS_CLR : 0,
		.clear = GLOBAL_GENERAL(0),
		.interrupt = EVTSEL_INT,
		.bits = 48,
	};
	return true;
}

/* false: the vPMU has no counter of this kind for the event. */
static inline bool pmc_choose(const struct pmc_cpuid *id, enum pmc_event event,
			      enum pmc_kind kind, struct pmc_counter *c)
{
	static const struct pmc_encoding encodings[PMC_EVENTS] = PMC_ENCODINGS;
	const struct pmc_encoding *e = &encodings[event];

	if (kind != PMC_GENERAL && pmc_choose_fixed(id, e, c))
		return true;
	if (kind == PMC_FIXED)
		return false;
	return pmc_choose_general(id, e, c) || pmc_choose_amd(id, e, c);
}

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
