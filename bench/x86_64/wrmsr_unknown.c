/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WRMSR of an MSR that nobody has: #GP, as for rdmsr_unknown. */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

WRMSR_FAULT_BODY(MSR_OF_NOBODY, 0)
