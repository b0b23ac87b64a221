/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OUT to the in-kernel PIC's interrupt mask register: all lines stay masked. */
#include "bench/body.h"

#define PIC_MASK_PORT 0x21

BODY_PAIR("mov %0, %%edx\n\t"
	  "mov $0xff, %%eax",
	  "outb %%al, %%dx", ::"i"(PIC_MASK_PORT)
	  : "eax", "edx", "memory")
