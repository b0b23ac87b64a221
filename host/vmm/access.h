/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One guest access that reached user space, and who takes it. */
#ifndef WS_VMM_ACCESS_H
#define WS_VMM_ACCESS_H

#include "host/vmm/exits.h"

/*
 * The doorbell's, the listener's, or nobody's: then reads are all ones and writes
 * are swallowed. EXITS_ANSWERED, EXITS_PENDING or EXITS_STOP_BELL.
 */
enum exits_answer access_serve(struct vcpu *vcpu, const struct vm_access *access);

#endif
