/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HLT in a VM without an in-kernel interrupt controller: to the VMM, which goes on at
 * once (host/targets/vm_setup.c).
 */
#include "bench/body.h"

BODY_PAIR("", "hlt", ::: "memory")
