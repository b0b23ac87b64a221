/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1) and its own guest (L2).
 *
 * nested_begin() enters L2 at its own return: the sampling loop and the body continue as
 * L2, with the memory, page tables and registers that they had. Below them remains L1: an
 * endless loop of a few instructions that handles the one exit the row is about, and
 * resumes L2. Doorbells do not exit to L1.
 */
#ifndef WS_GUEST_X86_64_NESTED_H
#define WS_GUEST_X86_64_NESTED_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/abi.h"

/* The one exit: the code of SVM, the reason of VMX; and what L1 skips. */
struct nested_exit {
	uint32_t svm, vmx;
	uint32_t length; /* of the instruction, bytes */
};

/* true: in L2. false: in L1; the CPU lacks what the row needs. */
bool nested_begin(const struct abi_params *params, const struct nested_exit *exit);

#endif
