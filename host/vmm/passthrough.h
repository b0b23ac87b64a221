/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PMU registers without a trap on KVM/arm64, by the module in host/kmod. It goes with
 * the VM: vm_destroy() ends it.
 */
#ifndef WS_VMM_PASSTHROUGH_H
#define WS_VMM_PASSTHROUGH_H

#include "host/vmm/vmm.h"

/*
 * Where the module's file is, if it may be loaded as soon as a VM wants it: labs set
 * this. Elsewhere whoever runs the machine loads it.
 */
#define PASSTHROUGH_MODULE_VARIABLE "WORLDSWITCH_PASSTHROUGH_MODULE"

/* 0 if the module can be asked here; else -ENOTSUP and `why`. */
int passthrough_available(int kvm_fd, char *why, size_t why_bytes);

/* As config.pmu_access says; before the first run. 0 or -errno with vm->error. */
int passthrough_attach(struct vm *vm);

#endif
