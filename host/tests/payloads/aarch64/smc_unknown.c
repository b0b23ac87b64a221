/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nested_l1_smc whose SMC calls a function that L0 does not know. */
__asm__(".macro smc immediate\n\t"
	"movk w0, #0xfff\n\t"
	".inst 0xd4000003\n\t" /* SMC #0 */
	".endm");

#define BODY_PAGE "bench/aarch64/nested.c"
#define BODY_ID	  nested_l1_smc
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
