/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of `selftest pmu`: valid bits by CPUID, and the reasons of failures. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "bench/pmu.h"
#include "guest/x86_64/pmc_choose.h"
#include "host/measure/measure.h"

/* A core of 4 general and 3 fixed counters, version 4, without further features. */
static const struct pmu_bits_cpuid plain = { .pmu_eax = 0x07300404, .pmu_edx = 0x8603 };

Test(pmu_bits, plain)
{
	const struct pmu_bits b = pmu_bits(&plain);

	cr_expect_eq(b.select, 0xffdfffff);
	cr_expect_eq(b.select_2, 0);
	cr_expect_eq(b.fixed, 0xbbb);
	cr_expect_eq(b.global, 0x70000000f);
	cr_expect_eq(b.status & 0x037fffffffffffff, 0x70000000f);
	cr_expect_eq(b.fixed_counters, 7);
	cr_expect(not(b.any_thread));
}

Test(pmu_bits, any_thread)
{
	struct pmu_bits_cpuid id = plain;
	struct pmu_bits b;

	id.pmu_edx &= ~0x8000u;
	b = pmu_bits(&id);
	cr_expect(b.any_thread);
	cr_expect_eq(b.select, 0xffffffff);
	cr_expect_eq(b.fixed, 0xfff);
	/* Version 2 has no such bits. */
	id.pmu_eax = 0x07300402;
	b = pmu_bits(&id);
	cr_expect_eq(b.fixed, 0xbbb);
}

/* Either of HLE and RTM has IN_TX; IN_TXCP is of counter 2. */
Test(pmu_bits, transactions)
{
	struct pmu_bits_cpuid id = plain;

	for (unsigned int bit = 4; bit <= 11; bit += 7) {
		id.features_ebx = 1u << bit;
		cr_expect_eq(pmu_bits(&id).select, 0x1ffdfffff);
		cr_expect_eq(pmu_bits(&id).select_2, 0x200000000);
	}
}

Test(pmu_bits, capabilities)
{
	struct pmu_bits_cpuid id = plain;

	id.capabilities = PEBS_BASELINE;
	cr_expect_eq(pmu_bits(&id).select, 0x4ffdfffff);
	cr_expect_eq(pmu_bits(&id).fixed, 0x11100000bbb);
	cr_expect_eq(pmu_bits(&id).global, 0x70000000f);
	id.capabilities = PERF_METRICS;
	cr_expect_eq(pmu_bits(&id).select, 0xffdfffff);
	cr_expect_eq(pmu_bits(&id).global, 0x100070000000f);
	cr_expect(pmu_bits(&id).status >> 48 & 1);
}

/* UMASK2, EQ, RDPMC_USR_DISABLE; fixed counters 0, 1 and 4. */
Test(pmu_bits, extended)
{
	struct pmu_bits_cpuid id = plain;

	id.extended_ebx = 1;
	cr_expect_eq(pmu_bits(&id).select, 0xff00ffdfffff);
	id.extended_ebx = 2;
	cr_expect_eq(pmu_bits(&id).select, 0x10ffdfffff);
	id.extended_ebx = 4;
	cr_expect_eq(pmu_bits(&id).select, 0x20ffdfffff);
	cr_expect_eq(pmu_bits(&id).fixed, 0x22200000bbb);
	id = (struct pmu_bits_cpuid){ .pmu_eax = 0x07300405,
				      .pmu_ecx = 0x13,
				      .pmu_edx = 0x8602 };
	cr_expect_eq(pmu_bits(&id).fixed_counters, 0x13);
	cr_expect_eq(pmu_bits(&id).fixed, 0xb00bb);
	cr_expect_eq(pmu_bits(&id).global, 0x130000000f);
}

static void expect_reason(enum pmu_relation relation, uint64_t about, uint64_t found,
			  uint64_t other, const char *expected)
{
	char text[200];

	measure_pmu_reason(PMU_RESULT(PMU_FAIL, relation, about), found, other, text,
			   sizeof(text));
	cr_expect_str_eq(text, expected);
}

Test(pmu_reason, names_what_was_compared_and_how)
{
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_GENERAL, 7, 0), 2000, 2001,
		      "general counter 7: found 2000, expected = 2001");
	expect_reason(PMU_AT_LEAST, PMU_ABOUT(PMU_FIXED, 3, 0), 5, 99000,
		      "fixed counter 3: found 5, expected >= 99000");
	expect_reason(PMU_AT_MOST, PMU_ABOUT(PMU_GENERAL, 0, 0), 60000, 50000,
		      "general counter 0: found 60000, expected <= 50000");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_AT_CPL, 1, 3), 0, 2001,
		      "general counter 1 at CPL 3: found 0, expected = 2001");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_SUM, 1, 2), 9, 8,
		      "general counters 1 and 2 together: found 9, expected = 8");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_IN_GUEST, 3, 0), 0, 2001,
		      "general counter 3 in a nested guest: found 0, expected = 2001");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_INTERRUPTS, 0, 0), 2, 1,
		      "interrupts: found 2, expected = 1");
}

Test(pmu_reason, registers_are_hexadecimal_and_accesses_say_their_values)
{
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_MSR, 0x38e, 0), 3ull << 32, 1,
		      "MSR 0x38e: found 0x300000000, expected = 0x1");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_MSR_IN_PMI, 0x38e, 0), 0, 1,
		      "MSR 0x38e in the interrupt's handler: found 0x0, expected = 0x1");
	expect_reason(
		PMU_EQUAL, PMU_ABOUT(PMU_APIC_IN_PMI, 0x340, 0), 0x41, 0x10041,
		"APIC register 0x340 in the interrupt's handler: found 0x41, expected = 0x10041");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_VMCS, 0x4402, 0), 18, 0x80000021,
		      "VMCS field 0x4402: found 0x12, expected = 0x80000021");
	expect_reason(PMU_AT_LEAST, PMU_ABOUT(PMU_TIMER, 0, 0), 3, 21,
		      "ticks of the preemption timer: found 3, expected >= 21");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_EXIT, 0, 0), 0x81, 0x6f,
		      "exit of a nested guest: found 0x81, expected = 0x6f");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_WRMSR, 0x1d9, 0), 0, 1,
		      "WRMSR of 0x1d9 (1: done, 0: #GP): found 0, expected = 1");
	expect_reason(
		PMU_EQUAL, PMU_ABOUT(PMU_WRMSR_BIT, 0x186, 63), 1, 0,
		"WRMSR of 0x186 with bit 63 (1: done, 0: #GP): found 1, expected = 0");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_RDMSR, 0xc9, 0), 1, 0,
		      "RDMSR of 0xc9 (1: done, 0: #GP): found 1, expected = 0");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_RDPMC, 0x40000004, 0), 1, 0,
		      "RDPMC of 0x40000004 (1: done, 0: #GP): found 1, expected = 0");
	expect_reason(PMU_EQUAL, PMU_ABOUT(PMU_RDPMC_VALUE, 0x40000000, 0), 0x10, 0x11,
		      "RDPMC of 0x40000000: found 0x10, expected = 0x11");
	expect_reason(
		PMU_EQUAL, PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 1), 0, 1,
		"RDPMC at CPL 3 with CR4.PCE 1 (1: done, 0: #GP): found 0, expected = 1");
}
