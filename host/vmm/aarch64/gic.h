/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-kernel GIC of a VM. */
#ifndef WS_VMM_AARCH64_GIC_H
#define WS_VMM_AARCH64_GIC_H

#include "host/vmm/vmm.h"

#define GIC_INTIDS    64u
#define GIC_FIRST_SPI 32u

/* A GICv3, or a GICv2 where the machine has no other. After all vCPUs are created. */
int gic_create(struct vm *vm);

#endif
