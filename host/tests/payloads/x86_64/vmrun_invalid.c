/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmrun with a VMCB that VMRUN refuses: an address space of number 0. */
#include "guest/x86_64/nested.h"
#include "guest/x86_64/svm.h"

static bool without_asid(void)
{
	if (!nested_l1_svm())
		return false;
	svm_vmcb.asid = 0;
	return true;
}

#define nested_l1_svm without_asid
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_vmrun
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
