/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OUT of 16 bits to a port that neither KVM nor the runner owns. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "outw %%ax, %%dx", ::"i"(ABI_X86_64_PIO_PORT)
	  : "eax", "edx", "cc", "memory")
