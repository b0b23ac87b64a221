/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OUT to a port whose writes collect in a ring. The ring has room for 169: an exit to
 * user space before each event empties it.
 */
#define BODY_MEASURES 1
#include "bench/body.h"
#include "bench/x86_64/reload.h"

RELOAD_PAIR("mov %0, %%edx\n\t"
	    "xor %%eax, %%eax",
	    "outb %%al, %%dx", ::"i"(ABI_X86_64_PIO_COALESCED_PORT)
	    : "eax", "edx", "cc", "memory")
