/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM in a file: memory, every vCPU's registers, the interrupt controller, the clock.
 * No vCPU may run meanwhile. A file is bound to its format version, architecture and VM
 * configuration; a VM that differs refuses it.
 */
#ifndef WS_VMM_CHECKPOINT_H
#define WS_VMM_CHECKPOINT_H

#include "host/vmm/vmm.h"

/*
 * Completes pending accesses (vcpu_drain()), then writes. `path` appears whole or not at
 * all, and replaces an older file. 0 or -errno.
 */
int checkpoint_save(struct vm *vm, const char *path);

/*
 * Restores into a VM from vm_create() with the same config (and slots) that has not run;
 * it continues where the saved VM was. -EINVAL, and nothing changed, if the file is
 * damaged, truncated, or another VM's.
 */
int checkpoint_restore(struct vm *vm, const char *path);

#endif
