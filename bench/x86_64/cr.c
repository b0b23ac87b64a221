/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control and debug registers, XCR0, INVLPG. */
#include "bench/body.h"
#include "guest/x86_64/machine.h"

/*
 * CR0.WP toggled, as guests do around writes to read-only pages. SVM intercepts such
 * writes selectively; VMX owns the bit, or passes it through since Linux 6.4 with EPT.
 * The read of CR0 does not exit with nested paging.
 */
BODY_PAIR(cr0_wp,
	  "mov %%cr0, %%rax\n\t"
	  "xor $0x10000, %%eax",
	  "mov %%rax, %%cr0", ::
		  : "rax", "cc", "memory")
BODY_ROW(cr0_wp);

/*
 * CR4.PGE toggled, the old way to flush the whole TLB. VMX with EPT passes the bit
 * through; SVM intercepts every write of CR4 and every read, so the payload keeps the
 * value in memory.
 */
#define CR4_PGE 0x80

static uint64_t cr4, cr4_of_twin;

BODY bool cr4_pge_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4_of_twin = cr4;
	return true;
}

#define CR4_TOGGLE                                                                       \
	"mov %0, %%rax\n\t"                                                              \
	"xor %1, %%rax\n\t"                                                              \
	"mov %%rax, %0\n\t"

BODY void cr4_pge_event(void)
{
	__asm__ volatile(CR4_TOGGLE "mov %%rax, %%cr4"
			 : "+m"(cr4)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

BODY void cr4_pge_twin(void)
{
	__asm__ volatile(CR4_TOGGLE "nop"
			 : "+m"(cr4_of_twin)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

BODY_ROW(cr4_pge, .setup = cr4_pge_setup);

/*
 * CR3 written with its own value: flushes the non-global TLB entries. Exits only under
 * shadow paging.
 */
static uint64_t cr3;

BODY bool cr3_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	return true;
}

BODY_PAIR(cr3, "mov %0, %%rax", "mov %%rax, %%cr3", ::"m"(cr3) : "rax", "memory")
BODY_ROW(cr3, .setup = cr3_setup);

/* CR8, the task priority: from the TPR shadow (VMX) or V_TPR (SVM) where present. */
BODY_PAIR(cr8_read, "", "mov %%cr8, %%rax", ::: "rax", "memory")
BODY_ROW(cr8_read);

/* CR8 written with 0: no interrupt waits below that priority. */
BODY_PAIR(cr8_write, "xor %%eax, %%eax", "mov %%rax, %%cr8", ::: "rax", "cc", "memory")
BODY_ROW(cr8_write);

/*
 * DR7. KVM intercepts the first access to a debug register after any other exit, loads
 * all debug registers, and passes further accesses through until the next exit: hence the
 * exit to user space before each event.
 */
BODY_PAIR(dr7, "mov $0x400, %%eax", "mov %%rax, %%dr7", ::: "rax", "memory")
BODY_ROW(dr7, .reload = true);

/* XSETBV of the smallest XCR0, x87 alone: always exits on VMX, and under KVM on SVM. */
#define CPUID_XSAVE (1u << 26)
#define CR4_OSXSAVE (1u << 18)

BODY bool xsetbv_setup(const struct abi_params *params)
{
	(void)params;
	if (!(cpuid(1, 0).ecx & CPUID_XSAVE))
		return false;
	__asm__ volatile("mov %%cr4, %%rax\n\t"
			 "or %0, %%rax\n\t"
			 "mov %%rax, %%cr4" ::"i"(CR4_OSXSAVE)
			 : "rax", "cc", "memory");
	return true;
}

BODY_PAIR(xsetbv,
	  "xor %%ecx, %%ecx\n\t"
	  "xor %%edx, %%edx\n\t"
	  "mov $1, %%eax",
	  "xsetbv", ::
		  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(xsetbv, .setup = xsetbv_setup);

/* INVLPG of a mapped page: exits only under shadow paging. */
BODY_PAIR(invlpg, "mov %0, %%eax", "invlpg (%%rax)", ::"i"(ABI_IMAGE_OFFSET)
	  : "rax", "memory")
BODY_ROW(invlpg);
