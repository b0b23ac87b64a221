/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the PMU's self-test share: the PMU that CPUID describes, its
 * registers, verdicts, code to count, interrupts, and code at other privilege levels.
 */
#ifndef WS_GUEST_X86_64_PMU_TEST_H
#define WS_GUEST_X86_64_PMU_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pmu.h"
#include "guest/x86_64/pmc_choose.h"

#define MSR_A_PMC0	      0x4c1
#define MSR_DEBUGCTL	      0x1d9
#define MSR_PERF_CAPABILITIES 0x345
#define MSR_GLOBAL_STATUS     0x38e
#define MSR_GLOBAL_SET	      0x391
#define MSR_GLOBAL_INUSE      0x392

#define EVTSEL_EDGE	(1ull << 18)
#define EVTSEL_INV	(1ull << 23)
#define EVTSEL_CMASK(n) ((uint64_t)(n) << 24)
#define BOTH		(EVTSEL_OS | EVTSEL_USR | EVTSEL_EN)

#define STATUS_FROZEN	(1ull << 59)
#define DEBUGCTL_FREEZE (1ull << 12)

/* ---- pmu_test_registers.c: the PMU ------------------------------------------------ */

/* What CPUID reports. Counters 0 to n_gp - 1 are general, the fixed ones follow. */
struct pmu {
	enum pmu_vendor vendor;
	uint32_t version, n_gp, n_fixed; /* version: of Intel's */
	uint64_t gp_mask, fixed_mask;
	uint64_t counters; /* all, as in the register that enables them */
	uint64_t capabilities;
	uint64_t cycles, instructions, branches; /* events */
	uint32_t cmask_never; /* more of an event than can occur in a cycle */
	/* MSRs of all counters; 0: none, AMD's before PerfMonV2. */
	uint32_t control, status, clear;
	uint64_t control_at_reset;
};
extern struct pmu pmu;

/* Fills in `pmu`. false: no PMU that the tests are about. */
bool pmu_discover(void);

bool pmu_is_fixed(uint32_t n);
uint32_t pmu_select_msr(uint32_t n); /* of a general counter */
uint64_t pmu_bit(uint32_t n);	     /* in pmu.control, pmu.status and pmu.clear */
uint32_t pmu_counter_msr(uint32_t n);

/* Of Intel's registers. */
struct pmu_bits pmu_valid_bits(void);

/* After #GP, a value that no register has. */
uint64_t pmu_rdmsr(uint32_t msr);

uint64_t pmu_read(uint32_t n);
void pmu_write(uint32_t n, uint64_t value); /* truncated to the counter's width */

/* The event of a general counter; of a fixed one four bits: OS, USR, ANY, INT. */
void pmu_select(uint32_t n, uint64_t event);

/* Counters, as bits: at one instruction, or one after another without pmu.control. */
void pmu_start(uint64_t enabled);
void pmu_stop(void);
void pmu_clear_status(void);

/* Everything off, zero, and without overflows. */
void pmu_reset(void);

/* ---- pmu_test.c: what the current test found -------------------------------------- */

/* `verdict`: without a failure. */
void verdict_begin(enum pmu_test test, enum pmu_verdict verdict);

/* `about`: PMU_ABOUT(). The first comparison that fails is the reason. */
void verdict_equal(uint64_t about, uint64_t got, uint64_t expected);
void verdict_at_least(uint64_t about, uint64_t got, uint64_t least);
void verdict_at_most(uint64_t about, uint64_t got, uint64_t most);
void verdict_between(uint64_t about, uint64_t got, uint64_t least, uint64_t most);

/* What the test is about is not on this CPU. Returns `condition`. */
bool verdict_absent(bool condition);

/* WRMSR: done, or #GP. */
void verdict_writes(uint32_t msr, uint64_t value, bool done);

/* RDMSR of the MSR: the value. */
void verdict_msr(uint32_t msr, uint64_t expected);

/* The overflow flags, if there is a register of them. */
void verdict_status(uint64_t expected);

/* PMU_ABOUT() of a counter. */
uint64_t about_counter(uint32_t n);

/* ---- pmu_test_counting.c: what is counted ----------------------------------------- */

void code_nothing(void);
void code_loop(void); /* LOOP_CODE */

/* Runs `function` while the counters in `enabled`, as bits, count. */
void pmu_run(uint64_t enabled, void (*function)(void));

/* The count of `function` and of the switching on and off. */
uint64_t pmu_count(uint32_t n, void (*function)(void));

/* ---- pmu_test_overflow.c ---------------------------------------------------------- */

void interrupts_init(void);

/* What the overflow interrupt's handler found. */
struct pmi {
	uint32_t count, lvt;
	uint64_t status;
};
extern volatile struct pmi pmi;

/* Counter 0 overflows twice, with these bits of its event, and interrupts are enabled. */
void pmi_overflow_with(uint64_t event);

/* Sleeps until the APIC's timer has expired, after HALT_TICKS. */
#define HALT_TICKS 100000
void interrupts_halt(void);

/* ---- pmu_test_access.c ------------------------------------------------------------ */

/* A GDT with code of all privilege levels, a TSS, and RAM for CPL 3. */
void rings_init(void);

/* Runs `function` at a CPL of 1 to 3. It may raise exceptions of RUNTIME_FIXUP(). */
void ring_call(unsigned int cpl, void (*function)(void));

/* ---- the tests -------------------------------------------------------------------- */

#define PMU_TEST(vendor, id, text) void pmu_test_##id(void);
#include "bench/pmu_tests.def"
#undef PMU_TEST

#endif
