/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPI to oneself by the x2APIC's SELF_IPI register, pending when HLT halts. */
#define BODY_HAS_SETUP 1
#define BODY_HALTS     1
#include "bench/x86_64/self_ipi.h"

SELF_IPI_SETUP_X2
SELF_IPI_PAIR_X2("", SELF_IPI_THEN_HLT)
