/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One payload in one VM of this machine's KVM, its phases metered at the doorbells. */
#ifndef WS_TARGETS_KVM_BOOT_H
#define WS_TARGETS_KVM_BOOT_H

#include "host/lib/error.h"
#include "host/targets/boot.h"
#include "host/targets/cpus.h"
#include "host/targets/rows.h"
#include "host/vmm/vmm.h"

struct kvm_boot_env {
	int kvm_fd;
	int cpu;	       /* CPU of the calling thread; -1: not pinned */
	const int *cpus;       /* one per vCPU, the first is `cpu`; NULL: not pinned */
	enum boot_share share; /* of a boot with a scale */
	bool trace_states, host_counters;
};

/* The counters of a vCPU at one moment, read by its thread. */
struct kvm_snapshot {
	int64_t exits, irq_exits;
	uint64_t user;
	struct interference interference;
};
/* `cpu`: of the vCPU's thread, or -1. */
void kvm_snapshot(const struct vcpu *vcpu, int cpu, struct kvm_snapshot *now);

/* What a phase counted, between the doorbells of its begin and its end. */
void kvm_count(const struct kvm_snapshot *begin, const struct kvm_snapshot *end,
	       struct boot_counts *c);

/* The parameters of a payload in a VM after `config`. */
struct abi_params kvm_params(const struct vm_config *config,
			     const struct boot_request *rq);

/* Adds the statistics of the vCPUs of `vm`. */
void kvm_add_statistics(const struct vm *vm, struct boot_report *rep);

/*
 * kvm_boot_payload() for rq->scale (kvm_scale.c): a payload on each of several vCPUs of
 * one VM, or in each of several VMs, whose phases begin together.
 */
int kvm_boot_scaled(const struct kvm_boot_env *env, const struct vm_config *config,
		    const struct host_row *host, const struct boot_request *rq,
		    bool exact, struct boot_report *rep, struct error *err);

/* Why a row or a config does not run at a scale; NULL: it does. */
const char *kvm_scale_refuses(const struct bench *row, const struct host_row *host,
			      const struct vm_config *config,
			      const struct boot_scale *scale);

/*
 * Builds a VM after `config`, lets `host` (or NULL) prepare it, runs rq->image in it
 * and fills in `rep`, whatever the guest does. -EINTR, or another negative errno with
 * `err` if the VM cannot be built.
 */
int kvm_boot_payload(const struct kvm_boot_env *env, const struct vm_config *config,
		     const struct host_row *host, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err);

#endif
