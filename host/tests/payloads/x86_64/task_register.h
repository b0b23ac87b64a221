/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task register whose selector has a privilege level, which a host's must not have: VM
 * entries fail. */
#ifndef WS_TESTS_PAYLOADS_X86_64_TASK_REGISTER_H
#define WS_TESTS_PAYLOADS_X86_64_TASK_REGISTER_H

#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

#define TSS_SELECTOR 24

static inline void set_task_register_level(void)
{
	vmcs_open(); /* loads a TSS */
	vmcs_close();
	__asm__ volatile("sub $16, %%rsp\n\t"
			 "sgdt 6(%%rsp)\n\t"
			 "mov 8(%%rsp), %%rax\n\t"
			 "andb $0xfd, 0x1d(%%rax)\n\t" /* available, no longer busy */
			 "add $16, %%rsp\n\t"
			 "ltr %w0" ::"r"(TSS_SELECTOR | 3)
			 : "rax", "cc", "memory");
}

/* Of a row of L1: nested_l1_vmx(). */
static inline bool l1_with_level(void)
{
	if (vmcs_is_missing())
		return false;
	set_task_register_level();
	return nested_l1_vmx();
}

#endif
