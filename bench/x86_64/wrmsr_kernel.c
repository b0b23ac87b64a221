/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WRMSR of the value that TSC_ADJUST has: KVM compares, and need not change the
 * TSC's offset.
 */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

WRMSR_BODY(MSR_TSC_ADJUST, 0)
