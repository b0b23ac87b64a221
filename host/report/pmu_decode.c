/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes the PMU's identification registers, field by field, and the events of a PMU.
 */
#include "host/report/pmu_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum how {
	NUMBER,
	HEX,
	YES_NO,
	FIXED, /* a number that is undefined in version 1 */
	AMD_COUNTERS,
	PMU_VERSION, /* ID_AA64DFR0_EL1.PMUVer */
	IMPLEMENTER, /* PMCR_EL0.IMP */
	BUS_WIDTH,   /* PMMIR_EL1.BUS_WIDTH */
};

struct field {
	const char *name;
	unsigned int reading, low, bits;
	enum how how;
};

/*
 * Intel SDM 2A, CPUID leaf 0AH, and 3B, "Architectural Performance Monitoring";
 * IA32_PERF_CAPABILITIES: SDM 4, table 2-2, and 3B, "PEBS". AMD APM 3, appendix E,
 * Fn8000_0022 and Fn8000_0001_ECX.
 */
static const struct field x86_64_fields[] = {
	{ "architectural version", PMU_CPUID_A_EAX, 0, 8, NUMBER },
	{ "general counters", PMU_CPUID_A_EAX, 8, 8, NUMBER },
	{ "their width, bits", PMU_CPUID_A_EAX, 16, 8, NUMBER },
	{ "fixed counters", PMU_CPUID_A_EDX, 0, 5, FIXED },
	{ "their width, bits", PMU_CPUID_A_EDX, 5, 8, FIXED },
	{ "fixed counters, bitmap", PMU_CPUID_A_ECX, 0, 32, HEX },
	{ "AnyThread deprecated", PMU_CPUID_A_EDX, 15, 1, YES_NO },
	{ "has PERF_CAPABILITIES", PMU_CPUID_1_ECX, 15, 1, YES_NO },
	{ "LBR format", PMU_PERF_CAPABILITIES, 0, 6, NUMBER },
	{ "PEBS trap", PMU_PERF_CAPABILITIES, 6, 1, YES_NO },
	{ "PEBS saves registers", PMU_PERF_CAPABILITIES, 7, 1, YES_NO },
	{ "PEBS record format", PMU_PERF_CAPABILITIES, 8, 4, NUMBER },
	{ "freeze while SMM", PMU_PERF_CAPABILITIES, 12, 1, YES_NO },
	{ "full-width writes", PMU_PERF_CAPABILITIES, 13, 1, YES_NO },
	{ "PEBS baseline", PMU_PERF_CAPABILITIES, 14, 1, YES_NO },
	{ "performance metrics", PMU_PERF_CAPABILITIES, 15, 1, YES_NO },
	{ "PEBS output to PT", PMU_PERF_CAPABILITIES, 16, 1, YES_NO },
	{ "PEBS timing info", PMU_PERF_CAPABILITIES, 17, 1, YES_NO },
	{ "AMD core counters", PMU_CPUID_80000022_EBX, 0, 4, AMD_COUNTERS },
	{ "AMD PerfCtrExtCore", PMU_CPUID_80000001_ECX, 23, 1, YES_NO },
	{ "AMD PerfMonV2", PMU_CPUID_80000022_EAX, 0, 1, YES_NO },
	{ "KVM can turn it off", PMU_KVM_CAPABILITY, 0, 1, YES_NO },
};

/* Arm ARM (DDI 0487): ID_AA64DFR0_EL1, PMCR_EL0, PMMIR_EL1. */
static const struct field aarch64_fields[] = {
	{ "PMUVer", PMU_ID_AA64DFR0, 8, 4, PMU_VERSION },
	{ "event counters (PMCR.N)", PMU_PMCR, 11, 5, NUMBER },
	{ "implementer (PMCR.IMP)", PMU_PMCR, 24, 8, IMPLEMENTER },
	{ "PMCR.IDCODE", PMU_PMCR, 16, 8, HEX },
	{ "PMCEID0_EL0", PMU_PMCEID0, 0, 64, HEX },
	{ "PMCEID1_EL0", PMU_PMCEID1, 0, 64, HEX },
	{ "PMMIR.SLOTS", PMU_PMMIR, 0, 8, NUMBER },
	{ "PMMIR.BUS_SLOTS", PMU_PMMIR, 8, 8, NUMBER },
	{ "PMMIR.BUS_WIDTH, bytes", PMU_PMMIR, 16, 4, BUS_WIDTH },
	{ "PMMIR.THWIDTH", PMU_PMMIR, 20, 4, NUMBER },
	{ "PMMIR.EDGE", PMU_PMMIR, 24, 4, NUMBER },
	{ "KVM offers a PMUv3", PMU_KVM_ARM_PMU_V3, 0, 1, YES_NO },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const struct field *fields;
	size_t n;
} tables[ARCHS] = {
	[ARCH_X86_64] = { x86_64_fields, COUNT(x86_64_fields) },
	[ARCH_AARCH64] = { aarch64_fields, COUNT(aarch64_fields) },
};

static uint64_t bits_of(uint64_t value, unsigned int low, unsigned int bits)
{
	return value >> low & (bits < 64 ? (1ull << bits) - 1 : ~0ull);
}

