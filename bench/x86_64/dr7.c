/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write of DR7. KVM traps the first access to a debug register after any other exit,
 * loads them all, and lets the rest through until the guest leaves again. So a CPUID
 * goes before it, here and in the twin: what DR7 costs is the difference of the two,
 * and two exits per body prove it.
 */
#include "bench/body.h"

BODY_PAIR("xor %%eax, %%eax\n\t"
	  "cpuid\n\t"
	  "mov $0x400, %%eax",
	  "mov %%rax, %%dr7", ::
		  : "rax", "rbx", "rcx", "rdx", "cc", "memory")
