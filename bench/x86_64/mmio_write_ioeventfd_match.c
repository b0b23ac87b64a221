/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-byte store of the one value that signals an eventfd: absorbed in the kernel. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(ABI_X86_64_MMIO_GPA + ABI_MMIO_MATCH_OFFSET),
	  "i"(ABI_MATCH_VALUE)
	  : "eax", "edx", "memory")
