/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_cpuid whose VMLAUNCH fails: the selector of L1's task register has a privilege
 * level, which a host's must not have. */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

#define TSS_SELECTOR 24

static bool begin_with_level(const struct abi_params *params,
			     const struct nested_exit *exit)
{
	if (vmcs_is_missing())
		return false;
	vmcs_open(); /* loads a TSS */
	vmcs_close();
	__asm__ volatile("sub $16, %%rsp\n\t"
			 "sgdt 6(%%rsp)\n\t"
			 "mov 8(%%rsp), %%rax\n\t"
			 "andb $0xfd, 0x1d(%%rax)\n\t" /* available, no longer busy */
			 "add $16, %%rsp\n\t"
			 "ltr %w0" ::"r"(TSS_SELECTOR | 3)
			 : "rax", "cc", "memory");
	return nested_begin(params, exit);
}

#define nested_begin begin_with_level
#define BODY_PAGE    "bench/x86_64/nested.c"
#define BODY_ID	     nested_cpuid
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
