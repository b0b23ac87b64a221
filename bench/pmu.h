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
 * The tests of bench/pmu_tests.def: indices of the payload's series. EVENT has a verdict,
 * and of a failure what it is about and the relation: PMU_RESULT(). TWIN has the found
 * value, NULL the value on the other side of the relation.
 */
#define PMU_TEST(vendor, id, text) PMU_TEST_##vendor##_##id,
enum pmu_test {
#include "bench/pmu_tests.def"
	PMU_TESTS
};
#undef PMU_TEST

enum pmu_vendor {
	PMU_INTEL,
	PMU_AMD,
};

enum pmu_verdict {
	PMU_NOT_RUN,
	PMU_PASS,
	PMU_FAIL,
	PMU_ABSENT, /* CPUID does not report what is tested */
	PMU_OTHER,  /* a test of the other vendor's PMU */
};

/* What a found value is, with its number and a detail. */
enum pmu_subject {
	PMU_GENERAL,	   /* the count of a general counter; number: which */
	PMU_FIXED,	   /* the count of a fixed counter; number: which */
	PMU_AT_CPL,	   /* the same as PMU_GENERAL; detail: the CPL of the code */
	PMU_SUM,	   /* the sum of two general counters: number, detail */
	PMU_MSR,	   /* the value of an MSR; number: which */
	PMU_MSR_IN_PMI,	   /* the same, read by the interrupt's handler */
	PMU_APIC_IN_PMI,   /* the value of an APIC register; number: its offset */
	PMU_INTERRUPTS,	   /* how many interrupts there were */
	PMU_RDPMC_VALUE,   /* what RDPMC read; number: its index */
	PMU_WRMSR,	   /* 1: an access was done, 0: #GP; number: the MSR */
	PMU_WRMSR_BIT,	   /* the same; detail: the only bit that was set */
	PMU_RDMSR,	   /* the same */
	PMU_RDPMC,	   /* the same; number: the index */
	PMU_RDPMC_AT_CPL3, /* the same; detail: CR4.PCE */
	PMU_IN_GUEST,	   /* PMU_GENERAL, of the loop in a guest of the guest */
	PMU_EXIT,	   /* why the guest of the guest exited: the CPU's number */
	PMU_VMCS,	   /* the value of a field of the VMCS; number: which */
	PMU_TIMER,	   /* ticks of the VMX preemption timer */
};

enum pmu_relation {
	PMU_EQUAL,
	PMU_AT_LEAST,
	PMU_AT_MOST,
};

#define PMU_ABOUT(subject, number, detail)                                               \
	((uint64_t)(subject) << 8 | (uint64_t)(detail) << 24 | (uint64_t)(number) << 32)
#define PMU_RESULT(verdict, relation, about)                                             \
	((uint64_t)(verdict) | (uint64_t)(relation) << 16 | (about))
#define PMU_RESULT_VERDICT(result)  ((enum pmu_verdict)((result)&0xff))
#define PMU_RESULT_SUBJECT(result)  ((enum pmu_subject)((result) >> 8 & 0xff))
#define PMU_RESULT_RELATION(result) ((enum pmu_relation)((result) >> 16 & 0xff))
#define PMU_RESULT_DETAIL(result)   ((unsigned int)((result) >> 24 & 0xff))
#define PMU_RESULT_NUMBER(result)   ((unsigned int)((result) >> 32))

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
