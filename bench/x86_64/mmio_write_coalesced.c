/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-byte store to a gpa whose writes collect in a ring. The ring has room for 169: an
 * exit to user space before each event empties it.
 */
#define BODY_MEASURES 1
#include "bench/body.h"
#include "bench/x86_64/reload.h"

RELOAD_PAIR("mov %0, %%edx", "mov %%eax, (%%rdx)",
	    ::"i"(ABI_X86_64_MMIO_GPA + ABI_MMIO_COALESCED_OFFSET)
	    : "eax", "edx", "memory")
