/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INT3 in a guest that is debugged with software breakpoints (KVM_SET_GUEST_DEBUG): to
 * the VMM, which steps over it.
 */
#include "bench/body.h"

BODY_PAIR("", "int3", ::: "memory")
