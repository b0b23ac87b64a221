/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of the decoder of PMU registers, on values composed by hand from the
 * manuals: the machine of the test may lack these registers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "host/measure/measure.h"
#include "host/report/pmu_map.h"
#include "host/vmm/pmu.h"

static struct pmu_values values;

static void set(size_t reading, uint64_t value)
{
	values.known[reading] = true;
	values.value[reading] = value;
}

/* Expects the value of the nth field of that name. */
static void expect_nth(enum arch arch, const char *name, size_t nth, const char *expected)
{
	char text[PMU_TEXT_BYTES];
	size_t i = 0;

	for (; pmu_field_name(arch, i); i++)
		if (!strcmp(pmu_field_name(arch, i), name) && !nth--)
			break;
	cr_assert(pmu_field_name(arch, i) != NULL, "no field %s", name);
	pmu_field_text(arch, i, &values, text);
	cr_expect(eq(str, text, (char *)expected), "%s", name);
}

static void expect(enum arch arch, const char *name, const char *expected)
{
	expect_nth(arch, name, 0, expected);
}

static void expect_events(enum arch arch, const char *expected)
{
	char text[4096] = "";
	const char *name;

	for (size_t i = 0; (name = pmu_event_name(arch, &values, i)); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i ? " " : "", name);
	cr_expect(eq(str, text, (char *)expected));
}

/*
 * Intel SDM 2A, CPUID leaf 0AH: version 5 (EAX[7:0]), 8 counters ([15:8]), 48 bits
 * ([23:16]), 8 bits of EBX ([31:24]), of which LLC misses (4) and topdown slots (7) are
 * missing; 4 fixed counters (EDX[4:0]) of 48 bits ([12:5]), AnyThread deprecated ([15]).
 */
Test(pmu, leaf_a_of_a_version_5)
{
	values = (struct pmu_values){ .known = { false } };
	set(PMU_CPUID_A_EAX, 8 << 24 | 48 << 16 | 8 << 8 | 5);
	set(PMU_CPUID_A_EBX, 1 << 4 | 1 << 7);
	set(PMU_CPUID_A_ECX, 0xf);
	set(PMU_CPUID_A_EDX, 1 << 15 | 48 << 5 | 4);
	expect(ARCH_X86_64, "architectural version", "5");
	expect(ARCH_X86_64, "general counters", "8");
	expect_nth(ARCH_X86_64, "their width, bits", 0, "48");
	expect(ARCH_X86_64, "fixed counters", "4");
	expect_nth(ARCH_X86_64, "their width, bits", 1, "48");
	expect(ARCH_X86_64, "fixed counters, bitmap", "0xf");
	expect(ARCH_X86_64, "AnyThread deprecated", "yes");
	expect_events(ARCH_X86_64, "core cycles instructions retired reference cycles "
				   "LLC references branches retired "
				   "branch mispredicts retired");
}

/* EDX is invalid before version 2. Events beyond the length of EBX do not exist. */
Test(pmu, leaf_a_of_a_version_1)
{
	values = (struct pmu_values){ .known = { false } };
	set(PMU_CPUID_A_EAX, 3 << 24 | 40 << 16 | 2 << 8 | 1);
	set(PMU_CPUID_A_EBX, 1);
	set(PMU_CPUID_A_EDX, 40 << 5 | 3);
	expect(ARCH_X86_64, "general counters", "2");
	expect(ARCH_X86_64, "fixed counters", "0");
	expect_nth(ARCH_X86_64, "their width, bits", 1, "0");
	expect_events(ARCH_X86_64, "instructions retired reference cycles");
}

/*
 * IA32_PERF_CAPABILITIES, SDM 4, table 2-2: each field alone, so that no field can be
 * confused with its neighbour.
 */
