/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WRMSR of KERNEL_GS_BASE, let through as its read is. */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

WRMSR_BODY(MSR_KERNEL_GS_BASE, 0)
