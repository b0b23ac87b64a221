/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions of a hypervisor that is a guest (L1): each row stays in L1 and times
 * one of them. CPUs and KVM execute some of them without an exit, and an instruction that
 * fails exits as one that does not: the end of a row looks at what it has changed.
 */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/nested.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/svm.h"
#include "guest/x86_64/vmx.h"

BODY bool svm_setup(const struct abi_params *params)
{
	(void)params;
	return nested_l1_svm();
}

BODY bool vmx_setup(const struct abi_params *params)
{
	(void)params;
	return nested_l1_vmx();
}

/* ---- SVM: RAX is the address of the VMCB ------------------------------------------- */

/* VMLOAD and VMSAVE move this register, among others; the base is in no other place. */
#define MSR_KERNEL_GS_BASE 0xc0000102
#define BASE		   0x575753534757ull

BODY bool vmload_setup(const struct abi_params *params)
{
	if (!svm_setup(params))
		return false;
	svm_vmcb.kernel_gs_base = BASE;
	return true;
}

BODY void vmload_end(void)
{
	uint64_t base;

	must(try_rdmsr(MSR_KERNEL_GS_BASE, &base) && base == BASE);
}

BODY_PAIR(nested_l1_vmload, "mov $svm_vmcb, %%eax", "vmload %%rax", ::: "rax", "memory")
BODY_ROW(nested_l1_vmload, .setup = vmload_setup, .end = vmload_end);

BODY bool vmsave_setup(const struct abi_params *params)
{
	return svm_setup(params) && try_wrmsr(MSR_KERNEL_GS_BASE, BASE);
}

BODY void vmsave_end(void)
{
	must(svm_vmcb.kernel_gs_base == BASE);
}

BODY_PAIR(nested_l1_vmsave, "mov $svm_vmcb, %%eax", "vmsave %%rax", ::: "rax", "memory")
BODY_ROW(nested_l1_vmsave, .setup = vmsave_setup, .end = vmsave_end);

/* Whether L1 takes an interrupt: not while GIF is clear. */
static volatile uint32_t taken;

static MACHINE_INTERRUPT void on_ipi(struct machine_frame *frame)
{
	(void)frame;
	taken++;
	apic_write(APIC_EOI, 0);
}

static bool takes_interrupt(void)
{
	const uint32_t before = taken;

	apic_take_interrupts();
	return taken != before;
}

/*
 * `gif`: as the row's instruction leaves it. The local APIC is set up here, behind the
 * events: an exit costs more with an APIC that is enabled. Without one in the kernel the
 * VMM returns all ones, and looks at GIF itself, at a doorbell with interrupts enabled.
 */
static void check_gif(bool gif)
{
	if (apic_read(APIC_VERSION) == ~0u) {
		__asm__ volatile("sti\n\tnop" ::: "memory");
		runtime_doorbell(ABI_DOORBELL_AGAIN);
		__asm__ volatile("cli" ::: "memory");
		return;
	}
	machine_handler(APIC_VECTOR, on_ipi);
	apic_enable();
	apic_write(APIC_ICR, APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR);
	must(takes_interrupt() == gif);
	__asm__ volatile("stgi" ::: "memory");
	must(gif || takes_interrupt());
}

BODY void clgi_end(void)
{
	check_gif(false);
}

BODY_PAIR(nested_l1_clgi, "mov $svm_vmcb, %%eax", "clgi", ::: "rax", "memory")
BODY_ROW(nested_l1_clgi, .setup = svm_setup, .end = clgi_end);

BODY bool stgi_setup(const struct abi_params *params)
{
	if (!svm_setup(params))
		return false;
	__asm__ volatile("clgi" ::: "memory");
	return true;
}

BODY void stgi_end(void)
{
	check_gif(true);
}

BODY_PAIR(nested_l1_stgi, "mov $svm_vmcb, %%eax", "stgi", ::: "rax", "memory")
BODY_ROW(nested_l1_stgi, .setup = stgi_setup, .end = stgi_end);

/* VMRUN of a guest whose first instruction exits; L1 counts the exit. */
BODY_PAIR(nested_l1_vmrun, "mov $svm_vmcb, %%eax",
	  "vmrun %%rax\n\t"
	  "incq runtime_l1_exits",
	  ::
		  : "rax", "cc", "memory")
BODY_ROW(nested_l1_vmrun, .setup = svm_setup, .end = nested_l1_check);

/* Of the page of RAX in the address space of ECX. KVM counts it (bench/statistics.def).
 */
BODY_PAIR(nested_l1_invlpga,
	  "mov $svm_vmcb, %%eax\n\t"
	  "mov $1, %%ecx",
	  "invlpga %%rax, %%ecx", ::
		  : "rax", "ecx", "memory")
BODY_ROW(nested_l1_invlpga, .setup = svm_setup);

/* ---- VMX ----------------------------------------------------------------------------
 */

BODY void rip_end(void)
{
	must(vmcs_read(FIELD_RIP) == (uint64_t)nested_vmcall);
}

/*
 * Of the guest's RIP, which VMCS shadowing covers where the CPU has it. A VMREAD that
 * fails or is skipped leaves its register as it was.
 */
