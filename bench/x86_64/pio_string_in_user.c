/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REP INSB of 16 bytes from an unclaimed port. KVM asks the VMM for all of them at
 * once and hands them out by itself: one exit.
 */
#include "bench/body.h"

static uint8_t bytes[16];

BODY_PAIR("mov %0, %%edx\n\t"
	  "mov %1, %%rdi\n\t"
	  "mov %2, %%ecx",
	  "rep insb", ::"i"(ABI_X86_64_PIO_PORT), "i"(bytes), "i"(sizeof(bytes))
	  : "rcx", "edx", "rdi", "memory")
