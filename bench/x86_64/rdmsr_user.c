/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR of TSC_ADJUST, which the VM's MSR filter denies: to the VMM, which answers it
 * (host/targets/vm_setup.c). Against rdmsr_kernel it shows what the filter costs.
 */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

RDMSR_BODY(MSR_TSC_ADJUST)
