/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPI to oneself by the xAPIC's interrupt command register, kept out by the task priority
 * as well as by the interrupt flag. The priority falls first; it is pending when HLT
 * halts.
 */
#define BODY_HAS_SETUP 1
#define BODY_HALTS     1
#include "bench/x86_64/self_ipi.h"

SELF_IPI_SETUP
SELF_IPI_PAIR(SELF_IPI_MASK_TPR, SELF_IPI_UNMASK_TPR SELF_IPI_THEN_HLT)
