/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IN of 32 bits from a port that neither KVM nor the runner owns. */
#include "bench/body.h"

BODY_PAIR("mov %0, %%edx", "inl %%dx, %%eax", ::"i"(ABI_X86_64_PIO_PORT)
	  : "eax", "edx", "memory")
