/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OUT to a port that signals an eventfd: absorbed in the kernel. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "outb %%al, %%dx", ::"i"(ABI_X86_64_PIO_EVENTFD_PORT)
	  : "eax", "edx", "cc", "memory")
