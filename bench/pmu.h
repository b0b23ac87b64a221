/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of bench/pmu.def and bench/accuracy.def, their rows as values for the host,
 * and the parameters of their payloads (pmu_map and pmu_accuracy in bench/ARCH/pmu.c).
 */
#ifndef WS_BENCH_PMU_H
#define WS_BENCH_PMU_H

#include <stddef.h>
#include <stdint.h>

/* abi_params.operand: an MSR's number; the fields of an MRS or MSR instruction. */
#define PMU_MSR(number) (number)
#define PMU_SYSREG(op1, crn, crm, op2)                                                   \
	((uint32_t)(op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

/* The register of an array whose first register is `operand`. */
enum pmu_index {
	PMU_ONE,
	/*
	 * The last general counter that the guest sees. If the guest sees none: the 8th
	 * on x86_64, the last one of KVM's vPMU; the first on aarch64, because the
	 * machine may have only that one.
	 */
	PMU_LAST_GENERAL,
	PMU_LAST_FIXED, /* if the guest sees none: the third */
};

enum pmu_write {
	PMU_KEEP, /* the value read before */
	PMU_ZERO,
};

/* abi_params.command. */
#define PMU_COMMAND(is_write, index, write)                                              \
	((uint32_t)(is_write) | (uint32_t)(index) << 8 | (uint32_t)(write) << 16)
#define PMU_COMMAND_IS_WRITE(command) ((command)&0xffu)
#define PMU_COMMAND_INDEX(command)    ((enum pmu_index)((command) >> 8 & 0xffu))
#define PMU_COMMAND_WRITE(command)    ((enum pmu_write)((command) >> 16 & 0xffu))

struct pmu_register {
	const char *name, *what;
	unsigned int archs;
	uint32_t operand;
	enum pmu_index index;
	enum pmu_write write;
	/* Its rows of the catalogue; NULL where it cannot be read or written. */
	const char *read_row, *write_row;
};

/* Ends with a row whose name is NULL. Defined in catalogue.c. */
extern const struct pmu_register pmu_table[];

/*
 * The registers that describe a PMU, by the manuals' names. The payload
 * guest/ARCH/pmu_readings.c reads them in the guest: the series are in this order, EVENT
 * the value, TWIN 1 if the read raised an exception. The last one of each list is a
 * capability of KVM, which the guest cannot read.
 */
#define PMU_READINGS_X86_64(R)                                                           \
	R(PMU_CPUID_0_EBX, "CPUID.0:EBX")                                                \
	R(PMU_CPUID_1_ECX, "CPUID.1:ECX")                                                \
	R(PMU_CPUID_A_EAX, "CPUID.0AH:EAX")                                              \
	R(PMU_CPUID_A_EBX, "CPUID.0AH:EBX")                                              \
	R(PMU_CPUID_A_ECX, "CPUID.0AH:ECX")                                              \
	R(PMU_CPUID_A_EDX, "CPUID.0AH:EDX")                                              \
	R(PMU_CPUID_80000001_ECX, "CPUID.80000001H:ECX")                                 \
	R(PMU_CPUID_80000022_EAX, "CPUID.80000022H:EAX")                                 \
	R(PMU_CPUID_80000022_EBX, "CPUID.80000022H:EBX")                                 \
	R(PMU_PERF_CAPABILITIES, "IA32_PERF_CAPABILITIES")                               \
	R(PMU_KVM_CAPABILITY, "KVM_CAP_PMU_CAPABILITY")

#define PMU_READINGS_AARCH64(R)                                                          \
	R(PMU_ID_AA64DFR0, "ID_AA64DFR0_EL1")                                            \
	R(PMU_PMCR, "PMCR_EL0")                                                          \
	R(PMU_PMCEID0, "PMCEID0_EL0")                                                    \
	R(PMU_PMCEID1, "PMCEID1_EL0")                                                    \
	R(PMU_PMMIR, "PMMIR_EL1")                                                        \
	R(PMU_KVM_ARM_PMU_V3, "KVM_CAP_ARM_PMU_V3")

#define PMU_READING_ID(id, name) id,
enum pmu_reading_x86_64 { PMU_READINGS_X86_64(PMU_READING_ID) PMU_READINGS_ON_X86_64 };
enum pmu_reading_aarch64 { PMU_READINGS_AARCH64(PMU_READING_ID) PMU_READINGS_ON_AARCH64 };
#undef PMU_READING_ID

#define PMU_READINGS_MAX 16
_Static_assert(PMU_READINGS_ON_X86_64 <= PMU_READINGS_MAX, "the readings fit");
_Static_assert(PMU_READINGS_ON_AARCH64 <= PMU_READINGS_MAX, "the readings fit");

/* By enum arch; each list ends with NULL. Defined in catalogue.c. */
extern const char *const pmu_reading_names[][PMU_READINGS_MAX + 1];

/*
 * The tests of bench/pmu_tests.def: indices of the payload's series. EVENT has an enum
 * pmu_verdict and, from bit 8 on, the number of the counter or MSR; TWIN has the found
 * value, NULL the expected one.
 */
#define PMU_TEST(id, text) PMU_TEST_##id,
enum pmu_test {
#include "bench/pmu_tests.def"
	PMU_TESTS
};
#undef PMU_TEST

enum pmu_verdict {
	PMU_NOT_RUN,
	PMU_PASS,
	PMU_FAIL,
	PMU_ABSENT, /* CPUID does not report what is tested */
};

/* By enum pmu_test. Defined in catalogue.c. */
extern const char *const pmu_test_texts[PMU_TESTS];

/* abi_params.operand of pmu_accuracy: the counted event and the sequence. */
enum accuracy_subject {
	ACCURACY_CYCLES,
	ACCURACY_CYCLES_EVENT, /* aarch64 */
	ACCURACY_CYCLES_FIXED, /* x86_64 */
	ACCURACY_INSNS,
	ACCURACY_INSNS_FIXED, /* x86_64 */
	ACCURACY_INSNS_EXITS,
	ACCURACY_INSNS_EMULATED, /* aarch64 */
	ACCURACY_BRANCHES,
	ACCURACY_LOADS, /* aarch64, and those below */
	ACCURACY_STORES,
	ACCURACY_EXCEPTIONS,
	ACCURACY_SW_INCR,
};

struct accuracy_row {
	const char *id; /* of the catalogue */
	enum accuracy_subject subject;
};

/* Ends with a row whose id is NULL. Defined in catalogue.c. */
extern const struct accuracy_row accuracy_table[];

#endif