Test(pmu, perf_capabilities_field_by_field)
{
	static const struct {
		uint64_t value;
		const char *name, *text;
	} fields[] = {
		{ 0x3f, "LBR format", "63" },
		{ 1 << 6, "PEBS trap", "yes" },
		{ 1 << 7, "PEBS saves registers", "yes" },
		{ 0xf << 8, "PEBS record format", "15" },
		{ 1 << 12, "freeze while SMM", "yes" },
		{ 1 << 13, "full-width writes", "yes" },
		{ 1 << 14, "PEBS baseline", "yes" },
		{ 1 << 15, "performance metrics", "yes" },
		{ 1 << 16, "PEBS output to PT", "yes" },
		{ 1 << 17, "PEBS timing info", "yes" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		values = (struct pmu_values){ .known = { false } };
		set(PMU_PERF_CAPABILITIES, fields[i].value);
		expect(ARCH_X86_64, fields[i].name, fields[i].text);
		set(PMU_PERF_CAPABILITIES, ~fields[i].value);
		expect(ARCH_X86_64, fields[i].name, *fields[i].text == 'y' ? "no" : "0");
	}
}

/* AMD APM 3, appendix E: Fn8000_0022 has the number; without that leaf bit 23 means six.
 */
Test(pmu, amd_counters)
{
	values = (struct pmu_values){ .known = { false } };
	expect(ARCH_X86_64, "AMD core counters", "?");
	set(PMU_CPUID_0_EBX, 0x756e6547); /* "Genu" */
	set(PMU_CPUID_80000001_ECX, 0);
	set(PMU_CPUID_80000022_EAX, 0);
	set(PMU_CPUID_80000022_EBX, 0);
	expect(ARCH_X86_64, "AMD core counters", "0");
	set(PMU_CPUID_0_EBX, 0x68747541); /* "Auth" */
	expect(ARCH_X86_64, "AMD core counters", "4 or none");
	expect(ARCH_X86_64, "AMD PerfCtrExtCore", "no");
	set(PMU_CPUID_80000001_ECX, 1 << 23);
	expect(ARCH_X86_64, "AMD core counters", "6");
	expect(ARCH_X86_64, "AMD PerfCtrExtCore", "yes");
	/* 16 LBR entries ([9:4]) beside 8 counters ([3:0]). */
	set(PMU_CPUID_80000022_EAX, 1);
	set(PMU_CPUID_80000022_EBX, 16 << 4 | 8);
	expect(ARCH_X86_64, "AMD core counters", "8");
	expect(ARCH_X86_64, "AMD PerfMonV2", "yes");
}

/* Arm ARM, ID_AA64DFR0_EL1.PMUVer: bits [11:8]. */
Test(pmu, pmuver)
{
	static const char *const names[16] = {
		"none",		  "PMUv3",	    "reserved",	      "reserved",
		"PMUv3, Armv8.1", "PMUv3, Armv8.4", "PMUv3, Armv8.5", "PMUv3, Armv8.7",
		"PMUv3, Armv8.8", "PMUv3, Armv8.9", "reserved",	      "reserved",
		"reserved",	  "reserved",	    "reserved",	      "not PMUv3",
	};

	for (size_t i = 0; i < 16; i++) {
		values = (struct pmu_values){ .known = { false } };
		set(PMU_ID_AA64DFR0, ~0xf00ull | i << 8);
		expect(ARCH_AARCH64, "PMUVer", names[i]);
	}
}

/* Arm ARM: PMCR_EL0 of a Neoverse N1 with 6 counters; an invented PMMIR_EL1. */
Test(pmu, pmcr_and_pmmir)
{
	values = (struct pmu_values){ .known = { false } };
	set(PMU_PMCR, 0x410c3040);
	expect(ARCH_AARCH64, "event counters (PMCR.N)", "6");
	expect(ARCH_AARCH64, "implementer (PMCR.IMP)", "Arm");
	expect(ARCH_AARCH64, "PMCR.IDCODE", "0xc");
	/* SLOTS 8, BUS_SLOTS 2, BUS_WIDTH 5 (2^4 bytes), THWIDTH 12, EDGE 1 */
	set(PMU_PMMIR, 1 << 24 | 12 << 20 | 5 << 16 | 2 << 8 | 8);
	expect(ARCH_AARCH64, "PMMIR.SLOTS", "8");
	expect(ARCH_AARCH64, "PMMIR.BUS_SLOTS", "2");
	expect(ARCH_AARCH64, "PMMIR.BUS_WIDTH, bytes", "16");
	expect(ARCH_AARCH64, "PMMIR.THWIDTH", "12");
	expect(ARCH_AARCH64, "PMMIR.EDGE", "1");
}

/* PMCEID<n>_EL0[31:0]: events 0x20 n on; [63:32]: events 0x4000 + 0x20 n on. */
Test(pmu, common_events)
{
	values = (struct pmu_values){ .known = { false } };
	set(PMU_PMCEID0, 1ull << 0x11 | 1ull << 0x00 | 1ull << (32 + 0x04));
	cr_expect(not(pmu_events_known(ARCH_AARCH64, &values)));
	set(PMU_PMCEID1, 1ull << 0x01 | 1ull << 0x1f | 1ull << 32);
	cr_expect(pmu_events_known(ARCH_AARCH64, &values));
	expect_events(ARCH_AARCH64, "SW_INCR CPU_CYCLES BR_RETIRED STALL_SLOT CNT_CYCLES "
				    "LDST_ALIGN_LAT");
}

static void put(const char *folder, const char *file, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	f = fopen(path, "w");
	cr_assert(f != NULL, "%s", path);
	fputs(text, f);
	cr_assert(eq(int, fclose(f), 0));
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

/* Fake attributes of drivers/perf/arm_pmuv3.c, where bus_width is in bytes. */
Test(pmu, sysfs)
{
	char root[] = "/tmp/worldswitch-pmu.XXXXXX", folder[512], command[64];
	struct pmu_reading r[PMU_READINGS_MAX] = { { .known = false } };

	cr_assert(mkdtemp(root) != NULL);
	pmu_readings_sysfs(root, r);
	cr_expect(not(r[PMU_PMCEID0].known));
	cr_expect(r[PMU_PMCEID0].note != NULL);
	snprintf(folder, sizeof(folder),
		 "%s/sys/bus/event_source/devices/armv8_pmuv3_0/events", root);
	make_folders(folder);
	put(folder, "cpu_cycles", "event=0x0011\n");
	put(folder, "stall_slot", "event=0x003f\n");
	put(folder, "cnt_cycles", "event=0x4004\n");
	put(folder, "ldst_align_lat", "event=0x4020\n");
	put(folder, "of_the_vendor", "event=0x0100\n");
	pmu_readings_sysfs(root, r);
	cr_expect(r[PMU_PMCEID0].known);
	cr_expect(eq(u64, r[PMU_PMCEID0].value, 1ull << 0x11 | 1ull << 36));
	cr_expect(eq(u64, r[PMU_PMCEID1].value, 1ull << 0x1f | 1ull << 32));
	cr_expect(not(r[PMU_PMMIR].known));
	snprintf(folder, sizeof(folder),
		 "%s/sys/bus/event_source/devices/armv8_pmuv3_0/caps", root);
	make_folders(folder);
	put(folder, "slots", "0x00000008\n");
	put(folder, "bus_slots", "0x00000002\n");
	put(folder, "bus_width", "0x00000010\n");
	pmu_readings_sysfs(root, r);
	cr_expect(r[PMU_PMMIR].known);
	cr_expect(eq(u64, r[PMU_PMMIR].value, 5 << 16 | 2 << 8 | 8));
	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_assert(eq(int, system(command), 0));
}

/* The PMU that the VMM emulates; the self-test pmu-msrs covers it from a guest. */
Test(pmu, emulated_msrs)
{
	struct pmu_msrs m = { .general = { 0 } };
	uint64_t value = 0x80000000;

	cr_expect(pmu_msrs_access(&m, 0xc3, true, &value));
	cr_expect(eq(u64, m.general[2], 0xffff80000000));
	cr_expect(pmu_msrs_access(&m, 0x4c3, false, &value));
	cr_expect(eq(u64, value, 0xffff80000000));
	value = 1ull << 48;
	cr_expect(not(pmu_msrs_access(&m, 0x4c3, true, &value)));
	cr_expect(not(pmu_msrs_access(&m, 0xc9, false, &value)));
	cr_expect(not(pmu_msrs_access(&m, 0xc0, false, &value)));
	cr_expect(not(pmu_msrs_access(&m, 0x30d, false, &value)));
	cr_expect(not(pmu_msrs_access(&m, 0xc001020c, false, &value)));
	value = 7;
	cr_expect(pmu_msrs_access(&m, 0xc0010207, true, &value));
	cr_expect(eq(u64, m.amd_counter[3], 7));
	cr_expect(pmu_msrs_access(&m, 0xc0010007, false, &value));
	cr_expect(eq(u64, value, 7));
}

static void source(struct result *r, const char *who, const char *eax, const char *edx)
{
	struct result_pmu_source *s = result_add_pmu_source(r);
	static const char *const names[] = { "CPUID.0AH:EAX", "CPUID.0AH:EDX",
					     "CPUID.80000022H:EBX" };
	const char *const values_of[] = { eax, edx, "0x0" };

	s->who = who;
	for (size_t i = 0; i < 3; i++) {
		struct result_pmu_register *reg = result_add_pmu_register(r, s);

		reg->name = names[i];
		reg->value = values_of[i];
	}
}

static struct bench rdpmc_under(const char *config, const char *kvm_edx)
{
	struct bench row = { .id = "rdpmc_fixed",
			     .handled_by = HANDLED_VARIES,
			     .exits = 1 };
	struct result *r = result_new();

	/* Ice Lake: version 5, 8 counters of 48 bits, 4 fixed ones. */
	source(r, "host", "0x8300805", "0x8604");
	/* KVM: version 2, the same general counters. */
	source(r, "kvm", kvm_edx ? "0x7300802" : NULL, kvm_edx);
	pmu_expect(&row, &(struct config){ .name = config }, r);
	result_free(r);
	return row;
}

Test(expect, rdpmc_passes_through_with_all_counters_of_the_host)
{
	struct bench row = rdpmc_under("pmu-mediated", "0x604");

	cr_expect(eq(int, row.handled_by, HANDLED_NONE));
	cr_expect(eq(u32, row.exits, 0));
	row = rdpmc_under("pmu-mediated", "0x603");
	cr_expect(eq(int, row.handled_by, HANDLED_KERNEL));
	cr_expect(eq(u32, row.exits, 1));
	row = rdpmc_under("pmu-mediated", "0x584");
	cr_expect(eq(int, row.handled_by, HANDLED_KERNEL), "44 bits are not 48");
	row = rdpmc_under("pmu-mediated", NULL);
	cr_expect(eq(int, row.handled_by, HANDLED_VARIES), "KVM's PMU is not known");
	row = rdpmc_under("pmu-emulated", "0x604");
	cr_expect(eq(int, row.handled_by, HANDLED_VARIES), "another config");
}
