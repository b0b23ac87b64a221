/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR of an MSR that nobody has: KVM searches all it knows, and injects #GP. Timed:
 * the exit, the injection, and the payload's vectors.
 */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

RDMSR_FAULT_BODY(MSR_OF_NOBODY)
