/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercall number 0, which KVM does not know: it answers -KVM_ENOSYS at once. */
#define BODY_HAS_SETUP 1
#include "bench/body.h"

/*
 * Intel's VMCALL and AMD's VMMCALL differ in the last byte. KVM would patch the
 * wrong one on the first #UD, and measure the patching; so the vendor is asked
 * first and every copy of the instruction set right before it runs.
 */
#define VMCALL_LAST  0xc1
#define VMMCALL_LAST 0xd9

extern uint8_t *const __patch_start[], *const __patch_end[];

static inline int vendor_is_amd(void)
{
	uint32_t eax = 0, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	/* "Auth" of AuthenticAMD, "Hygo" of HygonGenuine, which is AMD's design */
	return ebx == 0x68747541 || ebx == 0x6f677948;
}

BODY enum body_presence body_setup(const struct abi_params *params)
{
	uint8_t *const *insn;

	(void)params;
	for (insn = __patch_start; insn < __patch_end; insn++)
		(*insn)[2] = vendor_is_amd() ? VMMCALL_LAST : VMCALL_LAST;
	return BODY_PRESENT;
}

BODY void body(void)
{
	__asm__ volatile("xor %%eax, %%eax\n\t"
			 "1: .byte 0x0f, 0x01, 0xc1\n\t"
			 ".pushsection .patch, \"a\"\n\t"
			 ".quad 1b\n\t"
			 ".popsection" ::
				 : "rax", "cc", "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("xor %%eax, %%eax\n\t"
			 "nop" ::
				 : "rax", "cc", "memory");
}
