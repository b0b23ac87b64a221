/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_vmlaunch whose VMLAUNCH fails. */
#include "host/tests/payloads/x86_64/task_register.h"

#define nested_l1_vmx l1_with_level
#define BODY_PAGE     "bench/x86_64/nested_l1.c"
#define BODY_ID	      nested_l1_vmlaunch
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
