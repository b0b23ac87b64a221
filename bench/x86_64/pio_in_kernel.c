/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IN from the in-kernel PIC's interrupt mask register. */
#include "bench/body.h"

#define PIC_MASK_PORT 0x21

BODY_PAIR("mov %0, %%edx", "inb %%dx, %%al", ::"i"(PIC_MASK_PORT)
	  : "eax", "edx", "memory")
