/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's binary statistics (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD). */
#ifndef WS_VMM_STATS_H
#define WS_VMM_STATS_H

#include "host/vmm/vmm.h"

/* Finds the counters of enum kvm_stat. Kernels before 5.14 have none: fd -1. */
void stats_fd_open(int vcpu_fd, struct kvm_stats_fd *stats);
void stats_fd_close(struct kvm_stats_fd *stats);

#endif
