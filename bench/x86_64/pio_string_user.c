/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REP OUTSB of 4 bytes to an unclaimed port. KVM does not read ahead what is to be
 * written: the guest leaves once for every byte.
 */
#include "bench/body.h"

static const uint8_t bytes[4];

BODY_PAIR("mov %0, %%edx\n\t"
	  "mov %1, %%rsi\n\t"
	  "mov %2, %%ecx",
	  "rep outsb", ::"i"(ABI_X86_64_PIO_PORT), "i"(bytes), "i"(sizeof(bytes))
	  : "rcx", "edx", "rsi", "memory")
