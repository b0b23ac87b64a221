/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read of CR8, the task priority: from the TPR shadow (VMX) or V_TPR (SVM) where there
 * is one.
 */
#include "bench/body.h"

BODY_PAIR("", "mov %%cr8, %%rax", ::: "rax", "memory")
