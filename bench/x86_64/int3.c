/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INT3: #BP goes straight to the guest's vector unless somebody debugs it. A trap: the
 * vector sees the instruction after it.
 */
#include "bench/body.h"

BODY_PAIR("",
	  "int3\n\t"
	  "1:\n\t" BODY_FIXUP("1b", "1b"),
	  ::
		  : "memory")
