/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a PMU can count, by the names of the manuals. */
#include <string.h>

#include "host/report/pmu_decode.h"

/* Intel SDM 2A, CPUID leaf 0AH: EBX's bits, each set where the event is missing. */
static const char *const x86_64_events[] = {
	"core cycles",
	"instructions retired",
	"reference cycles",
	"LLC references",
	"LLC misses",
	"branches retired",
	"branch mispredicts retired",
	"topdown slots",
	"topdown backend bound",
	"topdown bad speculation",
	"topdown frontend bound",
	"topdown retiring",
	"LBR inserts",
};

/*
 * Arm ARM (DDI 0487), common event numbers. 0x0-0x1f: PMCEID0_EL0[31:0]; 0x20-0x3f:
 * PMCEID1_EL0[31:0].
 */
static const char *const common_events[64] = {
	"SW_INCR",
	"L1I_CACHE_REFILL",
	"L1I_TLB_REFILL",
	"L1D_CACHE_REFILL",
	"L1D_CACHE",
	"L1D_TLB_REFILL",
	"LD_RETIRED",
	"ST_RETIRED",
	"INST_RETIRED",
	"EXC_TAKEN",
	"EXC_RETURN",
	"CID_WRITE_RETIRED",
	"PC_WRITE_RETIRED",
	"BR_IMMED_RETIRED",
	"BR_RETURN_RETIRED",
	"UNALIGNED_LDST_RETIRED",
	"BR_MIS_PRED",
	"CPU_CYCLES",
	"BR_PRED",
	"MEM_ACCESS",
	"L1I_CACHE",
	"L1D_CACHE_WB",
	"L2D_CACHE",
	"L2D_CACHE_REFILL",
	"L2D_CACHE_WB",
	"BUS_ACCESS",
	"MEMORY_ERROR",
	"INST_SPEC",
	"TTBR_WRITE_RETIRED",
	"BUS_CYCLES",
	"CHAIN",
	"L1D_CACHE_ALLOCATE",
	"L2D_CACHE_ALLOCATE",
	"BR_RETIRED",
	"BR_MIS_PRED_RETIRED",
	"STALL_FRONTEND",
	"STALL_BACKEND",
	"L1D_TLB",
	"L1I_TLB",
	"L2I_CACHE",
	"L2I_CACHE_REFILL",
	"L3D_CACHE_ALLOCATE",
	"L3D_CACHE_REFILL",
	"L3D_CACHE",
	"L3D_CACHE_WB",
	"L2D_TLB_REFILL",
	"L2I_TLB_REFILL",
	"L2D_TLB",
	"L2I_TLB",
	"REMOTE_ACCESS",
	"LL_CACHE",
	"LL_CACHE_MISS",
	"DTLB_WALK",
	"ITLB_WALK",
	"LL_CACHE_RD",
	"LL_CACHE_MISS_RD",
	"REMOTE_ACCESS_RD",
	"L1D_CACHE_LMISS_RD",
	"OP_RETIRED",
	"OP_SPEC",
	"STALL",
	"STALL_SLOT_BACKEND",
	"STALL_SLOT_FRONTEND",
	"STALL_SLOT",
};

/* 0x4000-0x401f: PMCEID0_EL0[63:32]; 0x4020-0x403f: PMCEID1_EL0[63:32]. */
static const char *const extended_events[64] = {
	[0x00] = "SAMPLE_POP",
	[0x01] = "SAMPLE_FEED",
	[0x02] = "SAMPLE_FILTRATE",
	[0x03] = "SAMPLE_COLLISION",
	[0x04] = "CNT_CYCLES",
	[0x05] = "STALL_BACKEND_MEM",
	[0x06] = "L1I_CACHE_LMISS",
	[0x09] = "L2D_CACHE_LMISS_RD",
	[0x0a] = "L2I_CACHE_LMISS",
	[0x0b] = "L3D_CACHE_LMISS_RD",
	[0x0c] = "TRB_WRAP",
	[0x0d] = "PMU_OVFS",
	[0x0e] = "TRB_TRIG",
	[0x0f] = "PMU_HOVFS",
	[0x10] = "TRCEXTOUT0",
	[0x11] = "TRCEXTOUT1",
	[0x12] = "TRCEXTOUT2",
	[0x13] = "TRCEXTOUT3",
	[0x18] = "CTI_TRIGOUT4",
	[0x19] = "CTI_TRIGOUT5",
	[0x1a] = "CTI_TRIGOUT6",
	[0x1b] = "CTI_TRIGOUT7",
	[0x20] = "LDST_ALIGN_LAT",
	[0x21] = "LD_ALIGN_LAT",
	[0x22] = "ST_ALIGN_LAT",
	[0x24] = "MEM_ACCESS_CHECKED",
	[0x25] = "MEM_ACCESS_CHECKED_RD",
	[0x26] = "MEM_ACCESS_CHECKED_WR",
};

#define X86_64_EVENTS (sizeof(x86_64_events) / sizeof(x86_64_events[0]))

bool pmu_events_known(enum arch arch, const struct pmu_values *v)
{
	return arch == ARCH_X86_64
		       ? v->known[PMU_CPUID_A_EAX] && v->known[PMU_CPUID_A_EBX]
		       : v->known[PMU_PMCEID0] && v->known[PMU_PMCEID1];
}

/* An event counts as there only within the bits that EAX[31:24] says EBX has. */
static bool x86_64_has(const struct pmu_values *v, size_t i)
{
	return i < (v->value[PMU_CPUID_A_EAX] >> 24 & 0xff) &&
	       !(v->value[PMU_CPUID_A_EBX] >> i & 1);
}

static bool aarch64_has(const struct pmu_values *v, size_t i)
{
	const uint64_t pmceid[2] = { v->value[PMU_PMCEID0], v->value[PMU_PMCEID1] };
	size_t bit = i % 64;

	/* 64 common ones, then 64 extended ones; half of each in each register. */
	return pmceid[bit / 32] >> (bit % 32 + (i < 64 ? 0 : 32)) & 1;
}

static const char *aarch64_name(size_t i)
{
	const char *name = i < 64 ? common_events[i] : extended_events[i - 64];

	return name ? name : "reserved";
}

const char *pmu_event_name(enum arch arch, const struct pmu_values *v, size_t nth)
{
	size_t n = arch == ARCH_X86_64 ? X86_64_EVENTS : 128, i;

	if (!pmu_events_known(arch, v))
		return NULL;
	for (i = 0; i < n; i++) {
		bool has = arch == ARCH_X86_64 ? x86_64_has(v, i) : aarch64_has(v, i);

		if (has && !nth--)
			return arch == ARCH_X86_64 ? x86_64_events[i] : aarch64_name(i);
	}
	return NULL;
}
