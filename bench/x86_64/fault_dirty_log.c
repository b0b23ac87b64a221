/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First store to a mapped page since its slot's dirty log was cleared: it is write-
 * protected, KVM notes it as dirty and lets it through. A CPU with page-modification
 * logging (Intel's PML) notes it without an exit. Each body takes the next page. All are
 * mapped before; the VMM clears the log when the warm-up begins.
 */
#define BODY_HAS_SETUP 1
#include "bench/x86_64/slot.h"
