/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's binary statistics (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD). */
#ifndef WS_VMM_STATS_H
#define WS_VMM_STATS_H

#include <stddef.h>

#include "host/vmm/vmm.h"

/* Finds the counters of enum kvm_stat. Kernels before 5.14 have none: fd -1. */
void stats_fd_open(int vcpu_fd, struct kvm_stats_fd *stats);
void stats_fd_close(struct kvm_stats_fd *stats);

/* A counter by KVM's name for it; -1 where this KVM does not have it. */
int64_t stats_fd_named(const struct kvm_stats_fd *stats, const char *name);

/*
 * Compares the run loop's own counters with KVM's for the same things. How many were
 * compared, or -EINVAL with one line in `wrong` that names the first that differs.
 */
int stats_cross_check(const struct vcpu *vcpu, char *wrong, size_t bytes);

#endif
