/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR of KERNEL_GS_BASE, which both VMX's and SVM's MSR bitmaps let through: SWAPGS
 * changes it without an exit, so KVM could not follow it anyway.
 */
#include "bench/body.h"
#include "bench/x86_64/msr.h"

RDMSR_BODY(MSR_KERNEL_GS_BASE)
