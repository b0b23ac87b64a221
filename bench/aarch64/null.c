/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing at all: what the clock itself costs is measured by the null phase, and
 * this row proves that subtracting it leaves zero.
 */
#include "bench/body.h"

BODY void body(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY void body_twin(void)
{
	__asm__ volatile("" ::: "memory");
}