/* Arm ARM, ID_AA64DFR0_EL1.PMUVer. */
static const char *version_name(uint64_t version)
{
	static const char *const names[16] = {
		[0] = "none",		[1] = "PMUv3",		[4] = "PMUv3, Armv8.1",
		[5] = "PMUv3, Armv8.4", [6] = "PMUv3, Armv8.5", [7] = "PMUv3, Armv8.7",
		[8] = "PMUv3, Armv8.8", [9] = "PMUv3, Armv8.9", [15] = "not PMUv3",
	};

	return names[version & 15] ? names[version & 15] : "reserved";
}

/* Arm ARM, MIDR_EL1.Implementer, whose numbers PMCR_EL0.IMP has. */
static void implementer_text(uint64_t code, char text[PMU_TEXT_BYTES])
{
	static const struct {
		uint8_t code;
		const char *name;
	} names[] = {
		{ 0x41, "Arm" },      { 0x42, "Broadcom" },  { 0x43, "Cavium" },
		{ 0x46, "Fujitsu" },  { 0x48, "HiSilicon" }, { 0x4e, "NVIDIA" },
		{ 0x51, "Qualcomm" }, { 0x61, "Apple" },     { 0xc0, "Ampere" },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (names[i].code == code) {
			snprintf(text, PMU_TEXT_BYTES, "%s", names[i].name);
			return;
		}
	}
	snprintf(text, PMU_TEXT_BYTES, "0x%" PRIx64, code);
}

/*
 * PerfMonV2 reports the number. Without it, PerfCtrExtCore means six counters; without
 * that, an AMD CPU has the four of the K7 or none: no CPUID bit distinguishes them (AMD
 * APM 2, 13.2.1).
 */
static void amd_text(const struct pmu_values *v, char text[PMU_TEXT_BYTES])
{
	uint64_t vendor = v->value[PMU_CPUID_0_EBX];
	/* "Auth" of AuthenticAMD, "Hygo" of HygonGenuine */
	bool amd = vendor == 0x68747541 || vendor == 0x6f677948;

	if (v->value[PMU_CPUID_80000022_EAX] & 1)
		snprintf(text, PMU_TEXT_BYTES, "%" PRIu64,
			 bits_of(v->value[PMU_CPUID_80000022_EBX], 0, 4));
	else if (v->value[PMU_CPUID_80000001_ECX] >> 23 & 1)
		snprintf(text, PMU_TEXT_BYTES, "6");
	else
		snprintf(text, PMU_TEXT_BYTES, amd ? "4 or none" : "0");
}

static void field_text(const struct field *f, const struct pmu_values *v,
		       char text[PMU_TEXT_BYTES])
{
	uint64_t value = bits_of(v->value[f->reading], f->low, f->bits);

	switch (f->how) {
	case FIXED:
		/* Undefined before version 2. */
		if (bits_of(v->value[PMU_CPUID_A_EAX], 0, 8) < 2)
			value = 0;
		/* fallthrough */
	case NUMBER:
		snprintf(text, PMU_TEXT_BYTES, "%" PRIu64, value);
		break;
	case HEX:
		snprintf(text, PMU_TEXT_BYTES, "0x%" PRIx64, value);
		break;
	case YES_NO:
		snprintf(text, PMU_TEXT_BYTES, value ? "yes" : "no");
		break;
	case AMD_COUNTERS:
		amd_text(v, text);
		break;
	case PMU_VERSION:
		snprintf(text, PMU_TEXT_BYTES, "%s", version_name(value));
		break;
	case IMPLEMENTER:
		implementer_text(value, text);
		break;
	case BUS_WIDTH: /* log2 + 1; 0: not reported */
		snprintf(text, PMU_TEXT_BYTES, "%llu", value ? 1ull << (value - 1) : 0);
		break;
	}
}

const char *pmu_field_name(enum arch arch, size_t nth)
{
	return nth < tables[arch].n ? tables[arch].fields[nth].name : NULL;
}

size_t pmu_field_reading(enum arch arch, size_t nth)
{
	return tables[arch].fields[nth].reading;
}

bool pmu_field_text(enum arch arch, size_t nth, const struct pmu_values *v,
		    char text[PMU_TEXT_BYTES])
{
	const struct field *f = &tables[arch].fields[nth];

	snprintf(text, PMU_TEXT_BYTES, "?");
	if (!v->known[f->reading])
		return false;
	field_text(f, v, text);
	return true;
}

/* Intel SDM 2A, CPUID leaf 0AH: bits of EBX, set if the event is missing. */
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

/* EAX[31:24] is the number of valid bits of EBX. */
static bool x86_64_has(const struct pmu_values *v, size_t i)
{
	return i < (v->value[PMU_CPUID_A_EAX] >> 24 & 0xff) &&
	       !(v->value[PMU_CPUID_A_EBX] >> i & 1);
}

static bool aarch64_has(const struct pmu_values *v, size_t i)
{
	const uint64_t pmceid[2] = { v->value[PMU_PMCEID0], v->value[PMU_PMCEID1] };
	size_t bit = i % 64;

	/* 64 common events, then 64 extended events; each register has half of both. */
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
