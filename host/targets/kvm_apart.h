/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM of target `kvm` as a process of its own, which is confined (lib/confine.h)
 * before it boots the first guest. It is a fork of this process, without its files: it
 * keeps /dev/kvm, stderr and a socket, receives requests, and answers each with a report,
 * which is checked like that of a lab. Another such process runs the tests of `wsbench
 * selftest`, and sends lines.
 */
#ifndef WS_TARGETS_KVM_APART_H
#define WS_TARGETS_KVM_APART_H

#include <sys/types.h>
#include <time.h>

#include "host/targets/target.h"

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

#endif
