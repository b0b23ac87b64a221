/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1) with a guest (L2): the bodies run, and take their
 * time, in L2, where nested_begin() (guest/x86_64/nested.c) has left them. Instructions
 * of L1 are on the page nested_l1.c.
 */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/nested.h"
#include "guest/x86_64/svm.h"
#include "guest/x86_64/vmx.h"

/* id_setup(): L2, and what L1 does with its one exit. */
#define IN_L2(id, ...)                                                                   \
	BODY bool id##_setup(const struct abi_params *params)                            \
	{                                                                                \
		const struct nested_exit exit = { __VA_ARGS__ };                         \
                                                                                         \
		return nested_begin(params, &exit);                                      \
	}

/* CPUID leaf 0: exits from L2 to L0, which passes the exit on to L1. */
IN_L2(nested_cpuid, .svm = EXIT_CPUID, .vmx = REASON_CPUID, .length = 2)
BODY_PAIR(nested_cpuid, "xor %%eax, %%eax", "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(nested_cpuid, .setup = nested_cpuid_setup);

/* L1 also executes what KVM executes around each entry: instructions that may trap. */
IN_L2(nested_cpuid_as_kvm, .svm = EXIT_CPUID, .vmx = REASON_CPUID, .length = 2,
      .action = NESTED_SKIP_AS_KVM)
BODY_PAIR(nested_cpuid_as_kvm, "xor %%eax, %%eax", "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(nested_cpuid_as_kvm, .setup = nested_cpuid_as_kvm_setup);

/* VMMCALL or VMCALL, as the CPU has. */
BODY bool nested_hypercall_setup(const struct abi_params *params)
{
	const struct nested_exit exit = { .svm = EXIT_VMMCALL,
					  .vmx = REASON_VMCALL,
					  .length = 3 };

	machine_patch_vmcalls();
	return nested_begin(params, &exit);
}

BODY_PAIR(nested_hypercall, "xor %%eax, %%eax", MACHINE_VMCALL, ::: "rax", "cc", "memory")
BODY_ROW(nested_hypercall, .setup = nested_hypercall_setup);

/* OUT to the one port that L1 intercepts by its bitmap. */
IN_L2(nested_pio, .svm = EXIT_IO, .vmx = REASON_IO, .length = 1)
BODY_PAIR(nested_pio,
	  "mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "outb %%al, %%dx", ::"i"(ABI_X86_64_PIO_PORT)
	  : "eax", "edx", "cc", "memory")
BODY_ROW(nested_pio, .setup = nested_pio_setup);

/* Load from a page that L1's nested page tables lack: L1 emulates the device. */
IN_L2(nested_mmio, .svm = EXIT_NPF, .vmx = REASON_EPT, .length = 2)
BODY_PAIR(nested_mmio, "mov %0, %%edx", "movl (%%rdx), %%eax", ::"i"(ABI_X86_64_MMIO_GPA)
	  : "eax", "rdx", "memory")
BODY_ROW(nested_mmio, .setup = nested_mmio_setup);

/* RDMSR of the one MSR that L1 intercepts by its bitmap, KERNEL_GS_BASE. */
IN_L2(nested_msr, .svm = EXIT_MSR, .vmx = REASON_RDMSR, .length = 2)
BODY_PAIR(nested_msr, "mov $0xc0000102, %%ecx", "rdmsr", ::
		  : "eax", "ecx", "edx", "memory")
BODY_ROW(nested_msr, .setup = nested_msr_setup);

/*
 * Each body loads from another page of the window (guest/x86_64/nested.h) than the body
 * before. The load of the twin is a NOP.
 */
static uint64_t event_page = ABI_SLOT_GPA, twin_page = ABI_SLOT_GPA;

#define LOAD_FROM(insn, page, next)                                                      \
	__asm__ volatile("mov %0, %%rax\n\t" insn "\n\t" next                            \
			 : "+m"(page)                                                    \
			 : "i"(NESTED_WINDOW_STEP), "i"(NESTED_OTHER_PAGE)               \
			 : "rax", "cc", "memory")

BODY void other_page_event(void)
{
	LOAD_FROM("movl (%%rax), %%eax", event_page, "xorq %2, %0");
}

BODY void other_page_twin(void)
{
	LOAD_FROM("nop", twin_page, "xorq %2, %0");
}

BODY void next_page_event(void)
{
	LOAD_FROM("movl (%%rax), %%eax", event_page, "addq %1, %0");
}

BODY void next_page_twin(void)
{
	LOAD_FROM("nop", twin_page, "addq %1, %0");
}

/* L1's nested page tables lack the page: L1 maps it, L0 merges both levels of tables. */
IN_L2(nested_page_fault, .svm = EXIT_NPF, .vmx = REASON_EPT, .action = NESTED_MAP,
      .window = NESTED_WINDOW_ABSENT)
BODY_ROW_OF(nested_page_fault, .event = other_page_event, .twin = other_page_twin,
	    .setup = nested_page_fault_setup);

/* They have it, the tables that L0 made of both levels do not: L1 does not see the fault.
 */
IN_L2(nested_page_fault_l0, .svm = EXIT_NPF, .vmx = REASON_EPT, .action = NESTED_MAP,
      .window = NESTED_WINDOW_PRESENT)
BODY_ROW_OF(nested_page_fault_l0, .event = next_page_event, .twin = next_page_twin,
	    .setup = nested_page_fault_l0_setup);

/* L1 has no nested paging and intercepts the page faults of L2. */
IN_L2(nested_page_fault_shadow, .svm = EXIT_PF, .vmx = REASON_EXCEPTION,
      .action = NESTED_MAP, .window = NESTED_WINDOW_SHADOW)
BODY_ROW_OF(nested_page_fault_shadow, .event = other_page_event, .twin = other_page_twin,
	    .setup = nested_page_fault_shadow_setup);

/*
 * An interrupt of L1 while L2 runs: L2 writes a self-IPI into the xAPIC, which is L1's.
 * L1 takes the interrupt by its own IDT, ends it, and resumes L2.
 */
static MACHINE_INTERRUPT void on_irq(struct machine_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

BODY bool nested_irq_setup(const struct abi_params *params)
{
	const struct nested_exit exit = { .svm = EXIT_INTR,
					  .vmx = REASON_INTERRUPT,
					  .action = NESTED_IRQ };

	machine_handler(APIC_VECTOR, on_irq);
	apic_enable();
	return nested_begin(params, &exit);
}

BODY_PAIR(nested_irq,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(APIC_GPA + APIC_ICR),
	  "i"(APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR)
	  : "rax", "edx", "cc", "memory")
BODY_ROW(nested_irq, .setup = nested_irq_setup);
