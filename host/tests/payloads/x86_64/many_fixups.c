/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ud2 in a payload with 200 fixups more (guest/runtime.h). */
__asm__(".pushsection .fixup, \"a\"\n\t"
	".rept 200\n\t"
	".quad 1, 1\n\t"
	".endr\n\t"
	".popsection");

#define BODY_PAGE "bench/x86_64/instructions.c"
#define BODY_ID	  ud2
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
