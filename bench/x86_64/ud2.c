/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UD2: KVM traps #UD to look for instructions that it emulates, finds none, and injects
 * it. Timed with the payload's vectors.
 */
#include "bench/body.h"

BODY_PAIR("",
	  "1: ud2\n\t"
	  "2:\n\t" BODY_FIXUP("1b", "2b"),
	  ::
		  : "memory")
