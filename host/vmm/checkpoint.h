/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM in a file: memory, every vCPU's registers, the interrupt controller, the clock.
 *
 * No vCPU may run meanwhile. Files are of one build of this program, one architecture
 * and one make of VM: they carry both, and others are refused.
 */
#ifndef WS_VMM_CHECKPOINT_H
#define WS_VMM_CHECKPOINT_H

#include "host/vmm/vmm.h"

/*
 * Completes accesses that are open (vcpu_drain()), then writes. `path` appears whole or
 * not at all, and replaces what was there. 0 or -errno with vm->error.
 */
int checkpoint_save(struct vm *vm, const char *path);

/*
 * Into a VM from vm_create() with the same config (and slots) that has not run; it
 * goes on where the other was. -EINVAL with one line in vm->error, and nothing
 * changed, if the file is damaged, cut short, or not of such a VM.
 */
int checkpoint_restore(struct vm *vm, const char *path);

#endif
