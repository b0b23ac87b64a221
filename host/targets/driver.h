/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows that the host times (NEEDS_DRIVER): kicks, timers, injection, state access,
 * creation. A driver builds what VMs it needs, has them run the `driven` payload
 * (guest/driven.c), and stores its samples where a payload would have.
 */
#ifndef WS_TARGET_DRIVER_H
#define WS_TARGET_DRIVER_H

#include "host/lib/error.h"
#include "host/targets/boot.h"
#include "host/vmm/vmm.h"

struct drive {
	int kvm_fd;
	/* Of the calling thread, and of a second one; NULL: not pinned. */
	const int *cpus;
	const struct vm_config *config;
	const struct boot_request *rq; /* rq->image is the driven payload */
	struct boot_report *rep;
	struct error *err;
	struct vcpu *booting; /* drive_boot(): has not rung yet; or NULL */
};

/*
 * Stores rq->params.events samples of the host's clock (host/vmm/clock.h) in
 * series EVENT and as many of the clock's own cost in series NULL; the other series
 * stay empty. 0 with rep->outcome set, or -errno with d->err. The caller has started
 * the thread's watchdog (host/vmm/timer.h) with the boot's time limit.
 */
struct driver {
	const char *id;
	unsigned int archs;
	int (*run)(struct drive *d);
	const char *payload; /* that it runs: payload_find() */
};

const struct driver *driver_find(const char *id, enum arch arch);

#endif
