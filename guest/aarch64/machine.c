/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arm64 machine of a payload: exceptions, PMU, the doorbell, the power-off. */
#include "guest/aarch64/machine.h"
#include "guest/runtime.h"

/* The registers that boot.S saves before it calls machine_vector(). */
struct frame {
	uint64_t x[32];
	uint64_t elr, spsr;
};

#define PSCI_SYSTEM_OFF 0x84000008u

/* PMCR_EL0: enable, reset cycle counter, 64-bit cycle counter (Arm ARM, D13.4). */
#define PMCR_E	       (1u << 0)
#define PMCR_C	       (1u << 2)
#define PMCR_LC	       (1u << 6)
#define PMCNTEN_CYCLES (1u << 31)

/*
 * Counts at EL2 as well as EL1 and EL0 (Arm ARM, D13.4). An emulated vPMU never counts
 * EL2; a counter that is passed through to the guest counts the hypervisor.
 */
#define PMCCFILTR_NSH (1ull << 27)

void machine_vector(uint64_t offset, struct frame *frame);
void machine_psci(uint64_t function);

/* Enables, interrupts and overflows are UNKNOWN after reset, and KVM emulates that. */
static void pmu_init(void)
{
	uint64_t enable = PMCNTEN_CYCLES, control = PMCR_E | PMCR_C | PMCR_LC;

	__asm__ volatile("msr pmcntenclr_el0, %3\n\t"
			 "msr pmintenclr_el1, %3\n\t"
			 "msr pmovsclr_el0, %3\n\t"
			 "msr pmccfiltr_el0, %2\n\t"
			 "msr pmcntenset_el0, %0\n\t"
			 "msr pmcr_el0, %1\n\t"
			 "isb" ::"r"(enable),
			 "r"(control), "r"(PMCCFILTR_NSH), "r"(0xffffffffull));
}

void machine_init(const struct abi_params *params)
{
	if (params->flags & ABI_FLAG_PMU)
		pmu_init();
}

void machine_vector(uint64_t offset, struct frame *frame)
{
	struct abi_fault fault = { .vector = offset, .pc = frame->elr };

	__asm__ volatile("mrs %0, esr_el1" : "=r"(fault.syndrome));
	__asm__ volatile("mrs %0, far_el1" : "=r"(fault.address));
	frame->elr = runtime_fault(&fault);
}

void machine_doorbell(uint32_t value)
{
	doorbell_write(value);
}

/* A payload with an EL2 has another (el2.S): there, HVC does not leave the machine. */
__attribute__((weak)) void machine_psci(uint64_t function)
{
	register uint64_t x0 __asm__("x0") = function;

	__asm__ volatile("hvc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
}

/* On a bare machine, QEMU implements PSCI. */
void machine_off(void)
{
	machine_psci(PSCI_SYSTEM_OFF);
	for (;;)
		__asm__ volatile("wfi");
}

void machine_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

void machine_park(void)
{
	for (;;)
		__asm__ volatile("wfi");
}
