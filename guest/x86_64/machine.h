/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The doorbell of a PC, handlers of interrupts, and CPUID. */
#ifndef WS_GUEST_X86_64_MACHINE_H
#define WS_GUEST_X86_64_MACHINE_H

#include <stdint.h>

#include "bench/abi.h"

/* `value` is made by ABI_DOORBELL(). */
static inline __attribute__((always_inline)) void doorbell_write(uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value),
			 "d"((uint16_t)ABI_X86_64_DOORBELL_PORT)
			 : "memory");
}

/* The frame that the CPU pushes (Intel SDM 3A, figure 6-9). */
struct machine_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * The IDT points to the handler itself: the compiler saves the registers that the handler
 * uses, and ends it with IRETQ:
 * `static MACHINE_INTERRUPT void on_ipi(struct machine_frame *frame)`.
 */
#define MACHINE_INTERRUPT __attribute__((interrupt))
typedef void machine_interrupt(struct machine_frame *frame);

/* In the handler of a row with COUNTS_DELIVERIES: one instruction, no register. */
#define MACHINE_DELIVERED() __asm__ volatile("incq %0" : "+m"(runtime_deliveries)::"cc")

/* Before interrupts are enabled. Only for vectors without an error code. */
void machine_handler(uint8_t vector, machine_interrupt *handler);

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* A leaf above the last one returns data of the last one (Intel) or zero (AMD). */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c = { .eax = leaf, .ecx = subleaf };

	__asm__ volatile("cpuid" : "+a"(c.eax), "=b"(c.ebx), "+c"(c.ecx), "=d"(c.edx));
	return c;
}

static inline int cpuid_has_leaf(uint32_t leaf)
{
	return cpuid(leaf & 0xf0000000, 0).eax >= leaf;
}

/*
 * RDMSR and WRMSRNS with the MSR as an immediate operand, and RDX, as bytes:
 * binutils 2.40 does not know them. Intel SDM 2B.
 */
#define MACHINE_RDMSR_IMM(msr)	 ".byte 0xc4, 0xe7, 0x7b, 0xf6, 0xc2\n\t.long " msr
#define MACHINE_WRMSRNS_IMM(msr) ".byte 0xc4, 0xe7, 0x7a, 0xf6, 0xc2\n\t.long " msr

static inline int cpuid_has_msr_imm(void)
{
	return cpuid_has_leaf(7) && cpuid(7, 0).eax >= 1 && cpuid(7, 1).ecx & 1u << 5;
}

/*
 * A hypercall: Intel's VMCALL and AMD's VMMCALL differ in the last byte. KVM would patch
 * the wrong instruction at the first #UD, and a row would measure the patching.
 * machine_patch_vmcalls(), in a row's set-up, writes the vendor's byte into each copy.
 */
#define MACHINE_VMCALL                                                                   \
	"1: .byte 0x0f, 0x01, 0xc1\n\t"                                                  \
	".pushsection .patch, \"a\"\n\t"                                                 \
	".quad 1b\n\t"                                                                   \
	".popsection"
#define VMCALL_LAST  0xc1
#define VMMCALL_LAST 0xd9

extern uint8_t *const __patch_start[], *const __patch_end[];

static inline void machine_patch_vmcalls(void)
{
	const uint32_t vendor = cpuid(0, 0).ebx;
	uint8_t *const *insn;

	/* "Auth" of AuthenticAMD; "Hygo" of HygonGenuine, AMD's design */
	for (insn = __patch_start; insn < __patch_end; insn++)
		(*insn)[2] = vendor == 0x68747541 || vendor == 0x6f677948 ? VMMCALL_LAST
									  : VMCALL_LAST;
}

#endif
