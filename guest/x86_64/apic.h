/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC, with its registers in a page of memory (xAPIC) or in MSRs (x2APIC):
 * Intel SDM 3A, chapter 11.
 */
#ifndef WS_GUEST_X86_64_APIC_H
#define WS_GUEST_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define APIC_GPA 0xfee00000

/* Offsets into the page. */
#define APIC_VERSION	   0x30
#define APIC_TPR	   0x80
#define APIC_EOI	   0xb0
#define APIC_SPURIOUS	   0xf0
#define APIC_ISR	   0x100 /* 32 vectors each 0x10 bytes */
#define APIC_ICR	   0x300
#define APIC_ICR_HIGH	   0x310
#define APIC_LVT_TIMER	   0x320
#define APIC_LVT_PMC	   0x340
#define APIC_LVT_LINT0	   0x350
#define APIC_TIMER_INITIAL 0x380

/* MSRs of x2APIC mode. */
#define X2APIC_ID	0x802
#define X2APIC_TPR	0x808
#define X2APIC_EOI	0x80b
#define X2APIC_ICR	0x830
#define X2APIC_SELF_IPI 0x83f

#define APIC_ICR_FIXED	      0x4000 /* fixed delivery, asserted */
#define APIC_ICR_SELF	      0x40000
#define APIC_LVT_MASKED	      0x10000
#define APIC_LVT_TSC_DEADLINE 0x40000
#define APIC_LVT_EXTINT	      0x700

/* A vector whose priority class (the upper four bits) is above the lowest. */
#define APIC_VECTOR	     0x41
#define APIC_SPURIOUS_VECTOR 0xff

/* For functions that interrupt handlers call: clang requires the attribute. */
#define APIC_IN_HANDLER __attribute__((no_caller_saved_registers))

APIC_IN_HANDLER static inline void apic_write(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(uint64_t)(APIC_GPA + offset) = value;
}

static inline uint32_t apic_read(uint32_t offset)
{
	return *(volatile uint32_t *)(uint64_t)(APIC_GPA + offset);
}

APIC_IN_HANDLER static inline void apic_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

/* This CPU's number, the upper half of an ICR's value, in x2APIC mode. */
static inline uint32_t apic_x2_id(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(X2APIC_ID));
	return low;
}

/* Some instructions with interrupts enabled. */
static inline void apic_take_interrupts(void)
{
	__asm__ volatile("sti\n\t"
			 ".rept 64\n\t"
			 "nop\n\t"
			 ".endr\n\t"
			 "cli" ::
				 : "memory");
}

/* Enables the APIC: all priorities, LINT0 from the PIC, the timer masked. */
void apic_enable(void);

/* apic_enable() and x2APIC mode, in which only the MSRs work. false: no x2APIC. */
bool apic_enable_x2(void);

/* The timer in TSC-deadline mode, with `vector`. false: no TSC-deadline mode. */
bool apic_enable_tsc_deadline(uint8_t vector);

#endif
