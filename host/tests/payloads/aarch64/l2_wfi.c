/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_hvc whose L2 exits by WFI before the row's first exit. */
#include "bench/body.h"
#include "guest/aarch64/nested.h"

static bool begin_and_wait(const struct abi_params *params, uint64_t hcr,
			   const char *vectors)
{
	if (!nested_begin(params, hcr | HCR_TWI, vectors))
		return false;
	__asm__ volatile("wfi");
	return true;
}

#define nested_begin begin_and_wait
#define BODY_PAGE    "bench/aarch64/nested.c"
#define BODY_ID	     nested_hvc
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
