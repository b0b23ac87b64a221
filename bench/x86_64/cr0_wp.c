/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR0.WP flipped, as guests do around writes to read-only pages. SVM has an intercept
 * for just such writes; VMX owns the bit or, since Linux 6.4 with EPT, gives it away.
 * Reading CR0 first exits on neither with nested paging.
 */
#include "bench/body.h"

BODY_PAIR("mov %%cr0, %%rax\n\t"
	  "xor $0x10000, %%eax",
	  "mov %%rax, %%cr0", ::
		  : "rax", "cc", "memory")
