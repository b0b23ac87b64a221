/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions of a hypervisor that is a guest (L1): each row stays in L1 and times
 * one of them. CPUs and KVM execute some of them without an exit.
 */
#include "bench/body.h"
#include "guest/x86_64/nested.h"
#include "guest/x86_64/svm.h"

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

BODY_PAIR(nested_l1_vmload, "mov $svm_vmcb, %%eax", "vmload %%rax", ::: "rax", "memory")
BODY_ROW(nested_l1_vmload, .setup = svm_setup);

BODY_PAIR(nested_l1_vmsave, "mov $svm_vmcb, %%eax", "vmsave %%rax", ::: "rax", "memory")
BODY_ROW(nested_l1_vmsave, .setup = svm_setup);

BODY_PAIR(nested_l1_clgi, "mov $svm_vmcb, %%eax", "clgi", ::: "rax", "memory")
BODY_ROW(nested_l1_clgi, .setup = svm_setup);

BODY_PAIR(nested_l1_stgi, "mov $svm_vmcb, %%eax", "stgi", ::: "rax", "memory")
BODY_ROW(nested_l1_stgi, .setup = svm_setup);

/* VMRUN of a guest whose first instruction exits; L1 counts the exit. */
BODY_PAIR(nested_l1_vmrun, "mov $svm_vmcb, %%eax",
	  "vmrun %%rax\n\t"
	  "incq runtime_l1_exits",
	  ::
		  : "rax", "cc", "memory")
BODY_ROW(nested_l1_vmrun, .setup = svm_setup, .end = nested_l1_check);

/* Of the page of RAX in the address space of ECX. */
BODY_PAIR(nested_l1_invlpga,
	  "mov $svm_vmcb, %%eax\n\t"
	  "mov $1, %%ecx",
	  "invlpga %%rax, %%ecx", ::
		  : "rax", "ecx", "memory")
BODY_ROW(nested_l1_invlpga, .setup = svm_setup);

/* ---- VMX ----------------------------------------------------------------------------
 */

/* Of the guest's RIP, which VMCS shadowing covers where the CPU has it. */
BODY_PAIR(nested_l1_vmread, "mov $0x681e, %%eax", "vmread %%rax, %%rcx", ::
		  : "rax", "rcx", "cc", "memory")
BODY_ROW(nested_l1_vmread, .setup = vmx_setup);

BODY_PAIR(nested_l1_vmwrite,
	  "mov $nested_vmcall, %%ecx\n\t"
	  "mov $0x681e, %%eax",
	  "vmwrite %%rcx, %%rax", ::
		  : "rax", "rcx", "cc", "memory")
BODY_ROW(nested_l1_vmwrite, .setup = vmx_setup);

/* Of two VMCSs in turn. */
BODY_PAIR(nested_l1_vmptrld,
	  "mov nested_vmcs, %%rax\n\t"
	  "xchg %%rax, nested_vmcs + 8\n\t"
	  "mov %%rax, nested_vmcs",
	  "vmptrld nested_vmcs", ::
		  : "rax", "cc", "memory")
BODY_ROW(nested_l1_vmptrld, .setup = vmx_setup);

/* Of one context: the descriptor is nested_ept. */
BODY bool invept_setup(const struct abi_params *params)
{
	(void)params;
	return nested_l1_vmx() && nested_ept[0];
}

BODY_PAIR(nested_l1_invept, "mov $1, %%eax", "invept nested_ept, %%rax", ::
		  : "rax", "cc", "memory")
BODY_ROW(nested_l1_invept, .setup = invept_setup);

/*
 * Entry to a guest whose first instruction exits. The exit is counted, and ends at RCX
 * (nested_l1_vmx()); an entry that fails continues behind the instruction, uncounted.
 */
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
	ENTER("vmlaunch");
	return true;
}

ENTER_PAIR(nested_l1_vmresume, "vmresume")
BODY_ROW(nested_l1_vmresume, .setup = vmresume_setup, .end = nested_l1_check);

/* With what it needs each time: VMCLEAR and VMPTRLD. */
ENTER_PAIR(nested_l1_vmlaunch, "vmclear nested_vmcs\n\t"
			       "vmptrld nested_vmcs\n\t"
			       "vmlaunch")
BODY_ROW(nested_l1_vmlaunch, .setup = vmx_setup, .end = nested_l1_check);
