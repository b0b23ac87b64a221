/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR of MPERF and APERF, the pair that says how fast the CPU really runs. KVM traps
 * both and knows neither: two #GPs, unless the VM was given them (Linux 6.17).
 */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

BODY_PAIR("",
	  "mov %0, %%ecx\n\t" MSR_FAULT("rdmsr") "mov %1, %%ecx\n\t" MSR_FAULT("rdmsr"),
	  ::"i"(MSR_MPERF), "i"(MSR_APERF)
	  : "eax", "ecx", "edx", "memory")
