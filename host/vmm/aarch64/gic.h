/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-kernel GIC of a VM. */
#ifndef WS_VMM_AARCH64_GIC_H
#define WS_VMM_AARCH64_GIC_H

#include "host/vmm/vmm.h"

#define GIC_INTIDS 64u

/* GICv3, or v2 where the machine has no other. After the vCPUs exist. */
int gic_create(struct vm *vm);

#endif
