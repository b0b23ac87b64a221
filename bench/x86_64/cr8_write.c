/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR8 written with 0: nothing waits below that priority, so it goes into the TPR shadow
 * (VMX) or V_TPR (SVM) where there is one.
 */
#include "bench/body.h"

BODY_PAIR("xor %%eax, %%eax", "mov %%rax, %%cr8", ::: "rax", "cc", "memory")
