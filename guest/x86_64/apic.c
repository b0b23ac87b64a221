/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-up of the local APIC. */
#include "guest/x86_64/machine.h"
#include "guest/x86_64/apic.h"

#define MSR_APIC_BASE	   0x1b
#define APIC_BASE_X2	   0x400
#define APIC_ENABLED	   0x100 /* in the spurious-vector register */
#define CPUID_X2APIC	   (1u << 21)
#define CPUID_TSC_DEADLINE (1u << 24)

/* A spurious interrupt needs no EOI. */
static MACHINE_INTERRUPT void on_spurious(struct machine_frame *frame)
{
	(void)frame;
}

void apic_enable(void)
{
	machine_handler(APIC_SPURIOUS_VECTOR, on_spurious);
	apic_write(APIC_SPURIOUS, APIC_ENABLED | APIC_SPURIOUS_VECTOR);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT0, APIC_LVT_EXTINT);
	apic_write(APIC_TPR, 0);
}

bool apic_enable_x2(void)
{
	uint32_t low, high;

	if (!(cpuid(1, 0).ecx & CPUID_X2APIC))
		return false;
	apic_enable();
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
	apic_wrmsr(MSR_APIC_BASE, (uint64_t)high << 32 | low | APIC_BASE_X2);
	return true;
}

bool apic_enable_tsc_deadline(uint8_t vector)
{
	if (!(cpuid(1, 0).ecx & CPUID_TSC_DEADLINE))
		return false;
	apic_enable();
	apic_write(APIC_LVT_TIMER, APIC_LVT_TSC_DEADLINE | vector);
	/* The mode must be set before the first deadline (SDM 3A, 11.5.4.1). */
	__asm__ volatile("mfence" ::: "memory");
	return true;
}