#define VMREAD_RIP(insn, value)                                                          \
	__asm__ volatile("mov $0x681e, %%eax\n\t" insn                                   \
			 : "+S"(value)                                                   \
			 :                                                               \
			 : "rax", "cc", "memory")

BODY uint64_t nested_l1_vmread_read(uint64_t value)
{
	VMREAD_RIP("vmread %%rax, %0", value);
	return value;
}

BODY void nested_l1_vmread_twin(void)
{
	uint64_t value;

	__asm__ volatile("" : "=r"(value));
	VMREAD_RIP("nop", value);
}

BODY void nested_l1_vmread_seen(uint64_t value)
{
	must(value == (uint64_t)nested_vmcall);
}

BODY_ROW_OF(nested_l1_vmread, .read = nested_l1_vmread_read,
	    .seen = nested_l1_vmread_seen, .twin = nested_l1_vmread_twin,
	    .setup = vmx_setup);

BODY bool vmwrite_setup(const struct abi_params *params)
{
	if (!vmx_setup(params))
		return false;
	vmcs_write(FIELD_RIP, 0);
	return true;
}

BODY_PAIR(nested_l1_vmwrite,
	  "mov $nested_vmcall, %%ecx\n\t"
	  "mov $0x681e, %%eax",
	  "vmwrite %%rcx, %%rax", ::
		  : "rax", "rcx", "cc", "memory")
BODY_ROW(nested_l1_vmwrite, .setup = vmwrite_setup, .end = rip_end);

/*
 * Of two VMCSs in turn. The twin has a pair of its own: else an event behind an odd
 * number of twins would load the VMCS that is loaded.
 */
static uint64_t twin_vmcs[2];

#define LOAD_OTHER(insn, pair)                                                           \
	__asm__ volatile("mov %0, %%rax\n\t"                                             \
			 "xchg %%rax, %1\n\t"                                            \
			 "mov %%rax, %0\n\t" insn                                        \
			 : "+m"((pair)[0]), "+m"((pair)[1])                              \
			 :                                                               \
			 : "rax", "cc", "memory")

BODY void nested_l1_vmptrld_event(void)
{
	LOAD_OTHER("vmptrld %0", nested_vmcs);
}

BODY void nested_l1_vmptrld_twin(void)
{
	LOAD_OTHER("nop", twin_vmcs);
}

BODY void vmptrld_end(void)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		uint64_t current;

		nested_l1_vmptrld_event();
		__asm__ volatile("vmptrst %0" : "=m"(current)::"cc");
		must(current == nested_vmcs[0]);
	}
}

BODY_ROW(nested_l1_vmptrld, .setup = vmx_setup, .end = vmptrld_end);

/*
 * Of one context: the descriptor is nested_ept. The guest was never entered, and KVM has
 * no tables to drop: nested_page_fault has an INVEPT that does.
 */
BODY bool invept_setup(const struct abi_params *params)
{
	(void)params;
	return nested_l1_vmx() && nested_ept[0];
}

BODY_PAIR(nested_l1_invept, "mov $1, %%eax", "invept nested_ept, %%rax", ::
		  : "rax", "cc", "memory")

BODY void invept_end(void)
{
	bool done;

	__asm__ volatile("invept nested_ept, %1\n\t"
			 "seta %0" /* neither CF nor ZF: no VMfail */
			 : "=q"(done)
			 : "r"(1ull)
			 : "cc", "memory");
	must(done);
}

BODY_ROW(nested_l1_invept, .setup = invept_setup, .end = invept_end);

/*
 * Entry to a guest whose first instruction exits. The exit is counted, and ends at RCX
 * (nested_l1_vmx()); an entry that fails continues behind the instruction, and ends the
 * boot.
 */
#define OR_FAIL "\n\tjmp nested_vmx_failed"
#define ENTER(insns)                                                                     \
	__asm__ volatile("mov $1f, %%ecx\n\t"                                            \
			 "mov %%rsp, %%rdx\n\t" insns "\n"                               \
			 "1:" ::                                                         \
				 : "rcx", "rdx", "cc", "memory")

#define ENTER_PAIR(id, insns)                                                            \
	BODY void id##_event(void)                                                       \
	{                                                                                \
		ENTER(insns);                                                            \
	}                                                                                \
                                                                                         \
	BODY void id##_twin(void)                                                        \
	{                                                                                \
		ENTER("nop");                                                            \
	}

/* VMRESUME needs a VMCS that was launched. */
BODY bool vmresume_setup(const struct abi_params *params)
{
	(void)params;
	if (!nested_l1_vmx())
		return false;
	ENTER("vmlaunch" OR_FAIL);
	return true;
}

ENTER_PAIR(nested_l1_vmresume, "vmresume" OR_FAIL)
BODY_ROW(nested_l1_vmresume, .setup = vmresume_setup, .end = nested_l1_check);

/* With what it needs each time: VMCLEAR and VMPTRLD. */
ENTER_PAIR(nested_l1_vmlaunch, "vmclear nested_vmcs\n\t"
			       "vmptrld nested_vmcs\n\t"
			       "vmlaunch" OR_FAIL)
BODY_ROW(nested_l1_vmlaunch, .setup = vmx_setup, .end = nested_l1_check);
