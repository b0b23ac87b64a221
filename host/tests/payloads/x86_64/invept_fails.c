/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_invept of a pointer with a memory type that does not exist: INVEPT fails. */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/vmx.h"

static bool without_type(void)
{
	if (!nested_l1_vmx())
		return false;
	nested_ept[0] |= 7;
	return true;
}

#define nested_l1_vmx without_type
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_invept
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
