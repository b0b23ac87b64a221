/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's binary statistics (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD). */
#ifndef WS_VMM_STATS_H
#define WS_VMM_STATS_H

#include <stddef.h>

#include "host/vmm/vmm.h"

/* Finds the counters of enum kvm_stat. fd -1: no statistics (before Linux 5.14). */
void stats_fd_open(int vcpu_fd, struct kvm_stats_fd *stats);
void stats_fd_close(struct kvm_stats_fd *stats);

/*
 * Compares the run loop's counters with KVM's counters of the same events. The number of
 * counters compared, or -EINVAL with the first that differs.
 */
int stats_cross_check(const struct vcpu *vcpu, struct error *err);

#endif
