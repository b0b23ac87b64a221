/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2-byte store to a gpa that no memory slot covers. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx", "mov %%ax, (%%rdx)", ::"i"(ABI_X86_64_MMIO_GPA)
	  : "rax", "edx", "memory")
