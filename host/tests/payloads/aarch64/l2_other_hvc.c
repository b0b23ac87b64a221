/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_hvc whose first exit is another HVC than all others. */
#include "bench/body.h"
#include "guest/aarch64/nested.h"

static bool begin_with_other(const struct abi_params *params, uint64_t hcr,
			     const char *vectors)
{
	if (!nested_begin(params, hcr, vectors))
		return false;
	__asm__ volatile("hvc #1" ::: "x16", "memory");
	return true;
}

#define nested_begin begin_with_other
#define BODY_PAGE    "bench/aarch64/nested.c"
#define BODY_ID	     nested_hvc
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
