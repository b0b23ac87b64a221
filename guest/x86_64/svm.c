/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that VMRUN enters (AMD APM vol. 2, chapter 15 and appendix B). The guest shares
 * memory, page tables and IDT.
 */
#include "guest/x86_64/svm.h"

#include <stddef.h>

#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

#define CPUID_SVM	     (1u << 2) /* leaf 0x80000001 ECX */
#define CPUID_SVM_NPT	     (1u << 0) /* leaf 0x8000000a EDX */
#define CPUID_EXTENDED_SVM   0x8000000a
#define CPUID_EXTENDED_FIRST 0x80000001

#define STACK_BYTES 4096

struct svm_vmcb svm_vmcb __attribute__((aligned(4096)));
uint8_t svm_host_state[4096] __attribute__((aligned(4096)));
static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));

/*
 * enter(VMCB, function): VMRUN saves RAX and RSP only. The guest begins at svm_begin and
 * calls the function; VMMCALL is its end.
 */
void svm_vmrun(struct svm_vmcb *vmcb, void (*function)(void));
extern const char svm_begin[];
__asm__(".pushsection .text\n"
	".globl svm_vmrun, svm_begin\n"
	"svm_vmrun:\n\t"
	"push %rbx\n\t"
	"push %rbp\n\t"
	"push %r12\n\t"
	"push %r13\n\t"
	"push %r14\n\t"
	"push %r15\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rsi, %rbx\n\t"
	"clgi\n\t"
	"vmrun %rax\n\t"
	"stgi\n\t"
	"pop %r15\n\t"
	"pop %r14\n\t"
	"pop %r13\n\t"
	"pop %r12\n\t"
	"pop %rbp\n\t"
	"pop %rbx\n\t"
	"ret\n"
	"svm_begin:\n\t"
	"call *%rbx\n\t"
	"vmmcall\n\t"
	"ud2\n"
	".popsection\n");

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Freestanding code provides it: clang clears the structure in svm_prepare() by a call.
 */
void *memset(void *to, int byte, size_t bytes);
void *memset(void *to, int byte, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

bool svm_is_present(void)
{
	return cpuid_has_leaf(CPUID_EXTENDED_SVM) &&
	       cpuid(CPUID_EXTENDED_FIRST, 0).ecx & CPUID_SVM;
}

bool svm_has_nested_paging(void)
{
	return cpuid(CPUID_EXTENDED_SVM, 0).edx & CPUID_SVM_NPT;
}

bool svm_enable(void)
{
	uint64_t efer;

	return try_rdmsr(MSR_EFER, &efer) && try_wrmsr(MSR_EFER, efer | EFER_SVME) &&
	       try_wrmsr(MSR_HSAVE_PA, (uint64_t)svm_host_state);
}

void svm_prepare(void)
{
	struct pointer gdtr, idtr;
	uint64_t cr0, cr3, cr4, efer;

	try_rdmsr(MSR_EFER, &efer);
	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	svm_vmcb = (struct svm_vmcb){
		.intercepts = { 0, INTERCEPT_VMRUN | INTERCEPT_VMMCALL },
		.asid = 1,
		.cs = { .selector = 8, .attributes = 0xa9b, .limit = ~0u },
		.ss = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.ds = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.es = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.gdtr = { .limit = gdtr.limit, .base = gdtr.base },
		.idtr = { .limit = idtr.limit, .base = idtr.base },
		.efer = efer,
		.cr0 = cr0,
		.cr3 = cr3,
		.cr4 = cr4,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.rflags = 2,
		.pat = 0x0007040600070406,
	};
}

void svm_enter(void (*function)(void))
{
	svm_vmcb.rip = (uint64_t)svm_begin;
	svm_vmcb.rsp = (uint64_t)stack + STACK_BYTES;
	svm_vmrun(&svm_vmcb, function);
}
