/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row that does not exit, in place of one that does. */
#include "bench/body.h"

BODY void stays(void)
{
	__asm__ volatile("nop" ::: "memory");
}

BODY_ROW_OF(no_exit, .event = stays, .twin = stays);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  no_exit
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
