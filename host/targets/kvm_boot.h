/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One payload in one VM of this machine's KVM, its phases metered at the doorbells. */
#ifndef WS_TARGETS_KVM_BOOT_H
#define WS_TARGETS_KVM_BOOT_H

#include "host/lib/error.h"
#include "host/targets/boot.h"
#include "host/targets/rows.h"
#include "host/vmm/vmm.h"

struct kvm_boot_env {
	int kvm_fd;
	int cpu;	 /* CPU of the calling thread; -1: not pinned */
	const int *cpus; /* one per vCPU, the first is `cpu`; NULL: not pinned */
	bool trace_states, host_counters;
};

/*
 * Builds a VM after `config`, lets `host` (or NULL) prepare it, runs rq->image in it
 * and fills in `rep`, whatever the guest does. -EINTR, or another negative errno with
 * `err` if the VM cannot be built.
 */
int kvm_boot_payload(const struct kvm_boot_env *env, const struct vm_config *config,
		     const struct host_row *host, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err);

#endif
