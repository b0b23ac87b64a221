/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2-byte load from a gpa that no memory slot covers. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx", "mov (%%rdx), %%ax", ::"i"(ABI_X86_64_MMIO_GPA)
	  : "rax", "edx", "memory")
