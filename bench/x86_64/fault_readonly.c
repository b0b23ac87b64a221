/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store to a slot that is read-only: the VMM gets it as MMIO, and swallows it. */
#include "bench/body.h"

BODY_PAIR("movabs %0, %%rdx", "mov %%eax, (%%rdx)", ::"i"(ABI_SLOT_GPA)
	  : "eax", "rdx", "memory")
