/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1) and its own guest (L2).
 *
 * nested_begin() enters L2 at its own return: the sampling loop and the body continue as
 * L2, with the memory, page tables and registers that they had. Below them remains L1: an
 * endless loop of a few instructions that handles the one exit the row is about, and
 * resumes L2. Doorbells do not exit to L1.
 */
#ifndef WS_GUEST_X86_64_NESTED_H
#define WS_GUEST_X86_64_NESTED_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/abi.h"

/* What L1 does with the exit, beside counting it. */
enum nested_action {
	NESTED_SKIP,	    /* skips the instruction */
	NESTED_SKIP_AS_KVM, /* and executes what KVM executes around entry and exit */
	NESTED_MAP,	    /* maps the missing page of the window, and not the other */
	NESTED_IRQ,	    /* takes the interrupt by its own IDT */
	NESTED_ACTIONS,
};

/*
 * The window: pages from ABI_SLOT_GPA. NESTED_WINDOW_PRESENT: L1's nested page tables
 * have every sixteenth page, and L2 has touched NESTED_TOUCHED_PAGE of each table, so
 * that no event is the first that needs the table. KVM prefetches the neighbours of a
 * page, eight with the page, and finds none: no two of these pages are in one such group.
 * The other two: two pages, of which L1 maps the one that is missing, and unmaps the
 * other; in its nested page tables, or without nested paging in the page tables, whose
 * faults it intercepts. Both are the first of a group: KVM looks at a group from its
 * first page to the first that is missing, and a fault of the second page would cost less
 * than one of the first.
 */
#define NESTED_WINDOW_STEP  0x10000
#define NESTED_TOUCHED_PAGE 0x8000
#define NESTED_OTHER_PAGE   0x10000

enum nested_window {
	NESTED_NO_WINDOW,
	NESTED_WINDOW_PRESENT,
	NESTED_WINDOW_ABSENT,
	NESTED_WINDOW_SHADOW,
};

/* The exit of a row, by the code of SVM and the reason of VMX. */
struct nested_exit {
	uint32_t svm, vmx;
	uint32_t length; /* of the instruction that L1 skips, bytes */
	enum nested_action action;
	enum nested_window window;
};

/* true: in L2. false: in L1; the CPU lacks what the row needs. */
bool nested_begin(const struct abi_params *params, const struct nested_exit *exit);

/*
 * For rows about instructions of L1, which stay in L1: the state of its guest is set up,
 * whose first instruction is VMMCALL or VMCALL. false: the CPU has no SVM, no VMX.
 */
bool nested_l1_svm(void);
bool nested_l1_vmx(void);
extern const char nested_vmmcall[], nested_vmcall[];

/*
 * Stops the boot unless the last exit is that of the first instruction: an entry that
 * SVM or VMX refuses ends where an exit does, and is counted as one.
 */
void nested_l1_check(void);

/*
 * After nested_l1_vmx() the guest's exits are counted and end at the instruction in RCX
 * with the stack in RDX. The pointer is to a VMCS, and the other to a second one that is
 * never entered.
 */
extern uint64_t nested_vmcs[2];

/* For INVEPT: the pointer to the nested page tables, and zero. */
extern uint64_t nested_ept[2];

#endif
