/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OUT of the one value that signals an eventfd: compared and absorbed in the kernel. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "outb %%al, %%dx", ::"i"(ABI_X86_64_PIO_MATCH_PORT), "i"(ABI_MATCH_VALUE)
	  : "eax", "edx", "cc", "memory")
