/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RDMSR of TSC_ADJUST: always trapped, answered from KVM's own copy. */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

RDMSR_BODY(MSR_TSC_ADJUST)
