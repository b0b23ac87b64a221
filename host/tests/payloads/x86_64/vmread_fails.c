/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmread without a current VMCS: each VMREAD fails, without an exit or with. */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

static bool without_vmcs(void)
{
	const uint64_t current = (uint64_t)vmcs_region;

	if (!nested_l1_vmx())
		return false;
	__asm__ volatile("vmclear %0" ::"m"(current) : "cc", "memory");
	return true;
}

#define nested_l1_vmx without_vmcs
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_vmread
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
