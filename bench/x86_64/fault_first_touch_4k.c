/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store to a page that the host has and the nested page tables have not: KVM finds the
 * page and maps it. Each body takes the next page of the slot. All were touched before,
 * so that the host counts them as in use; the VMM takes the mapping away again when the
 * warm-up begins.
 */
#define BODY_HAS_SETUP 1
#include "bench/x86_64/slot.h"
