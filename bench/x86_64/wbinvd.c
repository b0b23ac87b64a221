/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WBINVD: KVM traps it, and does it only for guests with devices that do not snoop. If
 * it is let through it empties the caches of the machine.
 */
#include "bench/body.h"

BODY_PAIR("", "wbinvd", ::: "memory")
