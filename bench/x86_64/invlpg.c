/* SPDX-License-Identifier: GPL-2.0-or-later */
/* INVLPG of a mapped page: trapped only under shadow paging. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%eax", "invlpg (%%rax)", ::"i"(ABI_IMAGE_OFFSET) : "rax", "memory")
