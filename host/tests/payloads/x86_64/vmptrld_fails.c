/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmptrld of two regions, of which one has another revision: VMPTRLD fails. */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

static bool without_revision(void)
{
	if (!nested_l1_vmx())
		return false;
	*(uint32_t *)nested_vmcs[1] ^= 1;
	return true;
}

#define nested_l1_vmx without_revision
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_vmptrld
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
