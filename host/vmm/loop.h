/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the full run loop and the least one share: how a run begins and ends. */
#ifndef WS_VMM_LOOP_H
#define WS_VMM_LOOP_H

#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

/* Makes the calling thread the vCPU's and starts the budget. 0 or -errno. */
int vcpu_begin(struct vcpu *vcpu, struct run_timer *budget);

/* Undoes it. -EIO if the vCPU stopped by VCPU_STOP_ERROR. */
int vcpu_end(struct vcpu *vcpu, struct run_timer *budget);

#endif
