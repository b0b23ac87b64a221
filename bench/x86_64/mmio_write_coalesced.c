/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-byte store to a gpa whose writes collect in a ring: absorbed in the kernel. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx", "mov %%eax, (%%rdx)",
	  ::"i"(ABI_X86_64_MMIO_GPA + ABI_MMIO_COALESCED_OFFSET)
	  : "eax", "edx", "memory")
