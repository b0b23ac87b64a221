/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target `kvm`: one payload in one VM, the VMM's process, and the host's CPUs. */
#ifndef WS_TARGETS_KVM_H
#define WS_TARGETS_KVM_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/targets/target.h"
#include "host/targets/rows.h"
#include "host/vmm/vmm.h"

/* One payload in one VM of this machine's KVM, its phases metered at the doorbells. */
struct kvm_boot_env {
	int kvm_fd;
	int cpu;	       /* CPU of the calling thread; -1: not pinned */
	const int *cpus;       /* one per vCPU, the first is `cpu`; NULL: not pinned */
	enum boot_share share; /* of a boot with a scale */
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

/* ------------------------------ the VMM's process ------------------------------ */

/*
 * The VMM of target `kvm` as a process of its own, which is confined (lib/confine.h)
 * before it boots the first guest. It is a fork of this process, without its files: it
 * keeps /dev/kvm, stderr and a socket, receives requests, and answers each with a report,
 * which is checked like that of a lab. Another such process runs the tests of `wsbench
 * selftest`, and sends lines.
 */

/* Boots a payload in the calling process: the `boot` of struct target_ops. */
typedef int kvm_apart_boot(struct target *t, const struct boot_request *rq,
			   struct boot_report *rep, struct error *err);

struct kvm_apart {
	pid_t pid; /* 0: not running */
	int socket;
};

/* No process yet. */
void kvm_apart_init(struct kvm_apart *a);

/* Boots by `boot` in the other process, which is started if it does not run; `kvm_fd` is
 * a descriptor that it keeps. As `boot`; -EIO if the process ended. */
int kvm_apart_run(struct kvm_apart *a, kvm_apart_boot *boot, int kvm_fd, struct target *t,
		  const struct boot_request *rq, struct boot_report *rep,
		  struct error *err);

/*
 * Calls `run` in a process of its own, which is confined and keeps `kvm_fd`, and passes
 * the lines of `run` to `line` in this process. 0, or a negative errno with `err` if the
 * process did not end by itself.
 */
typedef void kvm_apart_lines(const void *what, int kvm_fd,
			     void (*line)(void *ctx, const char *text), void *ctx);
int kvm_apart_tests(kvm_apart_lines *run, const void *what, int kvm_fd,
		    void (*line)(void *ctx, const char *text), void *ctx,
		    struct error *err);

/* Seconds after which a VMM that does not answer is killed. */
time_t kvm_apart_limit_s(const struct boot_request *rq);

/* What the kernel says of such a process. 0 or a negative errno. */
int kvm_apart_try(struct confine_state *state);

/* Ends the process. */
void kvm_apart_stop(struct kvm_apart *a);

/* ------------------------------ CPUs ------------------------------ */

/*
 * Chooses `n` CPUs of `allowed`: `first`, then CPUs that share a core neither with
 * `first` nor with each other, from the package of `first` if it has enough. The topology
 * is that of `sysfs` ("/sys", except in tests; NULL: in labs, each CPU is a core); a
 * machine without a topology has one core. 0, or -ENOENT with the reason in `why`.
 */
int cpus_choose(const char *sysfs, const cpu_set_t *allowed, int first, unsigned int n,
		int *cpus, char *why, size_t why_bytes);

/* `n` CPUs of `allowed`, `first` (or -1: any) among them, whatever core they are of. */
bool cpus_any(const cpu_set_t *allowed, int first, unsigned int n, int *cpus);

/* Counters of the host that only grow; -1: unknown. */
struct interference {
	int64_t interrupts;	      /* of interrupts_taken(), or -1 */
	int64_t involuntary_switches; /* of the calling thread */
	int cpu_now;
};

/* The interrupts that `cpu` has taken, by /proc/interrupts, or all CPUs if cpu < 0. Slow.
 */
int64_t interrupts_taken(int cpu);

/* All but the interrupts. */
void interference_read(struct interference *now);

/* ------------------------------ several vCPUs or VMs ------------------------------ */

/* The counters of a vCPU at one moment, read by its thread. */
struct kvm_snapshot {
	int64_t exits, irq_exits;
	int64_t statistic; /* of the row; -1 */
	uint64_t user;
	struct interference interference;
};
/*
 * All but the interrupts of a CPU, which the slow part reads where KVM counts none.
 * `statistic`: the row's, or STATISTICS (none).
 */
void kvm_snapshot_quick(struct vcpu *vcpu, enum bench_statistic_id statistic,
			struct kvm_snapshot *now);
/* `cpu`: of the vCPU's thread, or -1. */
void kvm_snapshot_slow(struct vcpu *vcpu, int cpu, struct kvm_snapshot *now);

/* The statistic that a row names on this machine; STATISTICS: none. */
enum bench_statistic_id kvm_statistic_of(const struct bench *row);

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
 * one VM, or in each of several VMs, whose phases begin together. `takes_turns`: struct
 * target.
 */
int kvm_boot_scaled(const struct kvm_boot_env *env, const struct vm_config *config,
		    const struct host_row *host, const struct boot_request *rq,
		    bool takes_turns, struct boot_report *rep, struct error *err);

/* What one vCPU did in such a boot. */
struct kvm_lane {
	int64_t begin_ns, end_ns;  /* of the EVENT phase; end 0: not yet */
	struct boot_report report; /* of its guest, with the counts of the vCPU */
};

/*
 * The reports of the `n` lanes, all BOOT_DONE, as one with rep->lanes (kvm_lanes.c). 0 or
 * -ENOMEM.
 */
int kvm_lanes_merge(const struct kvm_lane *lanes, unsigned int n, enum boot_share share,
		    bool takes_turns, struct boot_report *rep);

/* Why a row or a config does not run at a scale; NULL: it does. */
const char *kvm_scale_refuses(const struct bench *row, const struct host_row *host,
			      const struct vm_config *config,
			      const struct boot_scale *scale);

#endif
