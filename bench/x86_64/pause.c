/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PAUSE. Where the CPU has a filter for spinning guests (pause-loop exiting, PAUSE
 * filter), one in some thousands of them exits; without a filter, none.
 */
#include "bench/body.h"

BODY_PAIR("", "pause", ::: "memory")
