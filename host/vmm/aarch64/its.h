/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-kernel interrupt translation service of a VM, where it has one. */
#ifndef WS_VMM_AARCH64_ITS_H
#define WS_VMM_AARCH64_ITS_H

#include <stdio.h>

#include "host/vmm/vmm.h"

/* Beside the GICv3, at ABI_AARCH64_GITS_GPA: irq_its(). */
int its_add(struct vm *vm);

/*
 * Writes what KVM has cached of the ITS's tables, and of the LPIs that are pending, into
 * guest memory. Nothing to do without an ITS.
 */
int its_flush(struct vm *vm);

/*
 * Its registers as records of regs_arch.h; and back, behind the GIC's own and after
 * memory. `put` false: only looks whether they fit. 0 or -errno with vm->error.
 */
int its_save(struct vm *vm, FILE *out);
int its_restore(struct vm *vm, const uint8_t **state, size_t *bytes, bool put);

#endif
