/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_cpuid whose VMLAUNCH fails. */
#include "guest/x86_64/nested.h"
#include "host/tests/payloads/x86_64/task_register.h"

static bool begin_with_level(const struct abi_params *params,
			     const struct nested_exit *exit)
{
	if (vmcs_is_missing())
		return false;
	set_task_register_level();
	return nested_begin(params, exit);
}

#define nested_begin begin_with_level
#define BODY_PAGE    "bench/x86_64/nested.c"
#define BODY_ID	     nested_cpuid
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
