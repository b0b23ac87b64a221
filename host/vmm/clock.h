/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock that host and guest share: the TSC on x86_64; on aarch64 the physical
 * counter, which the guest reads as CNTPCT_EL0 and the host, whose own virtual offset
 * is zero, as CNTVCT_EL0.
 */
#ifndef WS_VMM_CLOCK_H
#define WS_VMM_CLOCK_H

#include "host/vmm/vmm.h"

/* The host's reading, serialised on both sides. */
uint64_t clock_now(void);

/* Its rate, measured against CLOCK_MONOTONIC_RAW once; 0 if that failed. */
uint64_t clock_hz(void);

/*
 * The guest's reading minus the host's at the same moment. 0, or -ENOTSUP where KVM does
 * not report it (x86_64: KVM_VCPU_TSC_OFFSET, Linux 5.16).
 */
int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset);

#endif
