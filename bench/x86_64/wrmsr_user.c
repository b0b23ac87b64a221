/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WRMSR of TSC_ADJUST, which the VM's MSR filter denies: the VMM takes it. */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

WRMSR_BODY(MSR_TSC_ADJUST, 0)
