/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmlaunch with a VMCS that VMLAUNCH refuses: RFLAGS without the bit that is 1.
 */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

static bool without_rflags(void)
{
	if (!nested_l1_vmx())
		return false;
	vmcs_write(FIELD_RFLAGS, 0);
	return true;
}

#define nested_l1_vmx without_rflags
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_vmlaunch
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
