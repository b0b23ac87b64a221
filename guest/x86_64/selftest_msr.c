/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: the self-tests' payload: the PMU's MSRs, which the VMM emulates
 * (host/vmm/pmu.c).
 */
#include "guest/selftest.h"
#include "guest/x86_64/pmu_code.h"

#define ALL_48 0xffffffffffffull

/* The written MSR and value, the MSR read afterwards, and the expected value. */
static const struct {
	uint32_t written;
	uint64_t value;
	uint32_t read;
	uint64_t expected;
} kept[] = {
	/* Two names of a counter; the old one's 32 bits are signed. */
	{ 0xc1, 0x12345678, 0x4c1, 0x12345678 },
	{ 0xc8, 0x1fedcba98, 0xc8, 0xfffffedcba98 },
	{ 0x4c1, 0x123456789abc, 0xc1, 0x123456789abc },
	{ 0x4c8, ALL_48, 0x4c8, ALL_48 },
	{ 0x186, 0x4300c0, 0x186, 0x4300c0 },
	{ 0x18d, 0x43003c, 0x18d, 0x43003c },
	{ 0x309, 0xabcdef012345, 0x309, 0xabcdef012345 },
	{ 0x30c, 1, 0x30c, 1 },
	{ 0x38d, 0x33, 0x38d, 0x33 },
	{ 0x38f, 0xf000000ff, 0x38f, 0xf000000ff },
	/* Overflows are set, read, cleared. */
	{ 0x391, 0x300000081, 0x38e, 0x300000081 },
	{ 0x390, 0x200000001, 0x38e, 0x100000080 },
	{ 0x391, 1, 0x391, 0 },
	/* Counters 0 and 7, fixed 0 and 1 have got events above. */
	{ 0x38f, 0, 0x392, 0x300000081 },
	{ 0x3f1, 0x1, 0x3f1, 0x1 },
	{ 0x3f2, 0xf, 0x3f2, 0xf },
	{ 0x600, 0x7fff00001000, 0x600, 0x7fff00001000 },
	{ 0xc0010003, 0x430076, 0xc0010206, 0x430076 },
	{ 0xc001020a, 0x4300c1, 0xc001020a, 0x4300c1 },
	{ 0xc0010204, 0x123, 0xc0010002, 0x123 },
	{ 0xc0010004, ~0ull, 0xc0010201, ALL_48 },
	{ 0xc001020b, 0x55, 0xc001020b, 0x55 },
	{ 0xc0000301, 0x3f, 0xc0000301, 0x3f },
	{ 0xc0000303, 0x21, 0xc0000300, 0x21 },
	{ 0xc0000302, 0x20, 0xc0000300, 0x01 },
};

/* Writes that must raise #GP: read-only registers, reserved bits. */
static const struct {
	uint32_t msr;
	uint64_t value;
} refused[] = {
	{ 0x345, 0 },	       { 0x38e, 0 },	      { 0x392, 0 },
	{ 0x186, 1ull << 32 }, { 0x4c1, ALL_48 + 1 }, { 0x38f, 1ull << 63 },
	{ 0xc0000300, 0x3f },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A fault ends the payload. */
static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return low | (uint64_t)high << 32;
}

void selftest_pmu_msrs(void)
{
	uint32_t i;

	for (i = 0; i < COUNT(kept); i++) {
		selftest_expect(0x1000 + i, try_wrmsr(kept[i].written, kept[i].value), 1);
		selftest_expect(0x2000 + i, read_msr(kept[i].read), kept[i].expected);
	}
	for (i = 0; i < COUNT(refused); i++)
		selftest_expect(0x3000 + i, try_wrmsr(refused[i].msr, refused[i].value),
				0);
	/* Full-width writes are reported; the refused write changed nothing. */
	selftest_expect(0x4000, read_msr(0x345), 1ull << 13);
	selftest_expect(0x4001, read_msr(0x186), 0x4300c0);
}
